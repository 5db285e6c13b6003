package remoteplay

import (
	"context"
	"fmt"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

// A Keyboard is the on-screen keyboard of a console while it is open.
// [Session.Keyboard] returns one.
type Keyboard struct{ session *Session }

// Keyboard returns the on-screen keyboard that is open on the TV. It fails with
// [ps4.ErrKeyboardClosed] if the console does not report one within 3 s.
func (s *Session) Keyboard(ctx context.Context) (*Keyboard, error) {
	s.mu.Lock()
	enabled := s.keyboard.enabled
	s.keyboard.enabled = true
	s.mu.Unlock()
	if !enabled {
		for _, f := range []rp.Frame{rp.Probe(), {Type: rp.TypeKeyboardEnable, Payload: []byte{1}}} {
			if err := s.write(f); err != nil {
				return nil, err
			}
		}
	}
	if err := s.await(ctx, keyboardLimit, ps4.ErrKeyboardClosed, func() bool { return s.keyboard.open }); err != nil {
		return nil, err
	}
	return &Keyboard{s}, nil
}

// Text returns the text of the field, as the console last reported it.
func (k *Keyboard) Text() string {
	k.session.mu.Lock()
	defer k.session.mu.Unlock()
	return k.session.keyboard.text
}

// SetText replaces the whole text and waits for the console's confirmation. It
// fails with [ps4.ErrTextTooLong], [ps4.ErrKeyboardClosed] or [ps4.ErrClosed],
// and with [ps4.ErrUnanswered] if the console does not confirm.
func (k *Keyboard) SetText(ctx context.Context, text string) error {
	if len(text) > rp.MaxKeyboardText {
		return ps4.ErrTextTooLong
	}
	s := k.session
	s.mu.Lock()
	s.keyboard.counter++
	open, counter := s.keyboard.open, s.keyboard.counter
	s.mu.Unlock()
	if !open {
		return ps4.ErrKeyboardClosed
	}
	if err := s.write(rp.KeyboardText{Counter: counter, Text: text}.Marshal(rp.TypeKeyboardText)); err != nil {
		return err
	}
	err := s.await(ctx, ackLimit, ps4.ErrSilent, func() bool { return s.keyboard.result >= counter || !s.keyboard.open })
	if err != nil {
		return fmt.Errorf("%w (%w)", err, ps4.ErrUnanswered)
	}
	return nil
}

// Submit accepts the text, which closes the keyboard. It fails with
// [ps4.ErrKeyboardClosed] or [ps4.ErrClosed].
func (k *Keyboard) Submit(context.Context) error { return k.finish(true) }

// Close closes the keyboard without accepting the text. Closing a closed
// keyboard is not an error.
func (k *Keyboard) Close(context.Context) error {
	if err := k.finish(false); err != ps4.ErrKeyboardClosed { //nolint:errorlint // finish returns it as it is
		return err
	}
	return nil
}

func (k *Keyboard) finish(accept bool) error {
	s := k.session
	s.mu.Lock()
	open := s.keyboard.open
	s.keyboard.open = false
	s.mu.Unlock()
	if !open {
		return ps4.ErrKeyboardClosed
	}
	s.console.noteChange()
	return s.write(rp.KeyboardEnd(accept))
}
