package takion

import "encoding/binary"

// feedbackHeader is the length of the header of the state and of the history.
const feedbackHeader = 12

// Feedback is a packet with the state or the history of the buttons.
type Feedback struct {
	Type     PacketType
	Sequence uint16 // each type counts from 0
	Payload  []byte
}

// Append appends the sealed and signed packet to b.
func (f Feedback) Append(b []byte, k *Key, position uint64) []byte {
	start := len(b)
	b = append(b, byte(f.Type))
	b = binary.BigEndian.AppendUint16(b, f.Sequence)
	b = append(b, make([]byte, feedbackHeader-3)...)
	b = append(b, f.Payload...)
	k.Seal(b[start+feedbackHeader:], position)
	k.Sign(b[start:], position)
	return b
}

// OpenFeedback returns the content of a packet whose signature was verified,
// and opens it in place.
func OpenFeedback(packet []byte, k *Key, position uint64) (Feedback, error) {
	if len(packet) < feedbackHeader {
		return Feedback{}, protocolError("feedback of %d bytes", len(packet))
	}
	payload := packet[feedbackHeader:]
	k.Seal(payload, position)
	return Feedback{TypeOf(packet), binary.BigEndian.Uint16(packet[1:]), payload}, nil
}

// idle is the state of a controller that lies still, with its four sticks at
// rest. A PS5 expects three more bytes.
const idle = "\xa0\xff\x7f\xff\x7f\xff\x7f\xff\x7f\x99\x99\xff\x7f\xfe\xf7\xef\x1f" +
	"\x00\x00\x00\x00\x00\x00\x00\x00"

// IdleState returns the state of a controller that lies still.
func IdleState(version uint64) []byte {
	if version < VersionPS5 {
		return []byte(idle)
	}
	return []byte(idle + "\x00\x00\x01")
}

// Button is a button of the controller.
type Button byte

// Buttons, in the order of their codes.
const (
	Up Button = iota
	Down
	Left
	Right
	L1
	R1
	L2
	R2
	Cross
	Circle
	Square
	Triangle
	Options
	Share
	PS
	L3
	R3
	Touchpad
	buttons // how many there are
)

// Codes of an event. Those of the buttons from Options on have a bit for down in
// place of a byte with the state.
const (
	eventButton  = 0x80
	codeFirst    = 0x80
	codeDown     = 0x20
	stateDown    = 0xff
	eventTouchUp = 0xc0
	eventTouch   = 0xd0
	touchLen     = 5
)

// Event is a change of a button.
type Event struct {
	Button Button
	Down   bool
}

// HistoryLen is how many events a client puts into a packet. All but the newest
// were sent before, so that a packet may be lost.
const HistoryLen = 5

// AppendHistory appends events, the newest first.
func AppendHistory(b []byte, events []Event) []byte {
	for _, e := range events {
		code := codeFirst + byte(e.Button)
		switch {
		case e.Button >= Options && e.Down:
			b = append(b, eventButton, code+codeDown)
		case e.Button >= Options:
			b = append(b, eventButton, code)
		case e.Down:
			b = append(b, eventButton, code, stateDown)
		default:
			b = append(b, eventButton, code, 0)
		}
	}
	return b
}

// ParseHistory returns the events of a history. It ignores touches.
func ParseHistory(b []byte) ([]Event, error) {
	var events []Event
	for len(b) > 0 {
		if b[0] == eventTouch || b[0] == eventTouchUp {
			if len(b) < touchLen {
				return nil, protocolError("touch of %d bytes", len(b))
			}
			b = b[touchLen:]
			continue
		}
		if len(b) < 2 || b[0] != eventButton || b[1] < codeFirst {
			return nil, protocolError("event of %d bytes", len(b))
		}
		e := Event{Button: Button(b[1] - codeFirst)}
		n := 2
		switch {
		case e.Button < Options && len(b) > n:
			e.Down = b[n] != 0
			n++
		case e.Button >= Options+codeDown && e.Button < buttons+codeDown:
			e.Button, e.Down = e.Button-codeDown, true
		case e.Button < Options || e.Button >= buttons:
			return nil, protocolError("event %#x of %d bytes", b[1], len(b))
		}
		events = append(events, e)
		b = b[n:]
	}
	return events, nil
}
