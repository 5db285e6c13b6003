package accessory

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
)

// Console is what a television needs of a console: its state, a way to wake it,
// and a session that is held while it is used. [NewConsole] makes one.
type Console interface {
	Addr() netip.AddrPort
	// Watch follows the state; see [ps4.Watch].
	Watch(ctx context.Context, o *ps4.WatchOptions) <-chan ps4.Update
	// DeafUntil is until when silence is rest mode; see [ps4.Console.DeafUntil].
	DeafUntil() time.Time
	Wake(ctx context.Context) error
	// Do runs work with the session; see [ps4.Keeper.Do].
	Do(ctx context.Context, work func(context.Context, Session) error) error
	// Drop closes the session, if one is open.
	Drop()
	// SessionState reports whether a session is open, and whether the
	// on-screen keyboard is; SessionChanged receives a value after a change.
	SessionState() (open, keyboard bool)
	SessionChanged() <-chan struct{}
	// Close closes the session and waits for its end.
	Close() error
}

// Session is the part of [ps4.Session] that a television uses.
type Session interface {
	Keys(ctx context.Context, keys ...ps4.Key) error
	StartTitle(ctx context.Context, titleID string, o *ps4.StartOptions) error
	// Standby fails with [ps4.ErrUnanswered] if the console may yet obey.
	Standby(ctx context.Context) error
}

// NewConsole makes a Console of a PS4, with a keeper for its session; sessions
// are *ps4.Session.
func NewConsole(c *ps4.Console) Console { return &secondScreen{c, ps4.NewKeeper(c)} }

// secondScreen drives a PS4 with the 2nd Screen protocol.
type secondScreen struct {
	*ps4.Console
	keeper *ps4.Keeper
}

func (c *secondScreen) Watch(ctx context.Context, o *ps4.WatchOptions) <-chan ps4.Update {
	return ps4.Watch(ctx, c.Console, o)
}

func (c *secondScreen) Do(ctx context.Context, work func(context.Context, Session) error) error {
	return c.keeper.Do(ctx, func(ctx context.Context, s *ps4.Session) error { return work(ctx, s) })
}

func (c *secondScreen) Drop()                               { c.keeper.Drop() }
func (c *secondScreen) SessionState() (open, keyboard bool) { return c.keeper.State() }
func (c *secondScreen) SessionChanged() <-chan struct{}     { return c.keeper.Changed() }
func (c *secondScreen) Close() error                        { return c.keeper.Close() }

// Publisher is the part of a HAP server that a television uses. Both methods
// return at once and never call back.
type Publisher interface {
	// Set stores a value; if it changed, every subscriber but the connection
	// of by (nil: none) gets an event.
	Set(c *characteristic.C, v any, by *http.Request)
	// Notify sends the value to every subscriber, changed or not.
	Notify(c *characteristic.C)
}

// modelOnly publishes nothing: it is there until a server is attached.
type modelOnly struct{}

func (modelOnly) Set(c *characteristic.C, v any, _ *http.Request) { c.SetValueRequest(v, nil) }
func (modelOnly) Notify(*characteristic.C)                        {}
