package ps4_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

func TestKeyboard(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		time.Sleep(settle)
		f.take()
		k, err := s.Keyboard(ctx)
		ok(t, err)
		if k.Text() != "abc" || k.MaxLength() != 10 {
			t.Errorf("text %q, at most %d", k.Text(), k.MaxLength())
		}
		ok(t, k.SetText(ctx, "a😀")) // three UTF-16 units
		ok(t, k.SetText(ctx, ""))
		wantErr(t, k.SetText(ctx, "12345678😀😀"), ps4.ErrTextTooLong)
		ok(t, k.Submit(ctx))
		wantErr(t, k.Submit(ctx), ps4.ErrKeyboardClosed)
		wantErr(t, k.SetText(ctx, "x"), ps4.ErrKeyboardClosed)
		ok(t, k.Close(ctx))
		synctest.Wait()
		same(t, f.take(), "0s keyboard start", `0s text "a😀" caret 3`, `0s text "" caret 0`, "0s keyboard control 0")
	})
}

func TestKeyboardClose(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		k, err := s.Keyboard(ctx)
		ok(t, err)
		synctest.Wait()
		f.take()
		ok(t, k.Close(ctx))
		ok(t, k.Close(ctx))
		synctest.Wait()
		same(t, f.take(), "0s keyboard control 1")
	})
}

func TestNoKeyboard(t *testing.T) {
	for result, want := range map[uint32]error{15: ps4.ErrKeyboardClosed, 19: ps4.ErrKeyboardOtherUser} {
		t.Run(want.Error(), func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
				f.result[wire.TypeKeyboardStarted] = result
				s := f.open(ctx)
				defer s.Close()
				_, err := s.Keyboard(ctx)
				wantErr(t, err, want)
				ok(t, s.Err())
			})
		})
	}
}

func TestKeyboardOnTheTV(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		k, err := s.Keyboard(ctx)
		ok(t, err)
		f.line.send(wire.KeyboardText{Caret: 9999, EditLength: 9999, Text: "typed"})
		f.line.send(wire.Word{Type: wire.TypeHeartbeat, Value: wire.HeartbeatKeyboard})
		synctest.Wait()
		if k.Text() != "typed" || !s.KeyboardOpen() {
			t.Errorf("text %q, open %v", k.Text(), s.KeyboardOpen())
		}
		<-s.KeyboardChanged()
		f.line.send(wire.Word{Type: wire.TypeHeartbeat})
		synctest.Wait()
		if s.KeyboardOpen() {
			t.Error("still open")
		}
		<-s.KeyboardChanged()
		f.line.send(wire.Word{Type: wire.TypeHeartbeat})
		synctest.Wait()
		select {
		case <-s.KeyboardChanged():
			t.Error("KeyboardChanged fired without a change")
		default:
		}
		wantErr(t, k.SetText(ctx, "x"), ps4.ErrKeyboardClosed)
	})
}

func TestKeyboardClosedByTheConsole(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		k, err := s.Keyboard(ctx)
		ok(t, err)
		f.line.send(wire.Word{Type: wire.TypeKeyboardControl, Value: wire.KeyboardClose})
		synctest.Wait()
		wantErr(t, k.Submit(ctx), ps4.ErrKeyboardClosed)
	})
}

func TestSecondKeyboardReplacesTheFirst(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		s := f.open(ctx)
		defer s.Close()
		first, err := s.Keyboard(ctx)
		ok(t, err)
		second, err := s.Keyboard(ctx)
		ok(t, err)
		wantErr(t, first.SetText(ctx, "x"), ps4.ErrKeyboardClosed)
		ok(t, second.SetText(ctx, "x"))
	})
}

func TestTextFitsAPacket(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		f.onTCP = func(_ *fake, l *line, p wire.Packet) bool {
			if p.Type == wire.TypeKeyboardStart {
				l.send(wire.KeyboardStarted{}) // without a maximum
				return true
			}
			return false
		}
		s := f.open(ctx)
		defer s.Close()
		k, err := s.Keyboard(ctx)
		ok(t, err)
		ok(t, k.SetText(ctx, strings.Repeat("x", wire.MaxKeyboardText)))
		wantErr(t, k.SetText(ctx, strings.Repeat("x", wire.MaxKeyboardText+1)), ps4.ErrTextTooLong)
		synctest.Wait()
		ok(t, s.Err())
	})
}
