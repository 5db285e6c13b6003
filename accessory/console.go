package accessory

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// Console is what a television needs of a console: its state, a way to wake it,
// and a session that is held while it is used. [NewConsole] and [NewRemotePlay]
// return one.
type Console interface {
	Addr() netip.AddrPort
	// Can returns what the sessions can do.
	Can() Abilities
	// CheckKeys returns the error with which a session would refuse keys, or nil.
	CheckKeys(keys ...ps4.Key) error
	// Watch follows the state; see [ps4.Watch].
	Watch(ctx context.Context, o *ps4.WatchOptions) <-chan ps4.Update
	Wake(ctx context.Context) error
	// Do runs work with the session; see [ps4.Keeper.Do].
	Do(ctx context.Context, work func(context.Context, Session) error) error
	// Drop closes the session, if one is open.
	Drop()
	// State reports whether a session is open, and whether the on-screen
	// keyboard is; Changed receives a value after a change.
	State() (open, keyboard bool)
	Changed() <-chan struct{}
	// Close closes the session and waits for its end.
	Close() error
}

// Abilities lists what a session can do besides a standby and pressing PS.
type Abilities struct {
	Titles   bool // start titles; without it the home screen is the only input
	Keys     bool // press the other buttons of a remote control
	Keyboard bool // type on the on-screen keyboard
}

// Session is the part of [ps4.Session] that a television uses. It fails with
// [ErrNoTitles] or [remoteplay.ErrPSOnly] for what the console cannot do.
type Session interface {
	Keys(ctx context.Context, keys ...ps4.Key) error
	StartTitle(ctx context.Context, titleID string, o *ps4.StartOptions) error
	// Standby fails with [ps4.ErrUnanswered] if the console may yet obey.
	Standby(ctx context.Context) error
	// Keyboard fails with [ps4.ErrKeyboardClosed] if none is open.
	Keyboard(ctx context.Context) (Keyboard, error)
}

// Keyboard is an on-screen keyboard that is open, as [ps4.Keyboard] describes.
type Keyboard interface {
	Text() string
	MaxLength() int // in UTF-16 units; 0 if unknown
	SetText(ctx context.Context, text string) error
	Submit(ctx context.Context) error
	Close(ctx context.Context) error
}

// NewConsole returns a PS4 that is controlled with 2nd Screen.
func NewConsole(c *ps4.Console) Console { return secondScreen{c, ps4.NewKeeper(c)} }

type secondScreen struct {
	*ps4.Console
	*ps4.Keeper
}

func (secondScreen) Can() Abilities                  { return Abilities{Titles: true, Keys: true, Keyboard: true} }
func (secondScreen) CheckKeys(keys ...ps4.Key) error { return ps4.CheckKeys(keys...) }

func (c secondScreen) Watch(ctx context.Context, o *ps4.WatchOptions) <-chan ps4.Update {
	return ps4.Watch(ctx, c.Console, o)
}

func (c secondScreen) Do(ctx context.Context, work func(context.Context, Session) error) error {
	return c.Keeper.Do(ctx, func(ctx context.Context, s *ps4.Session) error { return work(ctx, secondScreenSession{s}) })
}

type secondScreenSession struct{ *ps4.Session }

func (s secondScreenSession) Keyboard(ctx context.Context) (Keyboard, error) {
	k, err := s.Session.Keyboard(ctx)
	if err != nil {
		return nil, err
	}
	return k, nil
}

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

// Do is [remoteplay.Console.Do]. The library asks the console twice before it
// gives up opening a session, so that failure is not retried.
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

// notOpened is the failure to open a session after the library's own retry.
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

// Publisher is the part of a HAP server that a television uses. Both methods
// return at once and never call back.
type Publisher interface {
	// Set stores a value; if it changed, every subscriber but the connection
	// of by (nil: none) gets an event.
	Set(c *characteristic.C, v any, by *http.Request)
	// Notify sends the value to every subscriber, changed or not.
	Notify(c *characteristic.C)
}

// modelOnly stores values without publishing them, until a server is attached.
type modelOnly struct{}

func (modelOnly) Set(c *characteristic.C, v any, _ *http.Request) { c.SetValueRequest(v, nil) }
func (modelOnly) Notify(*characteristic.C)                        {}
