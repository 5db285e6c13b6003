package remoteplay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
)

// A Console is a console that this program is registered with. Its sessions
// serve one command at a time. It is safe for concurrent use. [New] returns
// one.
type Console struct {
	set       *Options // with defaults
	discovery *ps4.Console
	changed   chan struct{}
	life      context.Context // ends every command: done when Close begins
	leave     context.CancelCauseFunc

	lock    chan struct{}           // held by the running command; a channel so that synctest sees waiters
	session atomic.Pointer[Session] // changes with the lock held; State must not wait for a command
	idle    *time.Timer             // closes the session, nil before the first one; guarded by lock
	inUse   time.Time               // no session is opened before; guarded by lock

	mu           sync.Mutex
	registration Registration
	passcode     ps4.Passcode
	woken        time.Time // last woken by this program
}

// New returns a console with the discovery of c, whose host id it sets to that
// of the registration. A registration without keys makes commands fail with
// [ErrNotRegistered]; its host type still chooses the menu in hints. New does no
// I/O. The caller must Close the console.
func New(c *ps4.Console, r Registration, o *Options) *Console {
	life, leave := context.WithCancelCause(context.Background())
	console := &Console{
		set: o.withDefaults(), discovery: c, changed: make(chan struct{}, 1),
		life: life, leave: leave, lock: make(chan struct{}, 1),
	}
	console.SetRegistration(r)
	console.SetPasscode(console.set.Passcode)
	return console
}

// Discovery returns the console of package ps4 that reports the state, for
// [ps4.Watch] and [ps4.Console.DeafUntil].
func (c *Console) Discovery() *ps4.Console { return c.discovery }

// Addr returns the address where the console answers discovery.
func (c *Console) Addr() netip.AddrPort { return c.discovery.Addr() }

// Registration returns the registration.
func (c *Console) Registration() Registration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.registration
}

