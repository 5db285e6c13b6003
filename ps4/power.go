package ps4

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// DeafTime is how long a console may stay silent after it entered rest mode.
// Meanwhile its silence means StateStandby. Users report 50 to 60 s
// (docs/protocol.md §1); only a console can settle the true time (§9).
const DeafTime = 60 * time.Second

// powerHistory is when a console was last woken and put into rest mode.
type powerHistory struct {
	woken  time.Time // last woken by this program
	rested time.Time // last put into rest mode; zero once it is on again
	left   bool      // since then it has reported rest mode or been silent
}

// note updates the history with a state that the console reported, and the one
// before.
func (p *powerHistory) note(before, state State, now time.Time) {
	switch {
	case state == StateStandby:
		if before == StateAwake { // another program put it to rest
			p.rested = now
		}
		p.left = true
	case p.left || now.Sub(p.rested) >= leaveTime:
		p.rested, p.left = time.Time{}, false
	}
}

// SetRested tells the console when it was last put into rest mode, for a
// program that remembers it from an earlier run. Sessions and replies note it
// by themselves.
func (c *Console) SetRested(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.power.rested, c.power.left = at, false
}

// DeafUntil returns until when the console's silence means rest mode: [DeafTime]
// after it entered rest mode, or a time in the past if it did not.
func (c *Console) DeafUntil() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.power.rested.IsZero() || time.Until(c.power.rested) > 0 { // the clock was set back
		return time.Time{}
	}
	return c.power.rested.Add(DeafTime)
}

func (c *Console) noteWoken() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.power.woken = time.Now()
}

// Wake sends one WAKEUP, which turns a console in rest mode on. The console
// never answers it: see [Console.WakeWait]. Wake fails with [ErrNoCredential],
// [ErrOtherConsole] or [ErrNoNetwork].
func (c *Console) Wake(ctx context.Context) error {
	user, err := c.currentUser()
	if err != nil {
		return err
	}
	return c.sendWakeup(ctx, ddp.NewWakeup(user.Credential.Reveal()).Marshal())
}

// WakeRemotePlay is like [Console.Wake] with the credential of a Remote Play
// registration: its RegistKey as a number, a secret. Package remoteplay calls
// it. WakeRemotePlay fails with [ErrOtherConsole] or [ErrNoNetwork].
func (c *Console) WakeRemotePlay(ctx context.Context, credential uint32) error {
	version := ddp.Version
	if c.Addr().Port() == ddp.PortPS5 || c.lastHeard().HostType == TypePS5 {
		version = ddp.VersionPS5
	}
	return c.sendWakeup(ctx, ddp.RemotePlayWakeup(strconv.FormatUint(uint64(credential), 10), version))
}

func (c *Console) sendWakeup(ctx context.Context, wakeup []byte) error {
	err := c.sendSecret(ctx, wakeup)
	if err == nil {
		c.noteWoken()
	}
	return err
}

// Launch sends one LAUNCH, which makes a console that is on open its TCP port
// for some seconds (docs/protocol.md §3). The console never answers it, and
// [Console.Open] sends it by itself. Launch fails as [Console.Wake] does.
func (c *Console) Launch(ctx context.Context) error {
	user, err := c.currentUser()
	if err != nil {
		return err
	}
	return c.sendSecret(ctx, ddp.NewLaunch(user.Credential.Reveal()).Marshal())
}

// sendSecret sends a datagram with a credential, unless another console has
// taken over the address.
func (c *Console) sendSecret(ctx context.Context, datagram []byte) error {
	if err := c.takenOver(); err != nil {
		return err
	}
	ctx, release, err := c.net.shared.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	return c.net.shared.send(ctx, c.set.Counters, datagram, c.Addr())
}

// takenOver fails with [ErrOtherConsole] if another console has answered at the
// address since this one last did: it must not get the credential.
func (c *Console) takenOver() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.otherAt.After(c.heardAt) {
		return &OtherConsoleError{Addr: c.addr, Want: c.hostID, Got: c.other}
	}
	return nil
}

// WakeWait wakes the console and returns its status once it is awake. It asks
// for the status each second and sends a WAKEUP every 3 s, for 60 s or until ctx
// is done (docs/protocol.md §7). A console that is awake already gets none.
//
// WakeWait fails with [ErrNoCredential], with [ErrUnreachable] if the console
// never answered, with [ErrNotWoken] if it stayed in rest mode, and otherwise
// as [Console.Status] does.
func (c *Console) WakeWait(ctx context.Context) (Status, error) {
	user, err := c.currentUser()
	if err != nil {
		return Status{}, err
	}
	limited, cancel := context.WithTimeout(ctx, wakeLimit)
	defer cancel()
	return c.ask(limited, ddp.NewWakeup(user.Credential.Reveal()).Marshal())
}

// Toggle wakes a console in rest mode, or puts one that is on into rest mode,
// and returns the state that it is in then. It fails as [Console.Status],
// [Console.WakeWait], [Console.Open] and [Session.Standby] do.
func (c *Console) Toggle(ctx context.Context) (State, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return status.State, err
	}
	if status.State == StateStandby {
		status, err = c.WakeWait(ctx)
		return status.State, err
	}
	s, err := c.Open(ctx)
	if err != nil {
		return status.State, err
	}
	defer s.Close()
	if err := s.Standby(ctx); err != nil {
		return StateAwake, err
	}
	return StateStandby, nil
}

// Standby puts the console into rest mode and ends the session. For about a
// minute after that the console answers nothing (docs/protocol.md §1); see
// [DeafTime].
//
// Standby fails with a [ResultError], such as [ErrStandbyDisabled], if the
// console refuses; the session stays open. An error that is [ErrUnanswered]
// leaves open whether the console obeys, and wraps the reason. After any other
// error the console was not asked.
func (s *Session) Standby(ctx context.Context) error {
	asked := false
	err := s.command(ctx, func(ctx context.Context) error {
		if err := s.quiet(ctx); err != nil {
			return err
		}
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		asked = true
		return s.request(ctx, wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult)
	})
	var refusal ResultError
	if !asked || errors.As(err, &refusal) {
		return err
	}
	if errors.Is(err, ErrClosed) && s.Err() != nil {
		// The console hung up without an answer. Rest mode may show before the
		// silence or after it (docs/protocol.md §7).
		status, statusErr := s.console.statusWithin(ctx, statusLimit)
		if status.State == StateStandby || errors.Is(statusErr, ErrUnreachable) {
			err = nil
		}
	}
	s.console.SetRested(time.Now())
	if err != nil {
		return fmt.Errorf("%w (%w)", err, ErrUnanswered)
	}
	s.end(ErrStandby)
	return nil
}
