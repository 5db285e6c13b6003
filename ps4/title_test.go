package ps4_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

const (
	title = "CUSA00127"
	other = "CUSA00129"
)

// startAfter returns a handler that starts the title some time after a packet.
func startAfter(d time.Duration, when func(p wire.Packet) bool) func(*fake, *line, wire.Packet) bool {
	return func(f *fake, _ *line, p wire.Packet) bool {
		if when(p) {
			time.AfterFunc(d, func() { f.change(func() { f.reply.TitleID = title }) })
		}
		return false
	}
}

func isBoot(p wire.Packet) bool { return p.Type == wire.TypeBoot }

func isEnter(p wire.Packet) bool {
	r, err := wire.UnmarshalRemote(p)
	return err == nil && r.Operation == wire.OpEnter
}

func TestStartTitle(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.onTCP = startAfter(4*time.Second, isBoot)
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		f.take()
		start := time.Now()
		ok(t, s.StartTitle(ctx, " cusa00127 ", nil))
		if took := time.Since(start); took < 4*time.Second || took > 5200*time.Millisecond {
			t.Errorf("confirmed after %v, the title ran after 4s", took)
		}
		same(t, f.takeTCP(), "0s boot CUSA00127")
	})
}

// A Watch and StartTitle share the limited number of queries
// (docs/protocol.md §1), and StartTitle still notices the title soon.
func TestStartTitleBesideAWatch(t *testing.T) {
	for late := range time.Duration(10) {
		runs := 4*time.Second + late*100*time.Millisecond
		t.Run(runs.String(), func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				f.onTCP = startAfter(runs, isBoot)
				c := f.console(f.options())
				watching, stop := context.WithCancel(ctx)
				told := f.watch(watching, c, &ps4.WatchOptions{Interval: 500 * time.Millisecond})
				s, err := c.Open(ctx)
				ok(t, err)
				defer s.Close()
				time.Sleep(settle)
				start := time.Now()
				ok(t, s.StartTitle(ctx, title, nil))
				if took := time.Since(start); took < runs || took > runs+1200*time.Millisecond {
					t.Errorf("confirmed after %v", took)
				}
				stop()
				<-told.done
			})
		})
	}
}

func TestStartTitleThatRuns(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.TitleID = title
		s := f.open(ctx)
		defer s.Close()
		synctest.Wait()
		f.take()
		ok(t, s.StartTitle(ctx, title, nil))
		same(t, f.take(), "0s SRCH")
	})
}

func TestStartTitleOverAnother(t *testing.T) {
	for name, result := range map[string]uint32{"12": 12, "31": 31} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				f.reply.TitleID = other
				f.result[wire.TypeBootResult] = result
				f.onTCP = startAfter(time.Second, isEnter)
				s := f.open(ctx)
				defer s.Close()
				time.Sleep(settle)
				f.take()
				ok(t, s.StartTitle(ctx, title, nil))
				same(t, f.takeTCP(),
					"0s remote open_rc 0", "200ms remote ps 0", "200ms remote key_off 0",
					"1.2s remote close_rc 0", "1.4s boot CUSA00127",
					"1.4s remote open_rc 0", "1.6s remote enter 0", "1.6s remote key_off 0")
			})
		})
	}
}

func TestStartTitleOverAnotherWithoutDialogue(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.TitleID = other
		f.onTCP = startAfter(time.Second, isBoot)
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		f.take()
		ok(t, s.StartTitle(ctx, title, nil))
		same(t, f.takeTCP(), "0s remote open_rc 0", "200ms remote ps 0", "200ms remote key_off 0",
			"1.2s remote close_rc 0", "1.4s boot CUSA00127")
	})
}

func TestNoSuchTitleNeverPressesEnter(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.result[wire.TypeBootResult] = 12
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		f.take()
		err := s.StartTitle(ctx, title, nil)
		wantErr(t, err, ps4.ErrNoSuchTitle)
		wantErr(t, err, ps4.ErrTitleUnavailable)
		time.Sleep(time.Minute)
		same(t, f.takeTCP(), "0s boot CUSA00127")
	})
}

func TestNoQuit(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.reply.TitleID = other
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		f.take()
		wantErr(t, s.StartTitle(ctx, title, &ps4.StartOptions{NoQuit: true}), ps4.ErrTitleRunning)
		same(t, f.takeTCP())
	})
}

func TestStartIsNotConfirmed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		start := time.Now()
		wantErr(t, s.StartTitle(ctx, title, nil), ps4.ErrNotConfirmed)
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestKeysWhileATitleStarts(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.onTCP = startAfter(10*time.Second, isBoot)
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		done := make(chan error, 1)
		go func() { done <- s.StartTitle(ctx, title, nil) }()
		time.Sleep(time.Second)
		f.take()
		ok(t, s.Press(ctx, ps4.Up))
		synctest.Wait()
		same(t, f.takeTCP(), "0s remote open_rc 0", "200ms remote up 0", "200ms remote key_off 0")
		ok(t, <-done)
	})
}

func TestStartTitleFails(t *testing.T) {
	tests := map[string]struct {
		id     string
		change func(f *fake)
		want   error
	}{
		"id too short":   {"CUSA0012", func(*fake) {}, ps4.ErrTitleIDFormat},
		"id too long":    {"CUSA001277", func(*fake) {}, ps4.ErrTitleIDFormat},
		"id of digits":   {"000000127", func(*fake) {}, ps4.ErrTitleIDFormat},
		"id not ASCII":   {"CUSÄ0127", func(*fake) {}, ps4.ErrTitleIDFormat},
		"id of a long s": {"CU\u017fA00127", func(*fake) {}, ps4.ErrTitleIDFormat}, // its upper case is S
		"downloading":    {title, func(f *fake) { f.result[wire.TypeBootResult] = 13 }, ps4.ErrDownloading},
		"31 over none":   {title, func(f *fake) { f.result[wire.TypeBootResult] = 31 }, ps4.ErrOtherTitleActive},
		"rest mode":      {title, func(f *fake) { f.reply.Code = ddp.CodeStandby }, ps4.ErrStandby},
		"deaf":           {title, func(f *fake) { f.deaf = true }, ps4.ErrUnreachable},
		"unknown result": {title, func(f *fake) { f.result[wire.TypeBootResult] = 4711 }, ps4.ResultError(4711)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				s := f.open(ctx)
				defer s.Close()
				f.change(func() { test.change(f) })
				wantErr(t, s.StartTitle(ctx, test.id, nil), test.want)
			})
		})
	}
}

func TestStartTitleEndsWithContext(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(5*time.Second, cancel)
		wantErr(t, s.StartTitle(ctx, title, nil), context.Canceled)
	})
}
