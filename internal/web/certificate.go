package web

import (
	"crypto/tls"
	"os"
	"sync"
)

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
