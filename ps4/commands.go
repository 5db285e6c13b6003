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
	if err == nil {
		s.console.noteRested()
		s.end(ErrStandby)
		return nil
	}
	if answer := ResultError(0); asked && !errors.As(err, &answer) {
		return fmt.Errorf("%w (%w)", err, ErrUnanswered)
	}
	return err
}

// restsNow decides about a console that hung up without an answer: rest mode
// may show before the silence or after it (docs/protocol.md §7).
func (s *Session) restsNow(ctx context.Context, hungUp error) error {
	status, err := s.console.statusWithin(ctx, statusLimit)
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
