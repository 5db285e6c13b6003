package ps4

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// A Keyboard is the on-screen keyboard of a console while it is open.
// [Session.Keyboard] returns one. It is safe for concurrent use.
type Keyboard struct {
	session   *Session
	maxLength int
	text      atomic.Pointer[string]
	closed    atomic.Bool
}

// KeyboardOpen reports whether the console's last heartbeat said that its
// on-screen keyboard is open.
func (s *Session) KeyboardOpen() bool { return s.keyboardSeen.Load() }

// KeyboardChanged returns a channel that receives a value after KeyboardOpen
// has changed. It serves one receiver. A [Keeper] is the receiver for its
// sessions.
func (s *Session) KeyboardChanged() <-chan struct{} { return s.keyboardNews }

// Keyboard returns the on-screen keyboard that is open on the TV. It fails with
// [ErrKeyboardClosed] if there is none, or with another [ResultError], such as
// [ErrKeyboardOtherUser].
func (s *Session) Keyboard(ctx context.Context) (*Keyboard, error) {
	var keyboard *Keyboard
	err := s.command(ctx, func(ctx context.Context) error {
		err := s.request(ctx, wire.Empty{Type: wire.TypeKeyboardStart}, wire.TypeKeyboardStarted)
		if errors.Is(err, ErrNoClient) {
			return fmt.Errorf("%w: %w", ErrKeyboardClosed, err)
		}
		keyboard = s.keyboard.Load()
		return err
	})
	if err != nil {
		return nil, err
	}
	return keyboard, nil
}

// Text returns the text of the field, as last set or reported by the console.
func (k *Keyboard) Text() string { return *k.text.Load() }

// MaxLength returns the length that the field accepts in UTF-16 code units, or
// 0 if it is unknown.
func (k *Keyboard) MaxLength() int { return k.maxLength }

// SetText replaces the whole text and puts the caret at its end. It fails with
// [ErrTextTooLong], [ErrKeyboardClosed] or [ErrClosed].
func (k *Keyboard) SetText(ctx context.Context, text string) error {
	units := wire.UTF16Len(text)
	if units > wire.MaxKeyboardText || k.maxLength > 0 && units > k.maxLength {
		return ErrTextTooLong
	}
	return k.command(ctx, func() error {
		if err := k.session.write(wire.NewKeyboardText(text)); err != nil {
			return err
		}
		k.text.Store(&text)
		return nil
	})
}

// Submit confirms the text, as the return key does, which closes the keyboard.
// It fails with [ErrKeyboardClosed] or [ErrClosed].
func (k *Keyboard) Submit(ctx context.Context) error { return k.finish(ctx, wire.KeyboardReturn) }

// Close closes the keyboard without submitting the text. Closing a closed
// keyboard is not an error.
func (k *Keyboard) Close(ctx context.Context) error {
	err := k.finish(ctx, wire.KeyboardClose)
	if errors.Is(err, ErrKeyboardClosed) {
		return nil
	}
	return err
}

func (k *Keyboard) finish(ctx context.Context, command uint32) error {
	return k.command(ctx, func() error {
		k.closed.Store(true)
		return k.session.write(wire.Word{Type: wire.TypeKeyboardControl, Value: command})
	})
}

func (k *Keyboard) command(ctx context.Context, do func() error) error {
	return k.session.command(ctx, func(context.Context) error {
		if k.closed.Load() {
			return ErrKeyboardClosed
		}
		return do()
	})
}

// keyboardStarted stores the keyboard before the reader delivers its answer, so
// that a change of text right after the answer is not missed.
func (s *Session) keyboardStarted(p wire.Packet) error {
	started, err := wire.UnmarshalKeyboardStarted(p)
	if err != nil || started.Result != resultOK {
		return err
	}
	k := &Keyboard{session: s, maxLength: int(started.MaxLength)}
	k.text.Store(&started.Text)
	if old := s.keyboard.Swap(k); old != nil {
		old.closed.Store(true)
	}
	return nil
}

// keyboardEvent handles a change that was made on the TV.
func (s *Session) keyboardEvent(p wire.Packet) error {
	k := s.keyboard.Load()
	if k == nil {
		s.set.Counters.Skipped.Add(1)
		return nil
	}
	if p.Type == wire.TypeKeyboardControl {
		k.closed.Store(true)
		return nil
	}
	change, err := wire.UnmarshalKeyboardText(p)
	if err != nil {
		return err
	}
	k.text.Store(&change.Text)
	return nil
}

// keyboardShown notes whether the keyboard is open, as a heartbeat reported.
func (s *Session) keyboardShown(open bool) {
	if was := s.keyboardSeen.Swap(open); was == open {
		return
	}
	if k := s.keyboard.Load(); k != nil && !open {
		k.closed.Store(true)
	}
	select {
	case s.keyboardNews <- struct{}{}:
	default:
	}
}
