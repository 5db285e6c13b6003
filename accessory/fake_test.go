package accessory_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// memory is a store that goes through JSON, as a file does.
type memory struct {
	mu    sync.Mutex
	data  []byte
	saves int
	err   error
}

func (m *memory) Load() (accessory.Saved, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s accessory.Saved
	if m.data == nil {
		return s, fs.ErrNotExist
	}
	return s, json.Unmarshal(m.data, &s)
}

func (m *memory) Save(s accessory.Saved) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.saves++
	var err error
	m.data, err = json.Marshal(s)
	return err
}

func (m *memory) saved() accessory.Saved {
	s, _ := m.Load()
	return s
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// fakeConsole is a console in memory: it answers, wakes and does as told, and notes what it was asked for.
type fakeConsole struct {
	mu       sync.Mutex
	addr     netip.AddrPort
	status   ps4.Status
	silent   bool
	deaf     bool // WAKEUP does not wake
	fail     map[string]error
	pressing time.Duration // how long a key takes
	starting time.Duration
	asked    []time.Time
	log      []string
	open     int // sessions that are open
	session  *fakeSession
	gate     chan struct{} // if set, Open waits for it
	stuck    chan struct{} // if set, Status waits for it, whatever its context says
}

func newFakeConsole(state ps4.State) *fakeConsole {
	return &fakeConsole{
		addr:   netip.MustParseAddrPort("192.0.2.7:987"),
		status: ps4.Status{HostID: "A0B1C2D3E4F5", HostName: "PS4-007", HostType: "PS4", State: state, SystemVersion: "09508011"},
		fail:   map[string]error{},
	}
}

func (c *fakeConsole) set(change func(*fakeConsole)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

func (c *fakeConsole) note(format string, args ...any) {
	c.log = append(c.log, fmt.Sprintf(format, args...))
}

func (c *fakeConsole) takeLog() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.log
	c.log = nil
	return log
}

func (c *fakeConsole) Addr() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addr
}

func (c *fakeConsole) SetAddr(a netip.AddrPort) { c.set(func(c *fakeConsole) { c.addr = a }) }

func (c *fakeConsole) Status(ctx context.Context) (ps4.Status, error) {
	c.mu.Lock()
	c.asked = append(c.asked, time.Now())
	status, silent, stuck := c.status, c.silent, c.stuck
	c.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	if silent {
		<-ctx.Done()
		return ps4.Status{}, ps4.ErrUnreachable
	}
	return status, nil
}

func (c *fakeConsole) Wake(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note("wake")
	if !c.deaf && c.fail["wake"] == nil {
		c.status.State = ps4.StateAwake
	}
	return c.fail["wake"]
}

func (c *fakeConsole) Open(ctx context.Context) (accessory.Session, error) {
	c.mu.Lock()
	gate := c.gate
	c.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note("open")
	if err := c.fail["open"]; err != nil {
		return nil, err
	}
	if c.status.State != ps4.StateAwake {
		return nil, ps4.ErrStandby
	}
	c.open++
	c.session = &fakeSession{c: c, done: make(chan struct{}), keyboardNews: make(chan struct{}, 1)}
	return c.session, nil
}

type fakeSession struct {
	c      *fakeConsole
	done   chan struct{}
	once   sync.Once
	closed bool
	dying  bool // the next command finds that the console hung up

	keyboard     atomic.Bool
	keyboardNews chan struct{}
}

// showKeyboard opens or closes the on-screen keyboard, as a heartbeat tells it.
func (s *fakeSession) showKeyboard(open bool) {
	s.keyboard.Store(open)
	s.keyboardNews <- struct{}{}
}

func (s *fakeSession) KeyboardOpen() bool { return s.keyboard.Load() }

func (s *fakeSession) KeyboardChanged() <-chan struct{} { return s.keyboardNews }

// die ends a session as the console does.
func (s *fakeSession) die() { s.once.Do(func() { close(s.done) }) }

func (s *fakeSession) Done() <-chan struct{} { return s.done }

func (s *fakeSession) Close() error {
	s.die()
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.c.open--
		s.c.note("close")
	}
	return nil
}

// do takes a while, notes what, and fails if it is to fail.
func (s *fakeSession) do(ctx context.Context, takes time.Duration, what string) error {
	if s.dying {
		s.die()
		return ps4.ErrClosed
	}
	select {
	case <-s.done:
		return ps4.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(takes):
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.note("%s", what)
	return s.c.fail[what]
}

func (s *fakeSession) Keys(ctx context.Context, keys ...ps4.Key) error {
	for _, k := range keys {
		if err := s.do(ctx, s.c.pressing, k.Button.String()); err != nil {
			return err
		}
	}
	return nil
}

func (s *fakeSession) StartTitle(ctx context.Context, id string, o *ps4.StartOptions) error {
	what := "start " + id
	if o.NoQuit {
		what += " no quit"
	}
	if err := s.do(ctx, s.c.starting, what); err != nil {
		return err
	}
	s.c.set(func(c *fakeConsole) { c.status.TitleID, c.status.TitleName = id, "Title "+id })
	return nil
}

func (s *fakeSession) Standby(ctx context.Context) error {
	if err := s.do(ctx, s.c.starting, "standby"); err != nil {
		if errors.Is(err, ps4.ErrUnanswered) {
			s.die()
		}
		return err
	}
	s.c.set(func(c *fakeConsole) { c.status.State, c.status.TitleID, c.status.TitleName = ps4.StateStandby, "", "" })
	s.die()
	return nil
}

// events is a publisher that notes every event, as a controller that subscribed to everything would get it.
type events struct {
	mu  sync.Mutex
	log []string
}

func (e *events) Set(c *characteristic.C, v any, by *http.Request) {
	if c.Value() == v {
		return
	}
	c.SetValueRequest(v, nil)
	e.note(c, by)
}

func (e *events) Notify(c *characteristic.C) { e.note(c, nil) }

func (e *events) note(c *characteristic.C, by *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	line := fmt.Sprintf("%d=%v", c.Id, c.Value())
	if by != nil {
		line += " not to " + by.RemoteAddr
	}
	e.log = append(e.log, line)
}

func (e *events) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	log := e.log
	e.log = nil
	return log
}
