package ps4_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// discover searches once, on a new network.
func discover(ctx context.Context, wait time.Duration, o *ps4.Options) ([]ps4.Status, error) {
	if o.LocalPort == 0 {
		o.LocalPort = ps4.AnyPort
	}
	network, err := ps4.Listen(ctx, o)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	return network.Discover(ctx, wait)
}

func TestDiscoverOnOneAddress(t *testing.T) {
	t.Parallel()
	// The consoles share 127.0.0.1, and each reply comes from a fresh port.
	o := &ps4.Options{}
	want := map[string]netip.AddrPort{}
	for _, id := range []string{"A0B1C2D3E4F3", "A0B1C2D3E4F1", "A0B1C2D3E4F2"} {
		c := ps4test.Start(t, ps4test.Config{HostID: id, Timing: ps4test.FastTiming()})
		o.Broadcast = append(o.Broadcast, c.Addr())
		want[id] = c.Addr()
	}
	found, err := discover(t.Context(), 300*time.Millisecond, o)
	ok(t, err)
	var ids []string
	for _, s := range found {
		ids = append(ids, s.HostID)
		if s.Addr != want[s.HostID] || s.State != ps4.StateAwake || s.HostType != ps4.TypePS4 {
			t.Errorf("found %+v, want it at %v", s, want[s.HostID])
		}
	}
	same(t, ids, "A0B1C2D3E4F1", "A0B1C2D3E4F2", "A0B1C2D3E4F3")
}

func TestDiscoverSearchesEachSecond(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		o.Broadcast = []netip.AddrPort{testAddr}
		f.deaf = true
		time.AfterFunc(1500*time.Millisecond, func() { f.change(func() { f.deaf = false }) })
		found, err := discover(ctx, 2500*time.Millisecond, o)
		ok(t, err)
		if len(found) != 1 || found[0].HostID != hostID || time.Since(f.start) != 2500*time.Millisecond {
			t.Errorf("found %+v after %v", found, time.Since(f.start))
		}
		same(t, f.take(), "0s SRCH", "1s SRCH", "2s SRCH")
	})
}

func TestDiscoverKeepsTheLatest(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		o.Broadcast = []netip.AddrPort{netip.AddrPortFrom(testAddr.Addr(), 0)}
		time.AfterFunc(500*time.Millisecond, func() { f.change(func() { f.reply.TitleID = title }) })
		found, err := discover(ctx, 2*time.Second, o)
		ok(t, err)
		if len(found) != 1 || found[0].TitleID != title || found[0].Addr != testAddr {
			t.Errorf("found %+v", found)
		}
	})
}

func TestDiscoverDropsFakesAndGarbage(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.HostID = "1234567890AB" // the id of programs that capture a credential
		f.raw = []string{"\xff\xfe", "HTTP/1.1 200 Ok\n", "SRCH * HTTP/1.1\n"}
		o := f.options()
		o.Broadcast = []netip.AddrPort{testAddr}
		found, err := discover(ctx, 500*time.Millisecond, o)
		ok(t, err)
		if len(found) != 0 || o.Counters.DDPDropped.Load() != 4 || o.Counters.DDPSent.Load() != 1 {
			t.Errorf("found %+v, %d dropped, %d sent", found, o.Counters.DDPDropped.Load(), o.Counters.DDPSent.Load())
		}
	})
}

func TestDiscoverEndsWithContext(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		o.Broadcast = []netip.AddrPort{testAddr}
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second/2, cancel)
		found, err := discover(ctx, time.Hour, o)
		wantErr(t, err, context.Canceled)
		synctest.Wait()
		if len(found) != 1 {
			t.Errorf("the consoles found before the end are lost: %+v", found)
		}
	})
}

func TestDiscoverWithoutANetwork(t *testing.T) {
	t.Parallel()
	_, err := discover(t.Context(), time.Second, &ps4.Options{Interfaces: []string{"none such"}})
	if err == nil {
		t.Error("no error without a network")
	}
}

func TestStatusOfSeveralOnOneAddress(t *testing.T) {
	t.Parallel()
	consoles := []*ps4test.Console{
		ps4test.Start(t, ps4test.Config{Timing: ps4test.FastTiming()}),
		ps4test.Start(t, ps4test.Config{Timing: ps4test.FastTiming(), Standby: true}),
	}
	for range 20 {
		for _, c := range consoles {
			s, err := ps4.NewConsole(c.Addr(), ps4.Credential{}, nil).Status(t.Context())
			ok(t, err)
			if s.HostID != c.HostID() || s.State != c.State() || s.Addr != c.Addr() {
				t.Errorf("status of %v: %+v", c.Addr(), s)
			}
		}
	}
}
