package accessory

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
)

// Console is the part of [ps4.Console] that a television uses.
type Console interface {
	Addr() netip.AddrPort
	SetAddr(netip.AddrPort)
	// Status asks until ctx is done.
	Status(ctx context.Context) (ps4.Status, error)
	Wake(ctx context.Context) error
	Open(ctx context.Context) (Session, error)
}

// Session is the part of [ps4.Session] that a television uses. Run returns only after Close has.
type Session interface {
	Keys(ctx context.Context, keys ...ps4.Key) error
	StartTitle(ctx context.Context, titleID string, o *ps4.StartOptions) error
	// Standby fails with [ps4.ErrUnanswered] if the console may yet obey.
	Standby(ctx context.Context) error
	// KeyboardOpen says whether the on-screen keyboard is open; KeyboardChanged brings something when that has changed.
	KeyboardOpen() bool
	KeyboardChanged() <-chan struct{}
	Done() <-chan struct{}
	Close() error
}

// NewConsole makes a Console of the real thing; its sessions are *ps4.Session.
func NewConsole(c *ps4.Console) Console { return realConsole{c} }

type realConsole struct{ *ps4.Console }

func (c realConsole) Open(ctx context.Context) (Session, error) {
	s, err := c.Console.Open(ctx)
	if err != nil {
		return nil, err // not a nil *ps4.Session in an interface
	}
	return s, nil
}

// Publisher is the part of a HAP server that a television uses. Both methods return at once and never call back.
type Publisher interface {
	// Set stores a value; if it changed, every subscriber but the connection of by (nil: none) gets an event.
	Set(c *characteristic.C, v any, by *http.Request)
	// Notify sends the value to every subscriber, changed or not.
	Notify(c *characteristic.C)
}

// modelOnly publishes nothing: it is there until a server is attached.
type modelOnly struct{}

func (modelOnly) Set(c *characteristic.C, v any, _ *http.Request) { c.SetValueRequest(v, nil) }
func (modelOnly) Notify(*characteristic.C)                        {}
