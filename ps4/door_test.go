package ps4_test

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

func TestDoorIsTriedFiveTimesMore(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.dial = func(int) error { return refuse() }
		_, err := f.console(f.options()).Open(ctx)
		wantErr(t, err, ps4.ErrDoorClosed)
		wantErr(t, err, syscall.ECONNREFUSED)
		const dial = "dial tcp 192.0.2.20:997"
		same(t, f.take(), "0s SRCH",
			"0s LAUNCH", "400ms "+dial,
			"900ms LAUNCH", "1.3s "+dial,
			"2.3s LAUNCH", "2.7s "+dial,
			"3.7s LAUNCH", "4.1s "+dial,
			"5.1s LAUNCH", "5.5s "+dial,
			"6.5s LAUNCH", "6.9s "+dial)
	})
}

func TestDoorOpensLate(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.dial = func(n int) error {
			if n < 4 {
				return refuse()
			}
			return nil
		}
		s := f.open(ctx)
		defer s.Close()
		if f.dials != 4 {
			t.Errorf("%d connections tried", f.dials)
		}
	})
}

func TestDoorIsGivenTimeAfterAWake(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.Code = ddp.CodeStandby
		f.onDDP = func(f *fake, r ddp.Request) {
			if r.Method == ddp.Wakeup {
				f.reply.Code = ddp.CodeAwake
			}
		}
		c := f.console(f.options())
		_, err := c.WakeWait(ctx)
		ok(t, err)
		start := time.Now()
		f.dial = func(int) error {
			if time.Since(start) < 15*time.Second {
				return refuse()
			}
			return nil
		}
		f.take()
		s, err := c.Open(ctx)
		ok(t, err)
		ok(t, s.Close())
		log := f.take()
		same(t, log[:5], "0s SRCH", "0s LAUNCH", "400ms dial tcp 192.0.2.20:997", "1s LAUNCH", "1.4s dial tcp 192.0.2.20:997")
	})
}

func TestDoorIsGivenNoTimeIfTheConsoleWasOn(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		c := f.console(f.options())
		_, err := c.WakeWait(ctx)
		ok(t, err)
		f.dial = func(int) error { return refuse() }
		start := time.Now()
		_, err = c.Open(ctx)
		wantErr(t, err, ps4.ErrDoorClosed)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestResetsMeanAHangingService(t *testing.T) {
	tests := map[string]func(f *fake){
		"at connect": func(f *fake) { f.dial = func(int) error { return fmt.Errorf("dial: %w", syscall.ECONNRESET) } },
		"at login": func(f *fake) {
			f.onTCP = func(_ *fake, l *line, _ wire.Packet) bool { l.hangUp(); return true }
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				change(f)
				o := f.options()
				_, err := f.console(o).Open(ctx)
				wantErr(t, err, ps4.ErrServiceHung)
				if n := o.Counters.Resets.Load(); f.dials != 3 || n != 3 {
					t.Errorf("%d connections tried, %d resets counted", f.dials, n)
				}
			})
		})
	}
}

func TestOpenFails(t *testing.T) {
	tests := map[string]struct {
		change func(f *fake)
		want   error
		dials  int
	}{
		"rest mode":   {func(f *fake) { f.reply.Code = ddp.CodeStandby }, ps4.ErrStandby, 0},
		"deaf":        {func(f *fake) { f.deaf = true }, ps4.ErrUnreachable, 0},
		"PS5":         {func(f *fake) { f.reply.HostType = "PS5" }, ps4.ErrUnsupported, 0},
		"not linked":  {func(f *fake) { f.result[wire.TypeLoginResult] = 20 }, ps4.ErrPINNeeded, 1},
		"passcode":    {func(f *fake) { f.result[wire.TypeLoginResult] = 22 }, ps4.ErrPasscodeNeeded, 1},
		"other app":   {func(f *fake) { f.result[wire.TypeLoginResult] = 17 }, ps4.ErrOtherAppConnected, 1},
		"bad network": {func(f *fake) { f.dial = func(int) error { return errors.New("no route") } }, ps4.ErrDoorClosed, 6},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				test.change(f)
				_, err := f.console(f.options()).Open(ctx)
				wantErr(t, err, test.want)
				if f.dials != test.dials {
					t.Errorf("%d connections tried, want %d", f.dials, test.dials)
				}
				for _, line := range f.take() {
					if strings.Contains(line, ddp.Wakeup) {
						t.Error("Open sent a WAKEUP")
					}
				}
			})
		})
	}
}

