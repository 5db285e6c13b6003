package ps4

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// osVersion is what the phone app's login says (docs/protocol.md §5).
const osVersion = "4.4"

// logIn is the first command of a session.
func (s *Session) logIn(ctx context.Context, who login) error {
	err := s.command(ctx, func(ctx context.Context) error {
		err := s.requestResult(ctx, wire.Login{
			Passcode:   who.Passcode.Reveal(),
			Credential: who.Credential.Reveal(),
			AppLabel:   s.set.AppLabel,
			OSVersion:  osVersion,
			Model:      who.Model,
			PIN:        who.pin.Reveal(),
		}, wire.TypeLoginResult)
		if err != nil {
			return err
		}
		return s.write(wire.Word{Type: wire.TypeStatus})
	})
	if err != nil || !s.set.SwitchUser {
		return err
	}
	return s.command(ctx, s.switchUser)
}

// switchUser makes the console switch to the user who logged in, the way
// pyps4-2ndscreen does (docs/protocol.md §7).
func (s *Session) switchUser(ctx context.Context) error {
	s.remote.ready = time.Now().Add(switchUserDelay)
	return s.key(ctx, wire.OpPS, 0)
}

// Standby puts the console into rest mode and ends the session. It fails with
// a [ResultError], [ErrStandbyDisabled] when the console may not rest now; then
// the session lives on. An error that is [ErrUnanswered] leaves open whether the
// console obeys; any other means that it was not asked. For about a minute
// after a standby the console answers nothing (docs/protocol.md §1).
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
		return s.requestResult(ctx, wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult)
	})
	if asked && errors.Is(err, ErrClosed) && s.Err() != nil {
		err = s.restsNow(ctx, err)
	}
	var refusal ResultError
	if asked && !errors.As(err, &refusal) {
		s.console.noteRested()
	}
	switch {
	case err == nil:
		s.end(ErrStandby)
		return nil
	case asked && refusal == 0:
		return fmt.Errorf("%w (%w)", err, ErrUnanswered)
	}
	return err
}

// restsNow decides about a console that hung up without an answer: rest mode
// may show before the silence or after it (docs/protocol.md §7).
func (s *Session) restsNow(ctx context.Context, hungUp error) error {
	status, err := s.console.statusNow(ctx)
	if status.State == StateStandby || errors.Is(err, ErrUnreachable) {
		return nil
	}
	return hungUp
}

// Logout logs the user out of the console. It fails with a [ResultError].
func (s *Session) Logout(ctx context.Context) error {
	return s.command(ctx, func(ctx context.Context) error {
		if err := s.quiet(ctx); err != nil {
			return err
		}
		return s.requestResult(ctx, wire.Empty{Type: wire.TypeLogout}, wire.TypeLogoutResult)
	})
}

// Toggle wakes a console that rests, and puts one to rest that is on; it
// returns the state that the console is in then. It fails as [Console.WakeWait],
// [Console.Open] and [Session.Standby] do.
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

// StartTitle wakes the console if it rests, opens a session, starts a title and
// closes the session. It fails as [Console.WakeWait], [Console.Open] and
// [Session.StartTitle] do.
func (c *Console) StartTitle(ctx context.Context, titleID string, o *StartOptions) error {
	status, err := c.Status(ctx)
	if err == nil && status.State == StateStandby {
		_, err = c.WakeWait(ctx)
	}
	if err != nil {
		return err
	}
	s, err := c.Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.StartTitle(ctx, titleID, o)
}
