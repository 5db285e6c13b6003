package web_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/web"
	"github.com/ps4kit/ps4kit/test/pipes"
)

// bound serves a handler as web.listen is served, in a bubble, until stop.
func bound(t *testing.T, h http.Handler, certificate *web.Certificate) (ln *pipes.Listener, stop func()) {
	t.Helper()
	ln = pipes.Listen()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, web.Bound(ln, certificate), h, nil) }()
	return ln, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

func ask(t *testing.T, ln *pipes.Listener) net.Conn {
	t.Helper()
	conn, err := ln.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestReaderThatReadsNothingIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dropped := make(chan time.Duration, 1)
		ln, stop := bound(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			begin := time.Now()
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					dropped <- time.Since(begin)
					return
				}
			}
		}), nil)
		conn := ask(t, ln)
		if after := <-dropped; after != 10*time.Second {
			t.Errorf("dropped after %v, want 10 s", after)
		}
		_ = conn.Close()
		stop()
	})
}

func TestEventsAreNotCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ln, stop := bound(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // as every route does
			for range 24 {
				select {
				case <-time.After(time.Hour):
				case <-r.Context().Done():
					return
				}
				_, _ = io.WriteString(w, "data: x\n\n")
				_ = http.NewResponseController(w).Flush()
			}
		}), nil)
		begin := time.Now()
		conn := ask(t, ln)
		buffer := make([]byte, 4<<10)
		for read := 0; read < 24; read++ {
			if _, err := conn.Read(buffer); err != nil {
				t.Fatalf("cut after %v: %v", time.Since(begin), err)
			}
		}
		_ = conn.Close()
		stop()
	})
}

// crowd is a site in a bubble with clients at any address. Requests of /wait
// are answered once the crowd leaves.
type crowd struct {
	t         *testing.T
	ln        *pipes.Listener
	encrypted bool
	conns     []net.Conn
}

func inCrowd(t *testing.T, certificate *web.Certificate, test func(*crowd)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leaving := make(chan struct{})
		ln, stop := bound(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				<-leaving
			}
		}), certificate)
		c := &crowd{t: t, ln: ln, encrypted: certificate != nil}
		test(c)
		close(leaving)
		for _, conn := range c.conns {
			_ = conn.Close()
		}
		stop()
	})
}

func (c *crowd) connect(from string) net.Conn {
	conn, err := c.ln.DialFrom(c.t.Context(), net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 40000)))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.encrypted {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // not what is tested here
	}
	c.conns = append(c.conns, conn)
	return conn
}

// send sends a request and reports whether the server reads it.
func (c *crowd) send(conn net.Conn, path string) bool {
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	synctest.Wait()
	return err == nil
}

// answers reports whether a request on the connection is answered at once.
func (c *crowd) answers(conn net.Conn) bool {
	begin := time.Now()
	if !c.send(conn, "/healthz") {
		return false
	}
	line := make([]byte, 512)
	n, err := conn.Read(line)
	synctest.Wait() // until the server waits for the next request
	return err == nil && strings.HasPrefix(string(line[:n]), "HTTP/1.1 200 ") && time.Since(begin) == 0
}

// fill opens n connections from an address, which send a request unless path is
// empty.
func (c *crowd) fill(from string, n int, path string) (all []net.Conn) {
	c.t.Helper()
	for range n {
		conn := c.connect(from)
		if path == "/healthz" && !c.answers(conn) || path == "/wait" && !c.send(conn, path) {
			c.t.Fatalf("connection %d from %s was refused", len(all), from)
		}
		all = append(all, conn)
	}
	return all
}

// TestTwoAddressesDoNotStarveOthers: whatever they do with their connections,
// another client, also of the same IPv6 network, and a local health check are
// answered at once.
func TestTwoAddressesDoNotStarveOthers(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"silent": "", "idle": "/healthz", "busy": "/wait"} {
		for network, prefix := range map[string]string{"IPv4": "192.168.1.", "IPv6": "2001:db8::"} {
			t.Run(name+" "+network, func(t *testing.T) {
				inCrowd(t, nil, func(c *crowd) {
					c.fill(prefix+"3", 64, path)
					c.fill(prefix+"4", 64, path)
					for _, from := range []string{prefix + "5", "127.0.0.1", "::1", "::ffff:127.0.0.1"} {
						if !c.answers(c.connect(from)) {
							t.Errorf("%s is not answered", from)
						}
					}
				})
			})
		}
	}
}

// TestManyAddressesDoNotStarveOthers, nor do they cut a request that is running.
func TestManyAddressesDoNotStarveOthers(t *testing.T) {
	inCrowd(t, nil, func(c *crowd) {
		owner := c.fill("192.168.1.2", 1, "/wait")[0]
		for n := range 300 {
			c.fill(fmt.Sprintf("10.0.%d.%d", n/250, n%250), 1, "/healthz")
			time.Sleep(time.Second)
		}
		if !c.answers(c.connect("192.168.1.5")) {
			c.t.Error("a newcomer is not answered")
		}
		_ = owner.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := owner.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Errorf("the running request was cut: %v", err)
		}
	})
}

