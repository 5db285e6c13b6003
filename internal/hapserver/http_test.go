package hapserver

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// hap v0.0.35 read a stranger's body without limit: 14 MB became 340 MB, held.
func TestStrangersBodyIsLimited(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	big := bytes.Repeat([]byte{6}, maxStrangerBody+1)
	chunked := "POST /pair-setup HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(big), big)
	for name, tc := range map[string]struct {
		send []byte
		want int
	}{
		"just enough":     {requestBytes("POST", "/pair-setup", typeTLV, big[:maxStrangerBody]), 400},
		"one more":        {requestBytes("POST", "/pair-setup", typeTLV, big), 413},
		"chunked":         {[]byte(chunked), 413},
		"only announced":  {[]byte("POST /pair-setup HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"), 413},
		"endless header":  {[]byte("GET /accessories HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10)), 431},
		"endless path":    {[]byte("GET /" + strings.Repeat("x", 64<<10)), 431},
		"many headers":    {[]byte("GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 10000)), 431},
		"no HTTP":         {[]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\r\n\r\n"), 400},
		"HTTP/2":          {[]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400},
		"two lengths":     {[]byte("POST /pair-setup HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400},
		"negative length": {[]byte("POST /pair-setup HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabcd"), 400},
		"bad chunk":       {[]byte("POST /pair-setup HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400},
	} {
		c := f.stranger(t)
		if err := c.send(tc.send); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if a, err := c.read(); err != nil || a.status != tc.want {
			t.Errorf("%s: %d %v", name, a.status, err)
		}
		if name != "just enough" {
			c.gone(t)
		}
	}
}

func TestControllersBodyIsLimited(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.connect(t, nil)
	if a := c.must(t, "PUT", "/characteristics", strings.Repeat(" ", maxBody)); a.status != 400 {
		t.Errorf("64 kB of blanks: %d", a.status)
	}
	if a := c.must(t, "PUT", "/characteristics", strings.Repeat(" ", maxBody+1)); a.status != 413 {
		t.Errorf("one more: %d", a.status)
	}
	c.gone(t)
}

// A request may have 8 kB and 64 lines before its body, in the clear and in
// frames.
func TestHeaderIsLimited(t *testing.T) {
	t.Parallel()
	f := newPaired(t, quiet).start(t)
	const start = "GET /characteristics?id=1.13 HTTP/1.1\r\nHost: x\r\n"
	lines := func(n int) string { return start + strings.Repeat("X: y\r\n", n-2) + "\r\n" }
	bytes := func(n int) string { return start + "X: " + strings.Repeat("y", n-len(start)-7) + "\r\n\r\n" }
	for name, tc := range map[string]struct {
		send   string
		refuse bool
	}{
		"64 lines":    {lines(maxHeaderLines), false},
		"65 lines":    {lines(maxHeaderLines + 1), true},
		"8 kB":        {bytes(maxHeader), false},
		"one more":    {bytes(maxHeader + 1), true},
		"130 kB":      {bytes(130 << 10), true},
		"bare \\n":    {strings.ReplaceAll(lines(maxHeaderLines), "\r", ""), false},
		"chunks":      {strings.Replace(lines(9), "Host: x", "Transfer-Encoding: chunked", 1) + "3\r\nabc\r\n0\r\nX: y\r\n\r\n", false},
		"trailer":     {strings.Replace(lines(9), "Host: x", "Transfer-Encoding: chunked", 1) + "0\r\n" + strings.Repeat("X: y\r\n", 65) + "\r\n", true},
		"two at once": {lines(9) + lines(9), false},
	} {
		for who, c := range map[string]*controller{"stranger": f.stranger(t), "controller": f.connect(t, nil)} {
			want := map[string]int{"stranger": 470, "controller": 200}[who]
			if tc.refuse {
				want = 431
			}
			if err := c.send([]byte(tc.send)); err != nil {
				t.Errorf("%s, %s: %v", who, name, err)
			}
			if a, err := c.read(); err != nil || a.status != want {
				t.Errorf("%s, %s: %d %v", who, name, a.status, err)
			}
			if tc.refuse {
				c.gone(t)
			} else if a, err := c.do("GET", "/characteristics?id=1.13", nil); err != nil || a.status != want {
				t.Errorf("%s, after %s: %d %v", who, name, a.status, err)
			}
		}
	}
}

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t).start(t)
	c := f.stranger(t)
	for range 3 {
		if a := c.must(t, "GET", "/accessories", nil); a.status != 470 || a.header.Get("Connection") != "" {
			t.Errorf("%d %v", a.status, a.header)
		}
	}
	if err := c.send([]byte("GET /accessories HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if a, err := c.read(); err != nil || a.header.Get("Connection") != "close" {
		t.Errorf("%v %v", a.header, err)
	}
	c.gone(t)
	c = f.stranger(t)
	if err := c.send([]byte("HEAD /accessories HTTP/1.1\r\nHost: x\r\n\r\nGET /accessories HTTP/1.0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c.conn)
	if err != nil || bytes.Count(all, []byte("HTTP/1.1 470 Connection Authorization Required\r\n")) != 2 || bytes.Count(all, []byte("{")) != 1 {
		t.Errorf("%s %v", all, err)
	}
}

// Silent and slow peers: nothing at all, half a request, one byte a second, an
// answer that is not read.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	endsAfter := func(t *testing.T, conn net.Conn, want time.Duration) {
		t.Helper()
		start := time.Now()
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d != want {
			t.Errorf("the connection ended after %v, want %v", d, want)
		}
	}
	for name, peer := range map[string]func(*testing.T, *fixture){
		"silent": func(t *testing.T, f *fixture) { endsAfter(t, f.dial(), 2*time.Minute) },
		"half a request": func(t *testing.T, f *fixture) {
			conn := f.dial()
			conn.Write([]byte("POST /pair-setup HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"))
			endsAfter(t, conn, 10*time.Second)
		},
		"a byte a second": func(t *testing.T, f *fixture) {
			conn, n := f.dial(), 0
			for ; n < 60; n++ {
				if _, err := conn.Write([]byte("G")); err != nil {
					break
				}
				time.Sleep(time.Second)
			}
			if n < 9 || n > 11 {
				t.Errorf("it could send %d bytes", n)
			}
		},
		"does not read": func(t *testing.T, f *fixture) {
			conn := f.dial()
			conn.Write(requestBytes("GET", "/accessories", "", nil))
			time.Sleep(5100 * time.Millisecond)
			endsAfter(t, conn, 0)
		},
		"verified and silent": func(t *testing.T, f *fixture) {
			c := f.connect(t, nil)
			time.Sleep(100 * time.Hour)
			if a := c.must(t, "GET", "/characteristics?id=1.13", nil); a.status != 200 {
				t.Errorf("status %d", a.status)
			}
		},
		"verified, half a request": func(t *testing.T, f *fixture) {
			c := f.connect(t, nil)
			if err := c.send([]byte("GET /acc")); err != nil {
				t.Fatal(err)
			}
			endsAfter(t, c.conn, 10*time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newPaired(t)
				defer f.startPiped(t)()
				peer(t, f)
			})
		})
	}
}
