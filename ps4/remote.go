package ps4

import (
	"context"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// remote is the state of the remote control, guarded by the session's lock.
//
// A pause is the time before which no packet may leave, rather than a wait
// after each packet: a key on a session that has been quiet for a moment leaves
// at once.
type remote struct {
	open    bool
	ready   time.Time // no packet leaves before
	lastKey time.Time
	idle    *time.Timer // fires remoteIdle after the last key
}

// Press taps a button. It returns once the packets have left. That is at once
// if the remote control is open and the last key was 200 ms ago (1 s for PS),
// and up to 1.7 s later on a new session (docs/protocol.md §7). Press fails
// with [ErrButton] or [ErrClosed].
func (s *Session) Press(ctx context.Context, b Button) error {
	return s.Keys(ctx, Key{Button: b})
}

// Hold presses a button for d, rounded to milliseconds and at most a minute; 0
// means a tap. If ctx ends first, the button is released early. Hold fails as
// Press does.
func (s *Session) Hold(ctx context.Context, b Button, d time.Duration) error {
	return s.Keys(ctx, Key{Button: b, Hold: d})
}

// Keys presses keys one after the other, with the pauses that the console needs
// (docs/protocol.md §7) and no other command in between. If a key is invalid,
// Keys fails with [ErrButton] and sends none of them. Otherwise it fails as
// Press does.
func (s *Session) Keys(ctx context.Context, keys ...Key) error {
	if err := CheckKeys(keys...); err != nil {
		return err
	}
	return s.command(ctx, func(ctx context.Context) error {
		for _, k := range keys {
			op, hold, _ := k.operation()
			if err := s.key(ctx, op, hold); err != nil {
				return err
			}
			s.pressed.Add(1)
		}
		return nil
	})
}

// key sends one key. It releases the button even if ctx ends.
func (s *Session) key(ctx context.Context, op wire.Operation, hold time.Duration) error {
	if err := s.openRemote(ctx); err != nil {
		return err
	}
	if err := s.operate(op, 0); err != nil {
		return err
	}
	gap := keyGap
	if op == wire.OpPS {
		gap = psGap
	}
	if hold == 0 {
		err := s.operate(wire.OpKeyOff, 0)
		s.rest(gap)
		return err
	}
	pressed := time.Now()
	interrupted := sleep(ctx, hold)
	if interrupted != nil {
		hold = min(hold, time.Since(pressed))
	}
	err := s.operate(op, hold)
	if err == nil && op != wire.OpPS { // KEY_OFF would break a PS hold (docs/protocol.md §7)
		err = s.operate(wire.OpKeyOff, 0)
	}
	s.rest(gap)
	if err != nil {
		return err
	}
	return interrupted
}

// openRemote opens the remote control, if necessary, and waits until a key may
// leave.
func (s *Session) openRemote(ctx context.Context) error {
	if s.remote.open {
		return s.pace(ctx)
	}
	if first := s.connected.Add(remoteAfterConnect); s.remote.ready.Before(first) {
		s.remote.ready = first
	}
	if err := s.pace(ctx); err != nil {
		return err
	}
	if err := s.operate(wire.OpOpenRC, 0); err != nil {
		return err
	}
	s.remote.open = true
	s.rest(remoteSettle)
	return s.pace(ctx)
}

// closeRemote closes the remote control, if it is open.
func (s *Session) closeRemote(ctx context.Context) error {
	if !s.remote.open {
		return nil
	}
	if err := s.pace(ctx); err != nil {
		return err
	}
	if err := s.operate(wire.OpCloseRC, 0); err != nil {
		return err
	}
	s.remote.open = false
	s.remote.idle.Stop()
	s.remote.ready = time.Now().Add(remoteSettle)
	return nil
}

// quiet closes the remote control and waits for its pause to end, as boot,
// standby and bye require.
func (s *Session) quiet(ctx context.Context) error {
	if err := s.closeRemote(ctx); err != nil {
		return err
	}
	return s.pace(ctx)
}

// pace waits until the next packet may leave.
func (s *Session) pace(ctx context.Context) error {
	return sleep(ctx, time.Until(s.remote.ready))
}

// rest sets the pause after a key, and restarts the idle time.
func (s *Session) rest(gap time.Duration) {
	s.remote.lastKey = time.Now()
	s.remote.ready = s.remote.lastKey.Add(gap)
	s.remote.idle.Reset(remoteIdle)
}

func (s *Session) operate(op wire.Operation, hold time.Duration) error {
	return s.write(wire.Remote{Operation: op, HoldMS: uint32(hold.Round(time.Millisecond).Milliseconds())}) //nolint:gosec // a minute at most
}

// closeIdleRemote closes the remote control after remoteIdle without a key.
func (s *Session) closeIdleRemote() {
	for {
		select {
		case <-s.life.Done():
			return
		case <-s.remote.idle.C:
		}
		_ = s.command(s.life, func(ctx context.Context) error {
			if time.Since(s.remote.lastKey) < remoteIdle {
				return nil // a key came first and restarted the timer
			}
			return s.closeRemote(ctx)
		})
	}
}
