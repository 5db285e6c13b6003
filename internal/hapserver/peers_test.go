package hapserver

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func (f *fixture) waitConnections(t testing.TB, want int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for f.Stats().Connections != want {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections, want %d", f.Stats().Connections, want)
		}
		runtime.Gosched()
	}
}

// unconnected returns a peer of a server that has no goroutine.
func (f *fixture) unconnected(t *testing.T, addr string) *peer {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	p := newPeer(t.Context(), f.Server, here, nil)
	p.addr = netip.MustParseAddr(addr)
	return p
}

func TestStrangersGiveWay(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		open    string // one connection each, oldest first; %d differs
		and     []string
		after   time.Duration
		comes   string
		want    int  // index of the connection that is closed, -1 for the new one
		pairing bool // the one that would be closed
	}{
		"the address with the most":              {open: "192.0.2.1", and: []string{"192.0.2.2"}, comes: "192.0.2.3", want: 0},
		"its own":                                {open: "192.0.2.1", and: []string{"192.0.2.2"}, comes: "192.0.2.1", want: 0},
		"not the one that is pairing":            {open: "192.0.2.1", and: []string{"192.0.2.2"}, comes: "192.0.2.2", want: 1, pairing: true},
		"two of one address":                     {open: "192.0.2.%d", and: []string{"192.0.2.7"}, comes: "198.51.100.1", want: 7},
		"each address has one":                   {open: "192.0.2.%d", comes: "198.51.100.1", want: -1},
		"each address has one, for a while":      {open: "192.0.2.%d", comes: "198.51.100.1", after: grace, want: 0},
		"each had one, the newcomer is no other": {open: "192.0.2.%d", comes: "192.0.2.7", want: 7},
		"many addresses in one /64":              {open: "2001:db8::%x", comes: "192.0.2.1", want: 0},
		"many in one /64, another of it":         {open: "2001:db8::%x", comes: "2001:db8::1:1", want: -1},
		"the address with the most in a /64":     {open: "2001:db8::%x", and: []string{"2001:db8::7", "2001:db8::7"}, comes: "2001:db8::1:1", want: 7},
		"the /64 with the most, not the address": {open: "2001:db8::%x", and: []string{"192.0.2.1", "192.0.2.1"}, comes: "2001:db8:1::1", want: 0},
		"neighbours on a link are told apart":    {open: "fe80::1%%eth0", and: []string{"fe80::2%eth0"}, comes: "fe80::3%eth0", want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newUnpaired(t, quiet)
				var list []*peer
				for i := range maxStrangers - len(tc.and) {
					addr := tc.open
					if strings.Contains(addr, "%d") || strings.Contains(addr, "%x") {
						addr = fmt.Sprintf(addr, i)
					}
					list = append(list, f.unconnected(t, strings.ReplaceAll(addr, "%%", "%")))
				}
				for _, addr := range tc.and {
					list = append(list, f.unconnected(t, addr))
				}
				for _, p := range list {
					if !f.o.Strangers.add(p) {
						t.Fatalf("%s was refused", p.addr)
					}
				}
				if tc.pairing {
					f.hold.take(list[0])
				}
				time.Sleep(tc.after)
				if ok := f.o.Strangers.add(f.unconnected(t, tc.comes)); ok != (tc.want >= 0) {
					t.Errorf("the new one was accepted: %t", ok)
				}
				if got := slices.IndexFunc(list, func(p *peer) bool { return p.ctx.Err() != nil }); got != tc.want {
					t.Errorf("connection %d was closed, want %d", got, tc.want)
				}
			})
		})
	}
}

// Strangers and controllers have limits of their own.
func TestStrangersLeaveRoom(t *testing.T) {
	t.Parallel()
	f := newPaired(t, quiet).start(t)
	var strangers []*controller
	for range maxStrangers + 4 {
		c := f.stranger(t)
		c.must(t, "GET", "/accessories", nil) // the order of arrival is certain
		strangers = append(strangers, c)
	}
	for _, c := range strangers[:4] {
		c.gone(t)
	}
	for range maxVerified {
		f.connect(t, nil)
	}
	if a := strangers[maxStrangers].must(t, "GET", "/accessories", nil); a.status != 470 {
		t.Errorf("a stranger: %d", a.status)
	}
	if i := f.Stats(); i.Verified != maxVerified || i.Connections < maxVerified+4 || i.Refused < 4 {
		t.Errorf("%d of %d are verified, %d refused", i.Verified, i.Connections, i.Refused)
	}
}

// The connection that a controller used last stays, and so does the only one of
// another controller.
func TestStalestConnectionGivesWay(t *testing.T) {
	t.Parallel()
	f := newPaired(t, quiet).start(t)
	guest := newController("guest")
	first := f.connect(t, nil)
	first.add(t, guest, false)
	guests := f.connect(t, guest)
	stalest := f.connect(t, nil)
	for range maxVerified - 3 {
		f.connect(t, nil)
	}
	for _, c := range []*controller{first, guests} {
		c.must(t, "GET", "/characteristics?id=1.13", nil)
	}
	f.connect(t, guest)
	stalest.gone(t)
	for _, c := range []*controller{first, guests} {
		c.must(t, "GET", "/characteristics?id=1.13", nil)
	}
}

// hap v0.0.35 kept every connection for ever: 26 ms for one change of a value
// after 21,500 of them. Not parallel, so that memory and goroutines are this
// test's own.
func TestConnectionsAreForgotten(t *testing.T) {
	f := newPaired(t).start(t)
	flood := func(n int) {
		for i := range n {
			if i%20 == 19 { // and so the last: once it is served, all have been accepted
				c := f.admin.again().use(f.dial()) // not by connect: its clean-up would remember the connection
				if err := c.verify(f.records.load()); err != nil {
					t.Fatal(err)
				}
				c.subscribe(t, iidActive).conn.Close()
				continue
			}
			conn := f.dial()
			if _, err := conn.Write([]byte("GET /accessories HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			conn.Close()
		}
		f.waitConnections(t, 0)
	}
	flood(100)
	before, goroutines := heap(), runtime.NumGoroutine()
	flood(1000)
	if after := heap(); after > before+256<<10 {
		t.Errorf("the heap has grown from %d to %d bytes", before, after)
	}
	if n := runtime.NumGoroutine(); n > goroutines+2 { // one may be on its way out
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := len(f.peers.all()); n != 0 {
		t.Errorf("%d connections are remembered", n)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAddrOf(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]net.Addr{
		"192.0.2.1":    &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1},
		"192.0.2.2":    &net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.2"), Port: 1},
		"fe80::1%eth0": &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 1, Zone: "eth0"},
		"invalid IP":   pipeAddr{},
	} {
		if got := addrOf(a); got.String() != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
