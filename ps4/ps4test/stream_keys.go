package ps4test

import (
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/takion"
)

// takeFeedbackLocked handles what is not a control packet.
func (s *stream) takeFeedbackLocked(t takion.PacketType, packet []byte) (string, error) {
	position, err := s.Verify(packet)
	if err != nil {
		return "", err
	}
	if t == takion.TypeCongestion {
		_, err := takion.ParseCongestion(packet)
		return "", err
	}
	f, err := takion.OpenFeedback(packet, s.Receive, position)
	if err != nil {
		return "", err
	}
	if t == takion.TypeFeedbackState {
		return "", nil
	}
	events, err := takion.ParseHistory(f.Payload)
	if err != nil {
		return "history", err
	}
	// Each sequence since the last history has one new event.
	fresh := int(int16(f.Sequence-s.next)) + 1 //nolint:gosec // serial numbers wrap around
	if fresh <= 0 {
		return "", nil // a duplicate, or late
	}
	s.next = f.Sequence + 1
	what := "keys"
	for i := min(fresh, len(events)) - 1; i >= 0; i-- {
		what += " " + s.eventLocked(events[i])
	}
	return what, nil
}

// streamButtons are the names of the buttons, and what they are in the 2nd
// Screen protocol.
var streamButtons = map[takion.Button]struct {
	button ps4.Button
	op     Operation
}{
	takion.Up: {ps4.Up, Up}, takion.Down: {ps4.Down, Down}, takion.Left: {ps4.Left, Left}, takion.Right: {ps4.Right, Right},
	takion.Cross: {ps4.Enter, Enter}, takion.Circle: {ps4.Back, Back}, takion.Options: {ps4.Option, Option}, takion.PS: {ps4.PS, PS},
	takion.Triangle: {ps4.Triangle, 0}, takion.Square: {ps4.Square, 0}, takion.Share: {ps4.Share, 0},
	takion.L1: {ps4.L1, 0}, takion.R1: {ps4.R1, 0}, takion.L2: {ps4.L2, 0}, takion.R2: {ps4.R2, 0},
	takion.L3: {ps4.L3, 0}, takion.R3: {ps4.R3, 0}, takion.Touchpad: {ps4.Touchpad, 0},
}

// tapLimit is how long a button of a stream may be down to count as tapped.
const tapLimit = 300 * time.Millisecond

// eventLocked records a press, or a release: as a hold if it took long.
func (s *stream) eventLocked(e takion.Event) string {
	c := s.console
	known := streamButtons[e.Button]
	key := Key{At: time.Now(), Op: known.op, Button: known.button, Accepted: true}
	since, held := s.down[e.Button]
	switch {
	case e.Down == held:
		c.log.counters.StreamErrors++
		return key.String() + " unchanged"
	case e.Down:
		s.down[e.Button] = key.At
		c.pressedLocked(key)
	default:
		delete(s.down, e.Button)
		if hold := key.At.Sub(since); hold >= tapLimit {
			key.Hold, key.repeated = hold, true
		} else {
			key.Op, key.Button = KeyOff, 0
		}
	}
	c.log.counters.Operations++
	c.log.keys = add(c.log.keys, key)
	return key.String()
}
