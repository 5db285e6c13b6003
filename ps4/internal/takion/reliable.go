package takion

import (
	"bytes"
	"slices"
	"time"
)

// How often DATA is sent until it is acknowledged. Other clients wait 200 ms and
// send it 25 times; Sony's wait 300 ms and send it 100 times.
const (
	ResendAfter = 200 * time.Millisecond
	MaxSends    = 25
)

// maxFragment is how much of a message fits into a packet, with room for the
// headers of IP and UDP.
const maxFragment = 1400

// Split returns the fragments of a message, each for a DATA packet of its own on
// the same channel. The last one needs FlagLast.
func Split(m Message) [][]byte {
	return slices.Collect(slices.Chunk(m.Append([]byte{0}), maxFragment))
}

// An Outbox holds the control packets that were sent and not acknowledged. Its
// zero value counts from 0.
type Outbox struct {
	next    uint32
	waiting []*sent
}

type sent struct {
	sequence uint32
	packet   []byte
	at       time.Time // when it was last sent
	sends    int
}

// Reset empties the outbox and sets the sequence of the next packet.
func (o *Outbox) Reset(next uint32) { *o = Outbox{next: next} }

// Next returns the sequence of the next packet.
func (o *Outbox) Next() uint32 { return o.next }

// Add keeps a packet with the next sequence, which is sent now.
func (o *Outbox) Add(packet []byte, now time.Time) {
	o.waiting = append(o.waiting, &sent{o.next, packet, now, 1})
	o.next++
}

// Ack forgets the packets up to a sequence, unless it was never sent.
func (o *Outbox) Ack(sequence uint32) {
	if !before(sequence, o.next) {
		return
	}
	n := 0
	for n < len(o.waiting) && !before(sequence, o.waiting[n].sequence) {
		n++
	}
	o.waiting = o.waiting[n:]
}

// before reports whether a comes before b. Serial numbers wrap around.
func before(a, b uint32) bool { return int32(a-b) < 0 } //nolint:gosec // on purpose

// Empty reports whether everything was acknowledged.
func (o *Outbox) Empty() bool { return len(o.waiting) == 0 }

// Due returns the packets to send again, and false if one was sent too often.
func (o *Outbox) Due(now time.Time) (packets [][]byte, alive bool) {
	for _, w := range o.waiting {
		if now.Sub(w.at) < ResendAfter {
			continue
		}
		if w.sends == MaxSends {
			return nil, false
		}
		w.at, w.sends = now, w.sends+1
		packets = append(packets, w.packet)
	}
	return packets, true
}

// Limits of an Inbox.
const (
	maxAhead   = 64       // packets after a gap
	maxMessage = 64 << 10 // bytes
)

// An Inbox puts DATA into order and its fragments together.
type Inbox struct {
	next    uint32
	ahead   map[uint32]Control // packets after a gap
	message []byte             // the fragments so far
}

// Reset empties the inbox and sets the sequence of the first packet.
func (i *Inbox) Reset(first uint32) { *i = Inbox{next: first, ahead: map[uint32]Control{}} }

// Seen reports whether a packet has been received, so that only its
// acknowledgement is missing.
func (i *Inbox) Seen(sequence uint32) bool { return before(sequence, i.next) }

// Acked returns the sequence to acknowledge.
func (i *Inbox) Acked() uint32 { return i.next - 1 }

// Add takes in a DATA packet and returns the messages that it completes.
func (i *Inbox) Add(c Control) ([]Message, error) {
	d, err := ParseData(c.Body)
	switch {
	case err != nil:
		return nil, err
	case i.Seen(d.Sequence):
		return nil, nil
	case d.Sequence-i.next > maxAhead:
		return nil, protocolError("DATA %d is %d ahead", d.Sequence, d.Sequence-i.next)
	}
	c.Body = bytes.Clone(c.Body)
	i.ahead[d.Sequence] = c
	var messages []Message
	for {
		c, ready := i.ahead[i.next]
		if !ready {
			return messages, nil
		}
		delete(i.ahead, i.next)
		i.next++
		if len(i.message) <= maxMessage { // else it is dropped when it ends
			i.message = append(i.message, c.Body[dataHeader:]...)
		}
		if c.Flags&FlagLast == 0 {
			continue
		}
		whole := i.message
		i.message = nil
		if len(whole) > maxMessage {
			return messages, protocolError("message of more than %d bytes", maxMessage)
		}
		if whole[0] != 0 {
			continue // another kind of data
		}
		m, err := ParseMessage(whole[1:])
		if err != nil {
			return messages, err
		}
		messages = append(messages, m)
	}
}
