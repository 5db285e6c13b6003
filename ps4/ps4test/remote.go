package ps4test

import (
	"fmt"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Operation is what a remote packet asks for (docs/protocol.md §5).
type Operation uint32

// Operations.
const (
	Up      = Operation(wire.OpUp)
	Down    = Operation(wire.OpDown)
	Right   = Operation(wire.OpRight)
	Left    = Operation(wire.OpLeft)
	Enter   = Operation(wire.OpEnter)
	Back    = Operation(wire.OpBack)
	Option  = Operation(wire.OpOption)
	PS      = Operation(wire.OpPS)
	KeyOff  = Operation(wire.OpKeyOff)
	Cancel  = Operation(wire.OpCancel)
	OpenRC  = Operation(wire.OpOpenRC)
	CloseRC = Operation(wire.OpCloseRC)
)

// String returns "up", "key_off", "open_rc" and so on.
func (o Operation) String() string {
	names := map[Operation]string{
		Up: "up", Down: "down", Right: "right", Left: "left", Enter: "enter", Back: "back", Option: "option",
		PS: "ps", KeyOff: "key_off", Cancel: "cancel", OpenRC: "open_rc", CloseRC: "close_rc",
	}
	if name, known := names[o]; known {
		return name
	}
	return fmt.Sprintf("Operation(%d)", uint32(o))
}

func (o Operation) isButton() bool {
	switch o {
	case Up, Down, Right, Left, Enter, Back, Option, PS, Cancel:
		return true
	}
	return false
}

// Key is a remote-control operation that a console received.
type Key struct {
	At       time.Time
	Op       Operation
	Hold     time.Duration // as the packet says
	Accepted bool          // false: remote control was closed, or it came too soon
}

// String returns the operation, with its hold time and an exclamation mark when
// it was ignored: "up", "ps:2000", "enter!".
func (k Key) String() string {
	var b strings.Builder
	b.WriteString(k.Op.String())
	if k.Hold > 0 {
		fmt.Fprintf(&b, ":%d", k.Hold.Milliseconds())
	}
	if !k.Accepted {
		b.WriteByte('!')
	}
	return b.String()
}

// remote is the remote control of a session.
type remote struct {
	open bool
	last time.Time // the last operation
	free time.Time // when the next press may come
	held Operation // the button that is down: its second packet is its hold
}

// operate takes one remote-control operation; it is never answered.
func (s *session) operate(p wire.Packet) error {
	m, err := wire.UnmarshalRemote(p)
	if err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	key := Key{At: time.Now(), Op: Operation(m.Operation), Hold: time.Duration(m.HoldMS) * time.Millisecond}
	s.console.update(func() {
		c := s.console
		key.Accepted = s.loggedIn && s.pressLocked(key)
		c.log.addKey(key)
		if key.Accepted && key.Op.isButton() {
			c.pressedLocked(key)
		}
	})
	return nil
}

// pressLocked tells whether the console takes an operation, by the pacing of
// docs/protocol.md §7.
func (s *session) pressLocked(k Key) bool {
	t, r := s.console.cfg.Timing, &s.remote
	if r.open && t.RemoteIdle > 0 && k.At.Sub(r.last) >= t.RemoteIdle {
		r.open = false
	}
	r.last = k.At
	switch {
	case k.Op == OpenRC:
		if k.At.Sub(s.since) < t.RemoteReady {
			return false
		}
		r.open, r.free = true, k.At.Add(t.KeyGap)
	case !r.open:
		return false
	case k.Op == CloseRC:
		r.open = false
	case k.Op == KeyOff:
		r.release(k.At, t)
	case !k.Op.isButton():
		return false
	case k.Hold > 0 && r.held == k.Op:
		if k.Op == PS { // no KEY_OFF follows a PS hold
			r.release(k.At, t)
		}
	case k.At.Before(r.free):
		return false
	default:
		r.held = k.Op
	}
	return true
}

// release ends a press; the next one may come after a gap.
func (r *remote) release(at time.Time, t Timing) {
	gap := t.KeyGap
	if r.held == PS {
		gap = t.KeyGapPS
	}
	r.held, r.free = 0, at.Add(gap)
}

// noteRemoteOpenLocked counts a command that came with remote control open:
// clients are to close it first (docs/protocol.md §7).
func (s *session) noteRemoteOpenLocked() {
	if s.remote.open {
		s.console.log.counters.RemoteLeftOpen++
	}
}
