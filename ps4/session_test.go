package ps4_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// inBubble runs a test with a fake console in a synctest bubble.
func inBubble(t *testing.T, test func(ctx context.Context, t *testing.T, f *fake)) {
	t.Helper()
	t.Parallel()
	testKey()
	synctest.Test(t, func(t *testing.T) { test(t.Context(), t, newFake(t)) })
}

// same fails the test unless got equals want.
func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%q\nwant\n\t%q", got, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

// settle is longer than every pause of the protocol, but leaves remote control
// open.
const settle = 2 * time.Second

func TestOpenSequence(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		synctest.Wait()
		same(t, f.take(), "0s SRCH", "0s LAUNCH", "400ms dial tcp 192.0.2.20:997", "400ms login", "400ms status")
		want := wire.Login{Credential: testHex, AppLabel: "ps4kit", OSVersion: "4.4", Model: "ps4kit"}
		if f.login != want {
			t.Error("unexpected login")
		}
		ok(t, s.Close())
		same(t, f.take(), "0s bye")
	})
}

func TestFirstKeyWaitsForTheConsole(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		f.take() // restart the clock
		ok(t, s.Press(ctx, ps4.Up))
		synctest.Wait()
		same(t, f.take(), "1.5s remote open_rc 0", "1.7s remote up 0", "1.7s remote key_off 0")
	})
}

func TestWarmKeyLeavesAtOnce(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		ok(t, s.Press(ctx, ps4.Up))
		time.Sleep(settle)
		f.take()
		ok(t, s.Press(ctx, ps4.Left))
		synctest.Wait()
		same(t, f.take(), "0s remote left 0", "0s remote key_off 0")
	})
}

func TestKeysKeepTheirPauses(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		f.take()
		ok(t, s.Keys(ctx, ps4.Key{Button: ps4.Enter}, ps4.Key{Button: ps4.PS}, ps4.Key{Button: ps4.Back}))
		synctest.Wait()
		same(t, f.take(),
			"1.5s remote open_rc 0",
			"1.7s remote enter 0", "1.7s remote key_off 0",
			"1.9s remote ps 0", "1.9s remote key_off 0",
			"2.9s remote back 0", "2.9s remote key_off 0")
	})
}

func TestHold(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		f.take()
		ok(t, s.Hold(ctx, ps4.Down, 700*time.Millisecond))
		ok(t, s.Press(ctx, ps4.PSHold))
		ok(t, s.Press(ctx, ps4.Cancel))
		synctest.Wait()
		same(t, f.take(),
			"1.5s remote open_rc 0",
			"1.7s remote down 0", "2.4s remote down 700", "2.4s remote key_off 0",
			"2.6s remote ps 0", "4.6s remote ps 2000", // no KEY_OFF
			"5.6s remote cancel 0", "5.6s remote key_off 0")
	})
}

func TestHoldIsReleasedWhenInterrupted(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		f.take()
		limited, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		wantErr(t, s.Hold(limited, ps4.Down, 10*time.Second), context.DeadlineExceeded)
		synctest.Wait()
		same(t, f.take(),
			"1.5s remote open_rc 0", "1.7s remote down 0", "2s remote down 300", "2s remote key_off 0")
	})
}

func TestIdleRemoteIsClosed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(2 * time.Second)
		f.take()
		ok(t, s.Press(ctx, ps4.Up))
		time.Sleep(2900 * time.Millisecond)
		ok(t, s.Press(ctx, ps4.Up))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		ok(t, s.Press(ctx, ps4.Up)) // must wait 200 ms after CLOSE_RC
		synctest.Wait()
		same(t, f.take(),
			"0s remote open_rc 0",
			"200ms remote up 0", "200ms remote key_off 0",
			"3.1s remote up 0", "3.1s remote key_off 0",
			"6.1s remote close_rc 0",
			"6.3s remote open_rc 0",
			"6.5s remote up 0", "6.5s remote key_off 0")
	})
}

func TestCloseEndsTheRemoteFirst(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		time.Sleep(settle)
		ok(t, s.Press(ctx, ps4.PS))
		f.take()
		ok(t, s.Close())
		same(t, f.take(), "1s remote close_rc 0", "1.2s bye")
		if err := s.Err(); !errors.Is(err, ps4.ErrClosed) {
			t.Errorf("Err is %v", err)
		}
		wantErr(t, s.Press(ctx, ps4.Up), ps4.ErrClosed)
		ok(t, s.Close())
	})
}

func TestCloseInterruptsTheCommand(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		time.Sleep(settle)
		failed := make(chan error, 1)
		go func() { failed <- s.Hold(ctx, ps4.Up, time.Minute) }()
		time.Sleep(time.Second)
		f.take()
		ok(t, s.Close())
		wantErr(t, <-failed, ps4.ErrClosed)
		same(t, f.take(), "0s remote up 800", "0s remote key_off 0", "200ms remote close_rc 0", "400ms bye")
	})
}

func TestCommandsDoNotMix(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		f.take()
		done := make(chan error, 2)
		go func() { done <- s.Keys(ctx, ps4.Key{Button: ps4.Up}, ps4.Key{Button: ps4.Up}) }()
		synctest.Wait()
		go func() { done <- s.Press(ctx, ps4.Down) }()
		ok(t, <-done)
		ok(t, <-done)
		synctest.Wait()
		same(t, f.take(), "0s remote open_rc 0",
			"200ms remote up 0", "200ms remote key_off 0", "400ms remote up 0", "400ms remote key_off 0",
			"600ms remote down 0", "600ms remote key_off 0")
	})
}

func TestWaitingForTheTurnEndsWithContext(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		go s.Hold(ctx, ps4.Up, 10*time.Second)
		synctest.Wait()
		f.take()
		limited, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		wantErr(t, s.Press(limited, ps4.Down), context.DeadlineExceeded)
		same(t, f.take())
	})
}

func TestBadKeysSendNothing(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		synctest.Wait()
		f.take()
		for _, bad := range []ps4.Key{
			{}, {Button: 99}, {Button: ps4.Up, Hold: -1 * time.Second}, {Button: ps4.Up, Hold: time.Hour}, {Button: ps4.Touchpad},
		} {
			err := s.Keys(ctx, ps4.Key{Button: ps4.Up}, bad)
			wantErr(t, err, ps4.ErrButton)
			if e, ok := errors.AsType[ps4.Error](err); !ok || strings.Contains(e.Hint(), "link the console") != (bad.Button == ps4.Touchpad) {
				t.Errorf("%v: its hint is that of %v", bad, e)
			}
		}
		same(t, f.take())
	})
}

func TestSwitchUser(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		o.SwitchUser = true
		s, err := f.console(o).Open(ctx)
		ok(t, err)
		defer s.Close()
		synctest.Wait()
		same(t, f.takeTCP(), "400ms dial tcp 192.0.2.20:997", "400ms login", "400ms status",
			"1.9s remote open_rc 0", "2.1s remote ps 0", "2.1s remote key_off 0")
	})
}
