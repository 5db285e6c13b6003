package hapserver

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Two strangers that keep opening and dropping connections do not keep a
// controller out that takes 50 ms between M1 and M3.
func TestFloodLetsControllersIn(t *testing.T) {
	t.Parallel()
	const attempts, atOnce = 48, 8
	f := newPaired(t, quiet).start(t)
	stop := f.flood("127.0.0.2", "127.0.0.3")
	defer stop()
	var verified atomic.Int32
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for range attempts / atOnce {
				if f.verifySlowly(50*time.Millisecond) == nil {
					verified.Add(1)
				}
			}
		})
	}
	group.Wait()
	opened := stop()
	t.Logf("%d of %d verifications succeeded during %d connections of strangers", verified.Load(), attempts, opened)
	if verified.Load() < attempts-1 {
		t.Errorf("%d of %d verifications succeeded", verified.Load(), attempts)
	}
}

// verifySlowly runs pair-verify on a new connection and pauses before M3.
func (f *fixture) verifySlowly(pause time.Duration) error {
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	c := f.admin.again().use(conn)
	m3, _, err := c.verifyStart(f.records.load())
	if err != nil {
		return err
	}
	time.Sleep(pause) // real time: the flood comes over real connections
	_, err = c.exchange("/pair-verify", m3, 4)
	return err
}

// flood opens connections from each host, and drops the oldest of 100, until
// stop, which returns how many there were.
func (f *fixture) flood(hosts ...string) (stop func() int64) {
	var opened atomic.Int64
	var group sync.WaitGroup
	done := make(chan struct{})
	for _, host := range hosts {
		group.Go(func() {
			var open []net.Conn
			defer func() {
				for _, conn := range open {
					conn.Close()
				}
			}()
			for {
				select {
				case <-done:
					return
				default:
				}
				conn, err := f.dialFrom(host)
				if err != nil {
					continue
				}
				opened.Add(1)
				if open = append(open, conn); len(open) > 100 {
					open[0].Close()
					open = open[1:]
				}
			}
		})
	}
	return sync.OnceValue(func() int64 {
		close(done)
		group.Wait()
		return opened.Load()
	})
}

// A controller that leaves its connections open is not refused another one.
func TestControllerLeavesConnectionsOpen(t *testing.T) {
	t.Parallel()
	f := newPaired(t, quiet).start(t)
	var open []*controller
	for range 70 {
		open = append(open, f.connect(t, nil))
	}
	open[0].gone(t)
	if a := open[69].must(t, "GET", "/characteristics?id=1.13", nil); a.status != 200 {
		t.Errorf("the last connection: %d", a.status)
	}
}

// Strangers share one limit in all servers of a process. Not parallel, so that
// the memory is this test's own.
func TestStrangersMemory(t *testing.T) {
	const servers, strangers, limit = 10, 600, 12 << 20
	shared := &Strangers{}
	var fs []*fixture
	for range servers {
		fs = append(fs, newUnpaired(t, quiet, func(o *Options) { o.Strangers = shared }).start(t))
	}
	header := []byte("POST /pair-setup HTTP/1.1\r\nHost: x\r\n")
	for i := 0; len(header) < 16000; i++ {
		header = fmt.Appendf(header, "X%d:\r\n", i)
	}
	allowed := []byte("POST /pair-setup HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n" + strings.Repeat("X-Padding: "+strings.Repeat("y", 100)+"\r\n", 58) + "\r\n")
	for name, sent := range map[string][]byte{
		"16 kB of header lines":  header,
		"one header line, 16 kB": append([]byte("GET /"), bytes.Repeat([]byte{'x'}, 16000)...),
		"all that is allowed":    append(allowed, make([]byte, 3999)...),
	} {
		before := inUse()
		var conns []net.Conn
		for i := range strangers {
			conn, err := fs[i%servers].dialFrom([]string{"127.0.0.2", "127.0.0.3", "127.0.0.4"}[i%3])
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write(sent) // the server may have closed it already
			conns = append(conns, conn)
		}
		grown, open := settledMemory(before), 0
		for _, f := range fs {
			open += f.Stats().Connections
		}
		t.Logf("%s: %d strangers cost %d kB, %d of them are connected", name, strangers, grown>>10, open)
		if grown > limit {
			t.Errorf("%s: %d strangers cost %d kB", name, strangers, grown>>10)
		}
		for _, conn := range conns {
			conn.Close()
		}
		for _, f := range fs {
			f.waitConnections(t, 0)
		}
	}
}

// settledMemory returns how much more memory is in use than before, at its
// highest, once it has stopped growing.
func settledMemory(before int64) (grown int64) {
	for still := 0; still < 10; still++ {
		time.Sleep(20 * time.Millisecond) // real time: the requests come over real connections
		if now := inUse() - before; now > grown {
			grown, still = now, 0
		}
	}
	return grown
}

// inUse returns the bytes of heap and stacks.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
