package ps4

import (
	"context"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// remote is the state of the remote control, guarded by the session's lock.
//
// Pauses are kept by an instant before which nothing may leave, instead of
// waiting after each packet: a key on a session that has been quiet for a
// moment leaves at once.
type remote struct {
	open    bool
	ready   time.Time // nothing leaves before
	lastKey time.Time
	idle    *time.Timer // runs out when no key has come for a while
}

// Press taps a button. It returns when the packets have left, which is at once
// when the remote control is open and the last key 200 ms ago. It fails with
// [ErrButton] and [ErrClosed].
func (s *Session) Press(ctx context.Context, b Button) error {
	return s.Keys(ctx, Key{Button: b})
}

// Hold presses a button for a time: a minute at most, rounded to milliseconds;
// 0 is a tap. It fails as Press does. When ctx ends first the button is
// released early.
func (s *Session) Hold(ctx context.Context, b Button, d time.Duration) error {
	return s.Keys(ctx, Key{Button: b, Hold: d})
}

// Keys presses one key after the other, with the pauses that the console needs
// (docs/protocol.md §7) and no other command in between. Nothing is sent when
// one of them is no key: [ErrButton].
func (s *Session) Keys(ctx context.Context, keys ...Key) error {
	for _, k := range keys {
		if _, _, err := k.operation(); err != nil {
			return err
		}
	}
	return s.command(ctx, func(ctx context.Context) error {
		for _, k := range keys {
			op, hold, _ := k.operation()
			if err := s.key(ctx, op, hold); err != nil {
				return err
			}
		}
		return nil
	})
}

// key sends one key. What was pressed is released whatever happens.
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

// openRemote sees to it that a key may leave now.
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

// closeRemote ends the remote control, if it is open.
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

// quiet is what has to precede boot, standby and bye: the remote control
// closed, and its pause over.
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

// rest sets the pause after a key, and starts the idle time anew.
func (s *Session) rest(gap time.Duration) {
	s.remote.lastKey = time.Now()
	s.remote.ready = s.remote.lastKey.Add(gap)
	s.remote.idle.Reset(remoteIdle)
}

func (s *Session) operate(op wire.Operation, hold time.Duration) error {
	return s.write(wire.Remote{Operation: op, HoldMS: uint32(hold.Round(time.Millisecond).Milliseconds())}) //nolint:gosec // a minute at most
}

// closeIdleRemote closes the remote control when no key has come for a while.
func (s *Session) closeIdleRemote() {
	for {
		select {
		case <-s.life.Done():
			return
		case <-s.remote.idle.C:
		}
		_ = s.command(s.life, func(ctx context.Context) error {
			if time.Since(s.remote.lastKey) < remoteIdle {
				return nil // a key came first, and has set the timer again
			}
			return s.closeRemote(ctx)
		})
	}
}
