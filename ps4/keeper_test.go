package ps4_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

func press(b ps4.Button) func(context.Context, *ps4.Session) error {
	return func(ctx context.Context, s *ps4.Session) error { return s.Press(ctx, b) }
}

func TestKeeperHoldsOneSession(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		for range 3 {
			ok(t, k.Do(ctx, press(ps4.Up)))
			time.Sleep(59 * time.Second)
		}
		if f.dials != 1 {
			t.Errorf("%d sessions opened", f.dials)
		}
		f.take()
		time.Sleep(time.Second)
		synctest.Wait()
		same(t, f.take(), "1s bye") // a minute after the last use
		ok(t, k.Do(ctx, press(ps4.Up)))
		if f.dials != 2 {
			t.Errorf("%d sessions opened", f.dials)
		}
	})
}

func TestKeeperDoesNotCloseWhileUsed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		o.Idle = 10 * time.Second
		k := ps4.NewKeeper(f.console(o))
		defer k.Close()
		ok(t, k.Do(ctx, func(ctx context.Context, s *ps4.Session) error {
			time.Sleep(time.Minute)
			return s.Err()
		}))
	})
}

func TestKeeperOpensAgainAfterALoss(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		ok(t, k.Do(ctx, press(ps4.Up)))
		f.line.hangUp()
		synctest.Wait()
		ok(t, k.Do(ctx, press(ps4.Up)))
		ok(t, k.Do(ctx, func(ctx context.Context, s *ps4.Session) error { return s.Standby(ctx) }))
		ok(t, k.Do(ctx, press(ps4.Up)))
		k.Drop()
		ok(t, k.Do(ctx, press(ps4.Up)))
		if f.dials != 4 {
			t.Errorf("%d sessions opened", f.dials)
		}
	})
}

func TestKeeperShares(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		done := make(chan error, 4)
		for range cap(done) {
			go func() { done <- k.Do(ctx, press(ps4.Up)) }()
		}
		for range cap(done) {
			ok(t, <-done)
		}
		if f.dials != 1 {
			t.Errorf("%d sessions opened", f.dials)
		}
	})
}

func TestKeeperClose(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.onTCP = func(_ *fake, _ *line, p wire.Packet) bool { return p.Type == wire.TypeLogin } // no answer
		k := ps4.NewKeeper(f.console(f.options()))
		failed := make(chan error, 1)
		go func() { failed <- k.Do(ctx, press(ps4.Up)) }()
		time.Sleep(time.Second)
		start := time.Now()
		ok(t, k.Close())
		wantErr(t, <-failed, ps4.ErrClosed)
		if took := time.Since(start); took != 0 {
			t.Errorf("closing took %v while a session was opened", took)
		}
		wantErr(t, k.Do(ctx, press(ps4.Up)), ps4.ErrClosed)
		ok(t, k.Close())
	})
}

func TestKeeperFailsAsOpenDoes(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.result[wire.TypeLoginResult] = 20
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		wantErr(t, k.Do(ctx, press(ps4.Up)), ps4.ErrPINNeeded)
	})
}

// A key that is pressed after the heartbeats have stopped is sent on a new
// session instead of being lost.
func TestKeeperReplacesASessionThatDiedSilently(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		ok(t, k.Do(ctx, press(ps4.Up)))
		for range 4 {
			f.line.send(wire.Word{Type: wire.TypeHeartbeat})
			time.Sleep(2 * time.Second)
		}
		time.Sleep(4 * time.Second) // less than the time limit of a session without heartbeats
		f.take()
		ok(t, k.Do(ctx, press(ps4.Down)))
		if keys := f.takeTCP(); f.dials != 2 || !slices.ContainsFunc(keys, func(s string) bool { return strings.HasSuffix(s, "remote down 0") }) {
			t.Errorf("%d sessions; %q", f.dials, keys)
		}
	})
}

// A key is sent again on a new session if the console resets the first one.
func TestKeeperSendsAKeyOnceMore(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		ok(t, k.Do(ctx, press(ps4.Up)))
		time.Sleep(10 * time.Second)
		f.take()
		first := f.line
		f.onTCP = func(_ *fake, l *line, _ wire.Packet) bool {
			if l == first {
				l.hangUp()
			}
			return l == first
		}
		ok(t, k.Do(ctx, press(ps4.Down)))
		downs := 0
		for _, packet := range f.takeTCP() {
			if strings.HasSuffix(packet, "remote down 0") {
				downs++
			}
		}
		if f.dials != 2 || downs != 1 {
			t.Errorf("%d sessions, %d keys", f.dials, downs)
		}
	})
}

func TestKeeperState(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		k := ps4.NewKeeper(f.console(f.options()))
		defer k.Close()
		is := func(open, keyboard bool) {
			t.Helper()
			synctest.Wait()
			select {
			case <-k.Changed():
			default:
				t.Error("Changed has not fired")
			}
			if o, kb := k.State(); o != open || kb != keyboard {
				t.Errorf("session open: %v, keyboard: %v", o, kb)
			}
		}
		ok(t, k.Do(ctx, press(ps4.Up)))
		is(true, false)
		f.line.send(wire.Word{Type: wire.TypeHeartbeat, Value: wire.HeartbeatKeyboard})
		is(true, true)
		f.line.hangUp()
		is(false, false)
	})
}