// SetRegistration changes the registration. An open session stays.
func (c *Console) SetRegistration(r Registration) {
	if r.HostID != "" {
		c.discovery.SetHostID(r.HostID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.registration = r
}

// SetPasscode changes the passcode of Options, for the next session.
func (c *Console) SetPasscode(p ps4.Passcode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passcode = p
}

// Do calls work with a session of the console, and returns its error. Only one
// call runs at a time; the others wait. The session closes once it has been
// unused for Options.Idle, or for Options.KeyLinger if it has a stream. It closes
// at a standby, and if work fails, too.
//
// Do opens a session if there is none. It fails with [ps4.ErrStandby] if the
// console is in rest mode, as [ps4.Console.Status] does, with
// [ErrNotRegistered], [ErrRefused], [ErrNoReply], [ErrNotPlayStation],
// [ErrProtocol], [ps4.ErrSilent], [ps4.ErrPasscodeNeeded] or
// [ps4.ErrPasscodeWrong], with a [ResultError], and with [ps4.ErrClosed] after
// Close. After an [InUseError] it fails with that error at once, until its time
// has come.
func (c *Console) Do(ctx context.Context, work func(context.Context, *Session) error) (err error) {
	registration := c.Registration()
	defer func() { err = hintFor(registration.HostType, err) }()
	if registration.IsZero() {
		return ErrNotRegistered
	}
	ctx, cancel := within(c.life, ctx)
	defer cancel()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case c.lock <- struct{}{}:
	}
	defer func() { <-c.lock }()
	if err := cmp.Or(context.Cause(c.life), context.Cause(ctx), c.paused()); err != nil {
		return err
	}
	s, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	err = work(ctx, s)
	if err != nil || s.Err() != nil {
		c.drop()
	} else {
		wait := c.set.Idle
		s.mu.Lock()
		if s.stream != nil {
			wait = c.set.KeyLinger
		}
		s.mu.Unlock()
		c.closeAfter(wait)
	}
	return err
}

// closeAfter closes the session once it has been unused for d; the lock is
// held.
func (c *Console) closeAfter(d time.Duration) {
	var idle *time.Timer
	idle = time.AfterFunc(d, func() {
		c.lock <- struct{}{}
		defer func() { <-c.lock }()
		if idle == c.idle { // no command was faster
			c.drop()
		}
	})
	c.idle = idle
}

// acquire returns the open session, or opens one; the lock is held.
func (c *Console) acquire(ctx context.Context) (*Session, error) {
	if s := c.session.Load(); s != nil && s.Err() == nil {
		c.idle.Stop()
		return s, nil
	}
	c.drop()
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	c.session.Store(s)
	c.noteChange()
	return s, nil
}

// drop closes the session, if there is one; the lock is held.
func (c *Console) drop() {
	if s := c.session.Load(); s != nil {
		if c.idle != nil {
			c.idle.Stop()
		}
		s.end(nil)
		s.group.Wait()
		c.session.Store(nil)
		c.noteChange()
	}
}

// State reports whether a session is open and, if so, whether the on-screen
// keyboard is known to be. It does not wait for a session that is being opened.
func (c *Console) State() (open, keyboard bool) {
	s := c.session.Load()
	if s == nil || s.Err() != nil {
		return false, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return true, s.keyboard.open
}

// Changed returns a channel that receives a value after State has changed. It
// serves one receiver.
func (c *Console) Changed() <-chan struct{} { return c.changed }

func (c *Console) noteChange() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Drop closes the session, if one is open, which ends its command with
// [ps4.ErrClosed], and waits for both.
func (c *Console) Drop() {
	if s := c.session.Load(); s != nil {
		s.end(nil)
	}
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	c.drop()
}

// Close ends the running command, closes the session and waits for the
// console's goroutines. Later calls of Do fail with [ps4.ErrClosed]. Close
// always returns nil.
func (c *Console) Close() error {
	c.leave(ps4.ErrClosed)
	c.Drop()
	return nil
}

// Wake sends one WAKEUP, which turns a console in rest mode on. The console
// never answers it: see [Console.WakeWait]. Wake fails with [ErrNotRegistered],
// [ps4.ErrOtherConsole] or [ps4.ErrNoNetwork].
func (c *Console) Wake(ctx context.Context) error {
	registration := c.Registration()
	credential, err := rp.WakeCredential(registration.Keys.reveal().registKey)
	if err != nil { // there is no key
		return hintFor(registration.HostType, ErrNotRegistered)
	}
	if err := c.discovery.WakeRemotePlay(ctx, credential); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = time.Now()
	return nil
}

// justWoken reports whether the console may not be ready because of a wake-up.
func (c *Console) justWoken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.woken.IsZero() && time.Since(c.woken) < wokenGrace
}

// WakeWait wakes the console and returns its status once discovery reports that
// it is on. It sends up to 3 WAKEUPs, and asks for 30 s, or 45 s if the console
// is a PS4, or until ctx is done. A console that this program has just put into
// rest mode may be silent first, and hears no WAKEUP then: WakeWait sends them
// again after that, and the limit counts from there.
//
// WakeWait fails as Wake does, with [ErrNotWoken] if the console stayed in rest
// mode, and with [ps4.ErrUnreachable] if it never answered.
func (c *Console) WakeWait(ctx context.Context) (ps4.Status, error) {
	limit := wakeLimitPS5
	if c.Registration().HostType == ps4.TypePS4 {
		limit = wakeLimitPS4
	}
	last, deadline := ps4.Status{Addr: c.Addr()}, time.Now().Add(limit)
	silent := false
	for tick, sends := 0, wakeSends; time.Now().Before(deadline); tick++ {
		began := time.Now()
		if sends > 0 {
			if err := c.Wake(ctx); err != nil {
				return last, err
			}
			sends--
		}
		if tick%wakePolls == 0 {
			status, err := c.discovery.Ask(ctx, pollEvery)
			switch {
			case err == nil && status.State == ps4.StateAwake:
				return status, nil
			case err == nil:
				last = status
				if silent { // it heard none of the WAKEUPs
					silent, sends = false, wakeSends
				}
			case !errors.Is(err, ps4.ErrSilent):
				return last, err
			case time.Now().Before(c.discovery.DeafUntil()):
				silent, deadline = true, time.Now().Add(limit)
			}
		}
		if err := sleep(ctx, time.Until(began.Add(pollEvery))); err != nil {
			return last, err
		}
	}
	if last.State == ps4.StateUnreachable {
		return last, fmt.Errorf("%w (%v)", ps4.ErrUnreachable, c.Addr())
	}
	return last, ErrNotWoken
}

// Standby puts the console into rest mode and returns once discovery reports
// that, which takes up to 30 s. It never repeats the command.
//
// Standby fails as Do does; with [ErrStandbyIgnored] if the console
// acknowledged the command but is still on after 30 s; and with
// [ps4.ErrUnanswered], which wraps the reason, if it is unknown whether the
// console obeys.
func (c *Console) Standby(ctx context.Context) error {
	err := c.Do(ctx, func(ctx context.Context, s *Session) error { return s.Standby(ctx) })
	if err != nil && !errors.Is(err, ps4.ErrUnanswered) {
		return err
	}
	unanswered, begin := err, time.Now() // the console may fall silent before it rests (docs/protocol.md §14)
	heard := begin
	for {
		asked := time.Now()
		status, err := c.discovery.Ask(ctx, pollEvery)
		switch {
		case err == nil && status.State == ps4.StateStandby:
			return nil
		case err == nil && time.Since(begin) >= standbyLimit:
			return cmp.Or(unanswered, ErrStandbyIgnored)
		case err == nil:
			heard = time.Now()
		case !errors.Is(err, ps4.ErrSilent) || time.Since(heard) >= silenceLimit:
			return fmt.Errorf("%w (%w)", err, ps4.ErrUnanswered)
		}
		if err := sleep(ctx, time.Until(asked.Add(pollEvery))); err != nil {
			return fmt.Errorf("%w (%w)", err, ps4.ErrUnanswered)
		}
	}
}
