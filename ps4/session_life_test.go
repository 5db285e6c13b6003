package ps4_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

func TestHeartbeatsAreAnswered(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		synctest.Wait()
		f.take()
		for range 3 {
			time.Sleep(14 * time.Second)
			f.line.send(wire.Word{Type: wire.TypeHeartbeat, Value: 0xffffffff &^ wire.HeartbeatKeyboard})
		}
		synctest.Wait()
		same(t, f.take(), "14s status", "28s status", "42s status")
		ok(t, s.Err())
	})
}

func TestHeartbeatsDuringAHold(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		f.take()
		go func() {
			time.Sleep(time.Second)
			f.line.send(wire.Word{Type: wire.TypeHeartbeat})
		}()
		ok(t, s.Hold(ctx, ps4.Up, 3*time.Second))
		synctest.Wait()
		same(t, f.take(), "0s remote open_rc 0", "200ms remote up 0", "1s status", "3.2s remote up 3000", "3.2s remote key_off 0")
	})
}

func TestSilenceEndsTheSession(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(time.Hour) // no limit before the first heartbeat
		ok(t, s.Err())
		f.line.send(wire.Word{Type: wire.TypeHeartbeat})
		time.Sleep(15*time.Second - time.Millisecond)
		ok(t, s.Err())
		// Other packets do not extend the limit.
		f.line.send(wire.Word{Type: wire.TypeStandbyResult})
		time.Sleep(time.Millisecond)
		synctest.Wait()
		wantErr(t, s.Err(), ps4.ErrSilent)
		wantErr(t, s.Press(ctx, ps4.Up), ps4.ErrClosed)
		<-s.Done()
	})
}

func TestLostSessionsAreCounted(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		open := func() *ps4.Session {
			s, err := f.console(o).Open(ctx)
			ok(t, err)
			return s
		}
		ok(t, open().Close()) // not lost
		lost := open()
		f.line.hangUp()
		<-lost.Done()
		ok(t, lost.Close())
		if opened, lost := o.Counters.Sessions.Load(), o.Counters.Lost.Load(); opened != 2 || lost != 1 {
			t.Errorf("%d of %d sessions were lost, want 1 of 2", lost, opened)
		}
	})
}

func TestConsoleHangsUp(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		go func() {
			time.Sleep(time.Second)
			f.line.hangUp()
		}()
		<-s.Done()
		wantErr(t, s.Err(), ps4.ErrClosed)
	})
}

func TestConsoleDoesNotHangUpAtBye(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.onTCP = func(_ *fake, _ *line, p wire.Packet) bool { return p.Type == wire.TypeBye }
		s := f.open(ctx)
		start := time.Now()
		ok(t, s.Close())
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("closing took %v", took)
		}
		if err := s.Err(); err != ps4.ErrClosed { //nolint:errorlint // no reason is wrapped
			t.Errorf("Err is %v", err)
		}
	})
}

func TestGarbageEndsTheSession(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		synctest.Wait()
		_, err := f.line.conn.Write(make([]byte, 16)) // decrypts to an invalid length
		ok(t, err)
		<-s.Done()
		wantErr(t, s.Err(), ps4.ErrProtocol)
	})
}

func TestUnknownPacketsAreSkipped(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		o := f.options()
		s, err := f.console(o).Open(ctx)
		ok(t, err)
		defer s.Close()
		f.line.send(wire.Word{Type: 99, Value: 1})
		f.line.send(wire.Word{Type: wire.TypeBootResult, Value: 1})
		f.line.send(wire.NewKeyboardText("unsolicited"))
		synctest.Wait()
		ok(t, s.Err())
		if n := o.Counters.Skipped.Load(); n != 3 {
			t.Errorf("%d packets skipped, want 3", n)
		}
	})
}

func TestLateAnswerIsNotTakenForTheNext(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		var calls int
		f.change(func() {
			f.onTCP = func(_ *fake, l *line, p wire.Packet) bool {
				if p.Type != wire.TypeLogout {
					return false
				}
				calls++
				if calls == 1 {
					time.AfterFunc(5*time.Second, func() { l.send(wire.Word{Type: wire.TypeLogoutResult, Value: 27}) })
				} else {
					l.send(wire.Word{Type: wire.TypeLogoutResult, Value: 28})
				}
				return true
			}
		})
		f.take()
		limited, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		wantErr(t, s.Logout(limited), context.DeadlineExceeded)
		wantErr(t, s.Logout(ctx), ps4.ErrLogoutFailed)
		same(t, f.take(), "0s logout", "5s logout")
	})
}

func TestNoAnswerEndsTheSession(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		f.change(func() { f.onTCP = func(_ *fake, _ *line, p wire.Packet) bool { return p.Type == wire.TypeLogout } })
		start := time.Now()
		err := s.Logout(ctx)
		wantErr(t, err, ps4.ErrSilent)
		wantErr(t, err, ps4.ErrClosed)
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestStandby(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		time.Sleep(settle)
		ok(t, s.Press(ctx, ps4.Up))
		f.take()
		ok(t, s.Standby(ctx))
		synctest.Wait()
		same(t, f.take(), "200ms remote close_rc 0", "400ms standby")
		<-s.Done()
		ok(t, s.Close())
	})
}

func TestStandbyRefused(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.result[wire.TypeStandbyResult] = 25
		s := f.open(ctx)
		defer s.Close()
		err := s.Standby(ctx)
		wantErr(t, err, ps4.ErrStandbyDisabled)
		if errors.Is(err, ps4.ErrUnanswered) {
			t.Errorf("%v is ErrUnanswered", err)
		}
		ok(t, s.Err())
		ok(t, s.Press(ctx, ps4.Up))
	})
}

func TestStandbyWithoutAnswer(t *testing.T) {
	tests := map[string]struct {
		after func(f *fake)
		want  []error // all of them
	}{
		"rest mode": {func(f *fake) { f.reply.Code = ddp.CodeStandby }, nil},
		"silence":   {func(f *fake) { f.deaf = true }, nil},
		"awake":     {func(*fake) {}, []error{ps4.ErrClosed, ps4.ErrUnanswered}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				f.onTCP = func(f *fake, l *line, p wire.Packet) bool {
					if p.Type == wire.TypeStandby {
						test.after(f)
						l.hangUp()
					}
					return false
				}
				s := f.open(ctx)
				defer s.Close()
				err := s.Standby(ctx)
				if test.want == nil {
					ok(t, err)
				}
				for _, want := range test.want {
					wantErr(t, err, want)
				}
			})
		})
	}
}

// The error of a cancelled standby tells whether it was sent.
func TestStandbyCancelled(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.change(func() { f.onTCP = func(_ *fake, _ *line, p wire.Packet) bool { return p.Type == wire.TypeStandby } })
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		ok(t, s.Press(ctx, ps4.Up))
		f.take()
		standby := func(limit time.Duration) error {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			err := s.Standby(limited)
			wantErr(t, err, context.DeadlineExceeded)
			return err
		}
		if err := standby(300 * time.Millisecond); errors.Is(err, ps4.ErrUnanswered) {
			t.Errorf("not sent yet: %v", err)
		}
		same(t, f.take(), "200ms remote close_rc 0")
		wantErr(t, standby(300*time.Millisecond), ps4.ErrUnanswered)
		same(t, f.take(), "100ms standby")
		if err := standby(300 * time.Millisecond); errors.Is(err, ps4.ErrUnanswered) {
			t.Errorf("nothing sent while the first answer is pending: %v", err)
		}
		same(t, f.take())
	})
}
