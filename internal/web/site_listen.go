package web

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// Limits of the connections to web.listen, beside those of api.Serve.
const (
	maxConnections = 128
	maxFromOne     = 64               // from one address, which leaves room for others
	writeTimeout   = 10 * time.Second // for each write, not for the whole answer
)

// Bound limits the connections of web.listen and, with a certificate, encrypts
// them. Connections beyond maxConnections wait; those beyond maxFromOne are
// closed.
func Bound(ln net.Listener, certificate *tls.Certificate) net.Listener {
	ln = impatient{&fair{Listener: netutil.LimitListener(ln, maxConnections), open: map[netip.Prefix]int{}}}
	if certificate == nil {
		return ln
	}
	return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
}

// fair closes connections from an address that has maxFromOne already.
type fair struct {
	net.Listener
	mu   sync.Mutex
	open map[netip.Prefix]int
}

func (f *fair) Accept() (net.Conn, error) {
	for {
		conn, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := network(addressIn(conn.RemoteAddr().String()))
		if f.enter(from) {
			return &fairConn{Conn: conn, leave: sync.OnceFunc(func() { f.leave(from) })}, nil
		}
		_ = conn.Close()
	}
}

func (f *fair) enter(from netip.Prefix) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[from] >= maxFromOne && from.IsValid() { // a pipe has no address
		return false
	}
	f.open[from]++
	return true
}

func (f *fair) leave(from netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[from]--; f.open[from] == 0 {
		delete(f.open, from)
	}
}

type fairConn struct {
	net.Conn
	leave func()
}

func (c *fairConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// impatient closes connections whose peer does not read. http.Server's
// WriteTimeout limits the whole answer, which would end events and long commands.
type impatient struct{ net.Listener }

func (i impatient) Accept() (net.Conn, error) {
	conn, err := i.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return impatientConn{conn}, nil
}

type impatientConn struct{ net.Conn }

func (c impatientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
