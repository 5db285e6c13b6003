package ps4_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// A console that floods a session with packets does not make it use more memory.
func TestFloodingConsoleTakesNoMemory(t *testing.T) { // not parallel: it measures the heap
	const packets, allowed = 50_000, 256 << 10
	testKey()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.onTCP = func(_ *fake, _ *line, p wire.Packet) bool { return p.Type == wire.TypeStatus }
		s := f.open(t.Context())
		defer s.Close()
		flood := func(n int) {
			for range n {
				f.line.send(wire.Word{Type: wire.TypeHeartbeat, Value: 1})
				f.line.send(wire.Word{Type: 99, Value: 1})
				f.line.send(wire.Word{Type: wire.TypeBootResult, Value: 1})
				f.line.send(wire.NewKeyboardText("unsolicited text"))
			}
			synctest.Wait()
			f.change(func() { f.log = nil })
		}
		flood(1000)
		before := heap()
		flood(packets / 4)
		if after := heap(); after > before+allowed {
			t.Errorf("%d packets took %d kB", packets, (after-before)>>10)
		}
		ok(t, s.Err())
	})
}

// heap returns the bytes in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A machine that answers a search as thousands of consoles fills no memory.
func TestSearchKeepsABoundedNumber(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		const each, kept = 50, 1024
		pretended := 0
		f.onDDP = func(f *fake, _ ddp.Request) {
			f.raw = nil
			for range each {
				pretended++
				f.raw = append(f.raw, fmt.Sprintf("HTTP/1.1 200 Ok\nhost-id:0A%010X\n", pretended))
			}
		}
		o := f.options()
		o.Broadcast = []netip.AddrPort{testAddr}
		found, err := discover(ctx, time.Minute, o)
		ok(t, err)
		if len(found) != kept || pretended < 2*kept {
			t.Errorf("%d of %d consoles were kept, want %d", len(found), pretended, kept)
		}
	})
}
