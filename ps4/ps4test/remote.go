package ps4test

import (
	"fmt"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Operation is the operation of a remote packet (docs/protocol.md §5). Its
// String method returns "up", "key_off", "open_rc" and so on.
type Operation = wire.Operation

// Operations.
const (
	Up      = wire.OpUp
	Down    = wire.OpDown
	Right   = wire.OpRight
	Left    = wire.OpLeft
	Enter   = wire.OpEnter
	Back    = wire.OpBack
	Option  = wire.OpOption
	PS      = wire.OpPS
	KeyOff  = wire.OpKeyOff
	Cancel  = wire.OpCancel
	OpenRC  = wire.OpOpenRC
	CloseRC = wire.OpCloseRC
)

func isButton(o Operation) bool {
	switch o {
	case Up, Down, Right, Left, Enter, Back, Option, PS, Cancel:
		return true
	}
	return false
}

// Key is a remote-control operation that a console received, or a press or a
// release in a Remote Play stream.
type Key struct {
	At       time.Time
	Op       Operation     // 0 for a button that 2nd Screen lacks
	Button   ps4.Button    // pressed in a stream; 0 with 2nd Screen, and for a release
	Hold     time.Duration // as in the packet; measured in a stream, and 0 for a tap
	Accepted bool          // false: remote control was closed, or the key came too soon
	repeated bool          // the button was already down: the second packet of a hold
}

// String returns the operation, with its hold time, and an exclamation mark if
// the console ignored it: "up", "ps:2000", "enter!".
func (k Key) String() string {
	s := k.Op.String()
	if k.Button != 0 {
		s = k.Button.String()
	}
	if k.Hold > 0 {
		s += fmt.Sprintf(":%d", k.Hold.Milliseconds())
	}
	if !k.Accepted {
		s += "!"
	}
	return s
}

// remote is the remote control of a session.
type remote struct {
	open bool
	last time.Time // of the last operation
	free time.Time // when the next press may come
	held Operation // the button that is down
}

// handleRemoteLocked handles a remote-control operation, which has no answer.
func (s *session) handleRemoteLocked(p wire.Packet) (what, outcome string, err error) {
	c := s.console
	m, err := wire.UnmarshalRemote(p)
	if err != nil {
		return "", "", fmt.Errorf("remote: %w", err)
	}
	key := Key{
		At: time.Now(), Op: m.Operation, Hold: time.Duration(m.HoldMS) * time.Millisecond, Accepted: true,
		repeated: m.Operation == s.remote.held,
	}
	what = "remote " + key.String()
	refusal := s.pressLocked(key)
	key.Accepted = refusal == ""
	c.log.counters.Operations++
	c.log.keys = add(c.log.keys, key)
	if !key.Accepted {
		c.log.counters.OpsIgnored++
		return what, "ignored: " + refusal, nil
	}
	if isButton(key.Op) && !key.repeated {
		c.pressedLocked(key)
	}
	return what, "", nil
}

// pressLocked returns why the console ignores an operation, or "" if it accepts
// it. Only a console with StrictKeys has limits of time: pyps4-2ndscreen sends
// OPEN_RC, the key and KEY_OFF at once (docs/protocol.md §9).
func (s *session) pressLocked(k Key) (refusal string) {
	var limits Timing
	if s.console.cfg.StrictKeys {
		limits = s.console.cfg.Timing
	}
	r := &s.remote
	if limits.RemoteIdle > 0 && k.At.Sub(r.last) >= limits.RemoteIdle {
		r.open = false
	}
	r.last = k.At
	switch {
	case !s.loggedIn:
		return "not logged in"
	case k.Op == OpenRC && k.At.Sub(s.since) < limits.RemoteReady:
		return "too soon after the connection"
	case k.Op == OpenRC:
		*r = remote{open: true, last: k.At, free: k.At.Add(limits.KeyGap)}
	case !r.open:
		return "remote control is closed"
	case k.Op == CloseRC:
		r.open = false
	case k.Op == KeyOff, k.repeated && k.Op == PS: // no KEY_OFF follows a hold of PS
		gap := limits.KeyGap
		if r.held == PS {
			gap = limits.KeyGapPS
		}
		r.held, r.free = 0, k.At.Add(gap)
	case !isButton(k.Op):
		return "no such operation"
	case k.repeated:
	case k.At.Before(r.free):
		return "too soon after the last key"
	default:
		r.held = k.Op
	}
	return ""
}

// noteRemoteOpenLocked counts a command that came while remote control was
// open. Clients should close it first (docs/protocol.md §7).
func (s *session) noteRemoteOpenLocked() {
	if s.remote.open {
		s.console.log.counters.RemoteLeftOpen++
	}
}
