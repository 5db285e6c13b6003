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

// fakeConsole is a console in memory: it answers, wakes and obeys, and notes
// what it was asked for. It holds one session, as a ps4.Keeper does.
type fakeConsole struct {
	mu       sync.Mutex
	addr     netip.AddrPort
	status   ps4.Status
	silent   bool
	offline  bool // this machine has no link
	deaf     bool // WAKEUP does not wake
	fail     map[string]error
	pressing time.Duration // how long a key takes
	starting time.Duration
	rested   time.Time
	polls    []time.Time
	log      []string
	session  *fakeSession
	changed  chan struct{}
	gate     chan struct{} // if set, opening waits for it
	stuck    chan struct{} // if set, polling waits for it
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

// Watch polls as ps4.Watch does.
func (c *fakeConsole) Watch(ctx context.Context, o *ps4.WatchOptions) <-chan ps4.Update {
	updates := make(chan ps4.Update)
	go func() {
		defer close(updates)
		last := ps4.Update{Status: o.Last}
		for {
			asked := time.Now()
			if last = c.poll(ctx, last); ctx.Err() != nil {
				return
			}
			last.Asked, last.DeafUntil = asked, c.DeafUntil()
			select {
			case <-ctx.Done():
				return
			case updates <- last:
			}
			interval := o.Interval
			if last.State != ps4.StateAwake && !o.Busy() {
				interval *= 2
			}
			select {
			case <-ctx.Done():
				return
			case <-o.Poke:
			case <-time.After(time.Until(asked.Add(interval))):
			}
		}
	}()
	return updates
}

func (c *fakeConsole) poll(ctx context.Context, last ps4.Update) ps4.Update {
	c.mu.Lock()
	c.polls = append(c.polls, time.Now())
	status, silent, offline, stuck := c.status, c.silent, c.offline, c.stuck
	c.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	if !silent && !offline {
		return ps4.Update{Status: status}
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
	u := ps4.Update{Status: last.Status, Missed: last.Missed + 1}
	switch {
	case offline:
		u.Missed, u.Offline = 0, true
	case time.Now().Before(c.DeafUntil()):
		u.State = ps4.StateStandby
	case u.Missed >= 3:
		u.State, u.TitleID = ps4.StateUnreachable, ""
	}
	return u
}

func (c *fakeConsole) DeafUntil() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rested.IsZero() {
		return time.Time{}
	}
	return c.rested.Add(ps4.DeafTime)
}

func (c *fakeConsole) Wake(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note("wake")
	if !c.deaf && c.fail["wake"] == nil {
		c.status.State, c.rested = ps4.StateAwake, time.Time{}
	}
	return c.fail["wake"]
}

func (c *fakeConsole) Do(ctx context.Context, work func(context.Context, accessory.Session) error) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	return work(ctx, s)
}

func (c *fakeConsole) Can() accessory.Abilities {
	return accessory.Abilities{Titles: true, Keys: true, Keyboard: true}
}

func (c *fakeConsole) CheckKeys(keys ...ps4.Key) error { return ps4.CheckKeys(keys...) }

func (c *fakeConsole) open(ctx context.Context) (*fakeSession, error) {
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
	if c.session != nil {
		return c.session, nil
	}
	c.note("open")
	if err := c.fail["open"]; err != nil {
		return nil, err
	}
	if c.status.State != ps4.StateAwake {
		return nil, ps4.ErrStandby
	}
	c.session = &fakeSession{c: c}
	c.tell()
	return c.session, nil
}

func (c *fakeConsole) tell() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *fakeConsole) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		c.session = nil
		c.note("close")
		c.tell()
	}
}

func (c *fakeConsole) Close() error { c.Drop(); return nil }

func (c *fakeConsole) State() (open, keyboard bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session != nil, c.session != nil && c.session.keyboard
}

func (c *fakeConsole) Changed() <-chan struct{} { return c.changed }

// showKeyboard opens or closes the on-screen keyboard.
func (c *fakeConsole) showKeyboard(open bool) {
	c.set(func(c *fakeConsole) { c.session.keyboard = open })
	c.tell()
}

type fakeSession struct {
	c        *fakeConsole
	keyboard bool
}

// do takes a while, notes what, and fails if it is to fail.
func (s *fakeSession) do(ctx context.Context, takes time.Duration, what string) error {
	select {
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

func (s *fakeSession) Keyboard(context.Context) (accessory.Keyboard, error) {
	return nil, ps4.ErrKeyboardClosed
}

func (s *fakeSession) Standby(ctx context.Context) error {
	err := s.do(ctx, s.c.starting, "standby")
	if err == nil || errors.Is(err, ps4.ErrUnanswered) {
		s.c.set(func(c *fakeConsole) { c.rested = time.Now() })
	}
	if err == nil {
		s.c.set(func(c *fakeConsole) { c.status.State, c.status.TitleID, c.status.TitleName = ps4.StateStandby, "", "" })
	}
	return err
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
