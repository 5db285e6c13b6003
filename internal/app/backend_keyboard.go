package app

import (
	"context"
	"errors"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// Keyboard implements api.Backend.
func (s *server) Keyboard(ctx context.Context, host string) (shown api.Keyboard, err error) {
	err = s.withKeyboard(ctx, host, func(_ context.Context, k *ps4.Keyboard) error {
		shown = api.Keyboard{Text: k.Text(), MaxLength: k.MaxLength()}
		return nil
	})
	return shown, err
}

// SetText implements api.Backend.
func (s *server) SetText(ctx context.Context, host, text string) error {
	return s.withKeyboard(ctx, host, func(ctx context.Context, k *ps4.Keyboard) error { return k.SetText(ctx, text) })
}

// Submit implements api.Backend.
func (s *server) Submit(ctx context.Context, host string, text *string) error {
	return s.withKeyboard(ctx, host, func(ctx context.Context, k *ps4.Keyboard) error {
		if text != nil {
			if err := k.SetText(ctx, *text); err != nil {
				return err
			}
		}
		return k.Submit(ctx)
	})
}

// CloseKeyboard implements api.Backend.
func (s *server) CloseKeyboard(ctx context.Context, host string) error {
	return s.withKeyboard(ctx, host, func(ctx context.Context, k *ps4.Keyboard) error { return k.Close(ctx) })
}

// withKeyboard calls do with the on-screen keyboard of a console.
func (s *server) withKeyboard(ctx context.Context, host string, do func(context.Context, *ps4.Keyboard) error) error {
	u, err := s.reach(ctx, host)
	if err != nil {
		return err
	}
	return u.tv.WithSession(ctx, func(ctx context.Context, session accessory.Session) error {
		real, ok := session.(*ps4.Session)
		if !ok {
			return errors.New("this session has no keyboard")
		}
		keyboard, err := real.Keyboard(ctx)
		if err != nil {
			return err
		}
		return do(ctx, keyboard)
	})
}
