package hapserver

import (
	"net"
	"runtime"
	"testing"
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

// Strangers that fill the caps cannot keep controllers out: the oldest of them
// gives way.
func TestFullCapLetsControllersIn(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]Limits{
		"total":       {Connections: 8, PerAddress: 100},
		"per address": {Connections: 100, PerAddress: 8},
		"too low":     {Connections: 1, PerAddress: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newPaired(t, func(o *Options) { o.Limits = limits }).start(t)
			var strangers []*controller
			for range 12 {
				c := f.stranger(t)
				c.must(t, "GET", "/accessories", nil) // the order of arrival is certain
				strangers = append(strangers, c)
			}
			for _, c := range strangers[:4] {
				c.gone(t)
			}
			if a := strangers[4].must(t, "GET", "/accessories", nil); a.status != 470 {
				t.Errorf("the fifth: %d", a.status)
			}
			var controllers []*controller
			for range 8 {
				controllers = append(controllers, f.connect(t, nil))
			}
			for i, c := range controllers {
				if a := c.must(t, "GET", "/characteristics?id=1.13", nil); a.status != 200 {
					t.Errorf("controller %d: %d", i, a.status)
				}
			}
			f.stranger(t).gone(t) // verified ones never give way
			if i := f.Stats(); i.Verified != 8 || i.Connections != 8 || i.Refused != 13 {
				t.Errorf("%d of %d are verified, %d refused", i.Verified, i.Connections, i.Refused)
			}
		})
	}
}

// The connection that is pairing gives way last.
func TestFullCapSparesPairing(t *testing.T) {
	t.Parallel()
	f := newUnpaired(t, func(o *Options) { o.Limits = Limits{Connections: 8, PerAddress: 8} }).start(t)
	c := f.stranger(t)
	key, err := c.proof(testCode)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		f.stranger(t).must(t, "GET", "/accessories", nil)
	}
	if _, err := c.exchange("/pair-setup", c.m5(key), 6); err != nil {
		t.Error(err)
	}
}

// hap v0.0.35 kept every connection for ever: 26 ms for one change of a value
// after 21,500 of them. Not parallel, so that memory and goroutines are this
// test's own.
func TestConnectionsAreForgotten(t *testing.T) {
	f := newPaired(t).start(t)
	flood := func(n int) {
		for i := range n {
			if i%20 == 0 {
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
	flood(many(t, 5000, 1000))
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

func TestHostOf(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]net.Addr{
		"192.0.2.1":    &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1},
		"fe80::1%eth0": &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 1, Zone: "eth0"},
		"pipe":         pipeAddr{},
	} {
		if got := hostOf(a); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
