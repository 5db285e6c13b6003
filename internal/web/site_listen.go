package web

import (
	"crypto/tls"
	"net"
	"time"

	"golang.org/x/net/netutil"
)

// Limits of the connections to web.listen, beside those of Serve.
const (
	maxConnections = 128
	writeTimeout   = 10 * time.Second // until the peer takes more, however long an answer goes on
)

// Bound limits the connections of web.listen, and with a certificate encrypts them.
func Bound(ln net.Listener, certificate *tls.Certificate) net.Listener {
	ln = impatient{netutil.LimitListener(ln, maxConnections)}
	if certificate == nil {
		return ln
	}
	return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
}

// impatient closes connections whose peer does not read. The timeout of http.Server is
// for a whole answer: it would end events and long commands.
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