// TestLoopbackAlwaysGetsIn, even when as many addresses as there is room for
// each have a request running.
func TestLoopbackAlwaysGetsIn(t *testing.T) {
	inCrowd(t, nil, func(c *crowd) {
		for n := range 128 {
			c.fill(fmt.Sprintf("10.0.0.%d", n), 1, "/wait")
		}
		if c.answers(c.connect("10.0.0.200")) {
			c.t.Error("there is room for 129 busy addresses")
		}
		for _, from := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
			if !c.answers(c.connect(from)) {
				c.t.Errorf("%s is not answered", from)
			}
		}
	})
}

// TestOneAddressReplacesItsOwn connections when it has all, but no busy ones.
func TestOneAddressReplacesItsOwn(t *testing.T) {
	t.Parallel()
	for name, certificate := range map[string]*web.Certificate{"plain": nil, "TLS": selfSigned(t).Certificate} {
		t.Run(name, func(t *testing.T) { inCrowd(t, certificate, oneAddressReplacesItsOwn) })
	}
}

func oneAddressReplacesItsOwn(c *crowd) {
	c.fill("192.168.1.3", 127, "/wait")
	idle := c.fill("192.168.1.3", 1, "/healthz")[0]
	if c.answers(c.connect("192.168.1.3")) || !c.answers(idle) {
		c.t.Error("a connection was replaced within its second of grace")
	}
	time.Sleep(time.Second)
	next := c.connect("::ffff:192.168.1.3")
	if !c.answers(next) || c.answers(idle) {
		c.t.Error("the idle connection was not replaced")
	}
	if !c.send(next, "/wait") || c.answers(c.connect("192.168.1.3")) {
		c.t.Error("an address has 129 busy connections")
	}
	if !c.answers(c.connect("192.168.1.4")) {
		c.t.Error("another address is not answered")
	}
}

// TestWhatGoesWrongIsLogged, by the logger that Serve was given and no other.
func TestWhatGoesWrongIsLogged(t *testing.T) {
	t.Parallel()
	ln := pipes.Listen()
	lines, logged := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- api.Serve(ctx, web.Bound(ln, selfSigned(t).Certificate), http.NotFoundHandler(), log.New(logged, "", 0))
	}()
	conn := ask(t, ln) // without TLS
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	line := make([]byte, 100)
	n, err := lines.Read(line)
	if err != nil || !strings.Contains(string(line[:n]), "TLS handshake error") {
		t.Errorf("%q, %v", line[:n], err)
	}
	_ = conn.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// writeCertificate writes a new self-signed certificate for 127.0.0.1.
func writeCertificate(t *testing.T, certFile, keyFile string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", pkcs8)
	trusted := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted.AddCert(leaf)
	return trusted
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// certificate is a loaded certificate, its files, and the errors of its reloads.
type certificate struct {
	*web.Certificate
	certFile, keyFile string
	trusted           *x509.CertPool
	reloads           chan error
}

func selfSigned(t *testing.T) *certificate {
	t.Helper()
	dir := t.TempDir()
	c := &certificate{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem"), reloads: make(chan error, 10)}
	c.trusted = writeCertificate(t, c.certFile, c.keyFile)
	var err error
	if c.Certificate, err = web.LoadCertificate(c.certFile, c.keyFile, func(err error) { c.reloads <- err }); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCertificateIsReloaded: a renewed one is used without a restart, a broken
// one is reported once and the previous one stays in use.
func TestCertificateIsReloaded(t *testing.T) {
	t.Parallel()
	c := selfSigned(t)
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, web.Bound(ln, c.Certificate), http.NotFoundHandler())
	use := func(what string, trusted *x509.CertPool) {
		t.Helper()
		for range 2 {
			conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: trusted}}).DialContext(t.Context(), "tcp", ln.Addr().String())
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			_ = conn.Close()
		}
	}
	use("at the start", c.trusted)
	renewed := writeCertificate(t, c.certFile, c.keyFile)
	use("renewed", renewed)
	if err := <-c.reloads; err != nil {
		t.Errorf("renewed: %v", err)
	}
	if err := os.WriteFile(c.certFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	use("broken", renewed)
	if err := <-c.reloads; err == nil {
		t.Error("a broken file is not reported")
	}
	if err := os.Remove(c.keyFile); err != nil {
		t.Fatal(err)
	}
	use("without the key", renewed)
	if err := <-c.reloads; err == nil {
		t.Error("a missing file is not reported")
	}
	use("repaired", writeCertificate(t, c.certFile, c.keyFile))
	if err := <-c.reloads; err != nil || len(c.reloads) > 0 {
		t.Errorf("repaired: %v, and %d more reports", err, len(c.reloads))
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certificate := selfSigned(t)
	g, _ := newGuard(t)
	serve(t, web.Bound(ln, certificate.Certificate), web.Site(complete(web.SiteOptions{Guard: g}, &backend{})))
	s := &site{t: t, url: "https://" + ln.Addr().String()}
	c := s.browser()
	config := &tls.Config{RootCAs: certificate.trusted, MinVersion: tls.VersionTLS10}
	c.http.Transport = &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	cookie := c.signIn(password).must(t, http.StatusSeeOther).Cookies()[0]
	if !cookie.Secure {
		t.Errorf("the cookie is %v", cookie)
	}
	if got := c.get("/api/v1/session").must(t, http.StatusOK); got.TLS.Version < tls.VersionTLS12 {
		t.Errorf("TLS version %x", got.TLS.Version)
	}
	old := config.Clone()
	old.MaxVersion = tls.VersionTLS11
	if conn, err := (&tls.Dialer{Config: old}).DialContext(t.Context(), "tcp", ln.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	} else if errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
