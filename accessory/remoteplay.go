package accessory

import (
	"context"
	"errors"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// NewRemotePlay returns a console that is controlled with Remote Play, which
// cannot start titles. Buttons other than PS need [remoteplay.Options.Stream].
func NewRemotePlay(c *remoteplay.Console) Console { return remotePlay{c} }

type remotePlay struct{ *remoteplay.Console }

func (c remotePlay) Can() Abilities {
	return Abilities{Keys: c.CheckKeys(ps4.Key{Button: ps4.Up}) == nil, Keyboard: true}
}

func (c remotePlay) Watch(ctx context.Context, o *ps4.WatchOptions) <-chan ps4.Update {
	return ps4.Watch(ctx, c.Discovery(), o)
}

// Do is [remoteplay.Console.Do]. A session that could not be opened although the
// console was asked twice is a failure that another try does not mend.
func (c remotePlay) Do(ctx context.Context, work func(context.Context, Session) error) error {
	opened := false
	err := c.Console.Do(ctx, func(ctx context.Context, s *remoteplay.Session) error {
		opened = true
		return work(ctx, remotePlaySession{s})
	})
	if !opened && (errors.Is(err, ps4.ErrSilent) || errors.Is(err, remoteplay.ErrNoReply)) {
		return &notOpened{err}
	}
	return err
}

func (c remotePlay) DeafUntil() time.Time { return c.Discovery().DeafUntil() }

// notOpened is a session that failed after the library's own second try.
type notOpened struct{ error }

func (e *notOpened) Unwrap() error { return e.error }

type remotePlaySession struct{ *remoteplay.Session }

func (remotePlaySession) StartTitle(context.Context, string, *ps4.StartOptions) error {
	return ErrNoTitles
}

func (s remotePlaySession) Keyboard(ctx context.Context) (Keyboard, error) {
	k, err := s.Session.Keyboard(ctx)
	if err != nil {
		return nil, err
	}
	return remotePlayKeyboard{k}, nil
}

type remotePlayKeyboard struct{ *remoteplay.Keyboard }

func (remotePlayKeyboard) MaxLength() int { return 0 }
