package web

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
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
	ln = &room{Listener: ln, conns: map[*conn]bool{}}
	if certificate == nil {
		return ln
	}
	return tls.NewListener(ln, &tls.Config{GetCertificate: certificate.get, MinVersion: tls.VersionTLS12})
}

// room is a listener that knows its open connections.
type room struct {
	net.Listener
	mu    sync.Mutex
	conns map[*conn]bool
}

// conn is a connection. api.Serve reports its state.
type conn struct {
	net.Conn
	room    *room
	from    netip.Addr
	local   bool
	waiting bool      // for a request
	since   time.Time // for how long
}

func (r *room) Accept() (net.Conn, error) {
	for {
		accepted, err := r.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressIn(accepted.RemoteAddr().String()).Unmap()
		c := &conn{Conn: accepted, room: r, from: from, local: from.IsLoopback(), waiting: true, since: time.Now()}
		replaced, ok := r.admit(c)
		if replaced != nil {
			_ = replaced.Conn.Close()
		}
		if ok {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// admit adds a connection if there is room for it, or if it can replace another.
func (r *room) admit(c *conn) (replaced *conn, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	total, inNetwork, atAddress := 0, map[netip.Prefix]int{network(c.from): 1}, map[netip.Addr]int{c.from: 1}
	for other := range r.conns {
		if other.local == c.local {
			total++
			inNetwork[network(other.from)]++
			atAddress[other.from]++
		}
	}
	if total < maxConnections {
		r.conns[c] = true
		return nil, true
	}
	load := func(a, b *conn) int {
		return cmp.Or(cmp.Compare(inNetwork[network(a.from)], inNetwork[network(b.from)]), cmp.Compare(atAddress[a.from], atAddress[b.from]))
	}
	for other := range r.conns {
		if other.local != c.local || !other.idle() && load(other, c) <= 0 {
			continue
		}
		if replaced == nil || other.before(replaced, load(other, replaced)) {
			replaced = other
		}
	}
	if replaced == nil {
		return nil, false
	}
	delete(r.conns, replaced)
	r.conns[c] = true
	return replaced, true
}

// idle reports whether closing c interrupts no request.
func (c *conn) idle() bool { return c.waiting && time.Since(c.since) >= grace }

// before reports whether to replace c rather than other: idle connections go
// first, then those of the address that holds more, then older ones.
func (c *conn) before(other *conn, load int) bool {
	switch {
	case c.idle() != other.idle():
		return c.idle()
	case load != 0:
		return load > 0
	}
	return c.since.Before(other.since)
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
