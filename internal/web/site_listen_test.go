package web_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/web"
)

// bound serves a handler as web.listen is served, in a bubble, until stop.
func bound(t *testing.T, h http.Handler) (ln *pipes, stop func()) {
	t.Helper()
	ln = newPipes()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, web.Bound(ln, nil), h, nil) }()
	return ln, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

func ask(t *testing.T, ln *pipes) net.Conn {
	t.Helper()
	conn, err := ln.dial(t.Context(), "", "")
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
		}))
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
		}))
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

// TestConnectionsAreBounded: those beyond the bound wait until a silent one is closed.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ln, stop := bound(t, http.NotFoundHandler())
		begin := time.Now()
		var conns []net.Conn
		for range 129 {
			conn, err := ln.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		if after := time.Since(begin); after != 5*time.Second {
			t.Errorf("the last one was taken after %v, want 5 s", after)
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
		stop()
	})
}

// addressed is a pipe from an address.
type addressed struct {
	net.Conn
	from net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.from }

// TestOneAddressLeavesRoomForOthers: it has half of the connections, and its next one is
// closed at once.
func TestOneAddressLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ln, stop := bound(t, http.NotFoundHandler())
		open := func(from string) net.Conn {
			ours, theirs := net.Pipe()
			ln.conns <- addressed{theirs, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}
			return ours
		}
		isOpen := func(conn net.Conn) bool {
			if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				return false
			}
			_, err := conn.Read(make([]byte, 1))
			return errors.Is(err, os.ErrDeadlineExceeded)
		}
		var conns []net.Conn
		for port := range 64 {
			conns = append(conns, open(fmt.Sprintf("192.168.1.3:%d", 1000+port)))
		}
		if !isOpen(conns[63]) {
			t.Error("the 64th connection of an address is closed")
		}
		if isOpen(open("192.168.1.3:2000")) || isOpen(open("[::ffff:192.168.1.3]:2001")) {
			t.Error("an address has more than 64 connections")
		}
		other := open("192.168.1.4:1000")
		if !isOpen(other) {
			t.Error("there is no room for another address")
		}
		_ = conns[0].Close()
		synctest.Wait()
		next := open("192.168.1.3:2002")
		if !isOpen(next) {
			t.Error("there is no room when a connection was closed")
		}
		for _, conn := range append(conns, other, next) {
			_ = conn.Close()
		}
		stop()
	})
}

// TestWhatGoesWrongIsLogged, by the logger that Serve was given and no other.
func TestWhatGoesWrongIsLogged(t *testing.T) {
	t.Parallel()
	ln := newPipes()
	lines, logged := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- api.Serve(ctx, web.Bound(ln, selfSigned(t)), http.NotFoundHandler(), log.New(logged, "", 0))
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

// selfSigned is a certificate for 127.0.0.1.
func selfSigned(t *testing.T) *tls.Certificate {
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
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
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
	serve(t, web.Bound(ln, certificate), web.Site(complete(web.SiteOptions{Guard: g}, &backend{})))
	s := &site{t: t, url: "https://" + ln.Addr().String()}
	c := s.browser()
	trusted := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	trusted.AddCert(leaf)
	config := &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS10}
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
