package web

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// Limits of the connections to web.listen, beside those of api.Serve.
const (
	maxConnections = 128              // and as many from this machine itself
	grace          = time.Second      // for a connection without a request
	writeTimeout   = 10 * time.Second // for each write, not for the whole answer
)

// Bound limits the connections of web.listen and, with a certificate, encrypts
// them. When there is no room, a new connection replaces an idle one, or a busy
// one of an address that holds more than its own. Loopback has room of its own,
// so that a local health check or proxy always gets in.
func Bound(ln net.Listener, certificate *Certificate) net.Listener {
	ln = &bounded{ln, &room{conns: map[*conn]bool{}}, &room{conns: map[*conn]bool{}}}
	if certificate == nil {
		return ln
	}
	return tls.NewListener(ln, &tls.Config{GetCertificate: certificate.get, MinVersion: tls.VersionTLS12})
}

// bounded is a listener with room for so many connections.
type bounded struct {
	net.Listener
	local, others *room
}

// room holds open connections.
type room struct {
	mu    sync.Mutex
	conns map[*conn]bool
}

// conn is a connection. api.Serve reports its state.
type conn struct {
	net.Conn
	room    *room
	from    netip.Addr
	waiting bool      // for a request
	since   time.Time // for how long
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		accepted, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, room: b.others, from: addressIn(accepted.RemoteAddr().String()).Unmap(), waiting: true, since: time.Now()}
		if c.from.IsLoopback() {
			c.room = b.local
		}
		if c.room.admit(c) {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// admit adds c if there is room for it, or if it can replace another connection:
// one that is idle, or else one of an address that holds more. Of these it closes
// the oldest of the address that holds the most.
func (r *room) admit(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.conns) < maxConnections {
		r.conns[c] = true
		return true
	}
	inNetwork, atAddress := map[netip.Prefix]int{network(c.from): 1}, map[netip.Addr]int{c.from: 1}
	for other := range r.conns {
		inNetwork[network(other.from)]++
		atAddress[other.from]++
	}
	load := func(a, b *conn) int {
		return cmp.Or(cmp.Compare(inNetwork[network(a.from)], inNetwork[network(b.from)]), cmp.Compare(atAddress[a.from], atAddress[b.from]))
	}
	var idle, heavier []*conn
	for other := range r.conns {
		switch {
		case other.waiting && time.Since(other.since) >= grace:
			idle = append(idle, other)
		case load(other, c) > 0:
			heavier = append(heavier, other)
		}
	}
	candidates := idle
	if len(idle) == 0 {
		candidates = heavier
	}
	if len(candidates) == 0 {
		return false
	}
	replaced := slices.MaxFunc(candidates, func(a, b *conn) int { return cmp.Or(load(a, b), b.since.Compare(a.since)) })
	_ = replaced.Conn.Close()
	delete(r.conns, replaced)
	r.conns[c] = true
	return true
}

// SetState implements api.StateSetter.
func (c *conn) SetState(state http.ConnState) {
	c.room.mu.Lock()
	defer c.room.mu.Unlock()
	c.waiting, c.since = state != http.StateActive, time.Now()
}

// Write fails if the peer does not read. http.Server's WriteTimeout limits the
// whole answer, which would end events and long commands.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.room.mu.Lock()
	delete(c.room.conns, c)
	c.room.mu.Unlock()
	return c.Conn.Close()
}

// Certificate is a TLS certificate in a pair of PEM files. It is loaded again
// when the files change, which each handshake checks.
type Certificate struct {
	certFile, keyFile string
	reloaded          func(error)

	mu      sync.Mutex
	version [2]version // of the files, when they were last read
	current *tls.Certificate
}

// version identifies the content of a file, without reading it.
type version struct{ modified, size int64 }

// LoadCertificate loads a certificate. reloaded is called after each later
// change of the files; with an error, the previous certificate stays in use.
func LoadCertificate(certFile, keyFile string, reloaded func(error)) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, reloaded: reloaded}
	c.version = c.versions()
	return c, c.load()
}

func (c *Certificate) load() error {
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err == nil {
		c.current = &loaded
	}
	return err
}

// versions returns zero for a file that is missing.
func (c *Certificate) versions() (both [2]version) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			both[i] = version{info.ModTime().UnixNano(), info.Size()}
		}
	}
	return both
}

func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.versions(); now != c.version {
		c.version = now
		c.reloaded(c.load())
	}
	return c.current, nil
}