func TestOpenWithoutCredential(t *testing.T) {
	t.Parallel()
	c := ps4.NewConsole(testAddr, ps4.Credential{}, nil)
	_, err := c.Open(t.Context())
	wantErr(t, err, ps4.ErrNoCredential)
	wantErr(t, c.Wake(t.Context()), ps4.ErrNoCredential)
	wantErr(t, c.Launch(t.Context()), ps4.ErrNoCredential)
	_, err = c.WakeWait(t.Context())
	wantErr(t, err, ps4.ErrNoCredential)
}

func TestOpenEndsWithContext(t *testing.T) {
	tests := map[string]func(f *fake){
		"while refused": func(f *fake) { f.dial = func(int) error { return refuse() } },
		"while logging in": func(f *fake) {
			f.onTCP = func(_ *fake, _ *line, p wire.Packet) bool { return p.Type == wire.TypeLogin }
		},
		"while asked by DDP": func(f *fake) { f.deaf = true },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				change(f)
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(1100*time.Millisecond, cancel)
				start := time.Now()
				_, err := f.console(f.options()).Open(ctx)
				wantErr(t, err, context.Canceled)
				if took := time.Since(start); took != 1100*time.Millisecond {
					t.Errorf("returned after %v", took)
				}
			})
		})
	}
}

func TestWrongConsoleKey(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		o.ServerKey = nil // the key of real consoles, not that of the fake
		_, err := f.console(o).Open(ctx)
		wantErr(t, err, ps4.ErrServiceHung) // the fake hangs up at each handshake
		var e ps4.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint(), "check the console key") {
			t.Errorf("%v: hint does not mention the console key", err)
		}
		o.ServerKey = &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
		_, err = f.console(o).Open(ctx)
		if err == nil || !strings.Contains(err.Error(), "1024 bits") {
			t.Errorf("error %v for a key of 1024 bits", err)
		}
	})
}

func TestLink(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		pin, err := ps4.ParsePIN("1234 5678")
		ok(t, err)
		pass, err := ps4.ParsePasscode(testPass)
		ok(t, err)
		o := f.options()
		o.AppLabel, o.Model, o.Passcode = "Den's remote", "ps4kit-é23456789", pass
		ok(t, f.console(o).Link(ctx, pin))
		want := wire.Login{
			Passcode: testPass, Credential: testHex, AppLabel: "Den's remote", OSVersion: "4.4",
			Model: "ps4kit-é2345678", PIN: testPIN, // 16 bytes
		}
		if f.login != want {
			t.Errorf("model %q, label %q", f.login.Model, f.login.AppLabel)
		}
		same(t, f.takeTCP(), "400ms dial tcp 192.0.2.20:997", "400ms login", "400ms status", "400ms bye")
		f.result[wire.TypeLoginResult] = 23
		wantErr(t, f.console(o).Link(ctx, pin), ps4.ErrPINWrong)
		wantErr(t, f.console(o).Link(ctx, ps4.PIN{}), ps4.ErrPINFormat)
	})
}

func TestEachConnectionHasItsKey(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		c := f.console(f.options())
		for range 2 {
			s, err := c.Open(ctx)
			ok(t, err)
			ok(t, s.Close())
		}
		synctest.Wait()
		var none [wire.KeySize]byte
		if len(f.keys) != 2 || f.keys[0] == f.keys[1] || f.keys[0] == none || f.keys[1] == none {
			t.Errorf("%d keys, or reused ones", len(f.keys))
		}
	})
}
