package takion

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// An Endpoint is one side of an association. Write sends a packet, and may lose
// it. An Endpoint is not safe for concurrent use.
type Endpoint struct {
	Write         func(packet []byte)
	Local, Remote uint32 // tags
	Out           Outbox
	In            Inbox
	Send, Receive *Key   // nil before the key agreement
	signed        uint32 // sequence of the first DATA that was signed
	position      uint64 // of the next packet
	highest       uint64 // of the packets verified
}

// NewEndpoint returns an endpoint with a random tag, which is also the sequence
// of its first DATA.
func NewEndpoint(write func(packet []byte)) *Endpoint {
	e := &Endpoint{Write: write}
	for e.Local == 0 {
		var tag [4]byte
		_, _ = rand.Read(tag[:])
		e.Local = binary.BigEndian.Uint32(tag[:])
	}
	e.Out.Reset(e.Local)
	e.signed = e.Local
	return e
}

// Init returns the body of INIT or, with a cookie, of INIT_ACK.
func (e *Endpoint) Init(cookie []byte) []byte {
	return Init{Tag: e.Local, Sequence: e.Local, Cookie: cookie}.Append(nil)
}

// Control sends a control packet, signed if there is a key, and returns it.
func (e *Endpoint) Control(chunk Chunk, flags byte, body []byte) []byte {
	packet := Control{Tag: e.Remote, Chunk: chunk, Flags: flags, Body: body}.Append(nil)
	if e.Send != nil {
		e.Sign(packet, len(body))
	}
	e.Write(packet)
	return packet
}

// Sign signs a packet at the next position.
func (e *Endpoint) Sign(packet []byte, payload int) {
	e.Send.Sign(packet, e.position)
	e.position = Advance(e.position, payload)
}

// Feedback sends the state or the history, and returns the packet.
func (e *Endpoint) Feedback(f Feedback) []byte {
	packet := f.Append(nil, e.Send, e.position)
	e.position = Advance(e.position, len(f.Payload))
	e.Write(packet)
	return packet
}

// Say sends a message. Resend repeats it until it is acknowledged.
func (e *Endpoint) Say(channel uint16, m Message) {
	fragments := Split(m)
	for i, fragment := range fragments {
		flags := byte(0)
		if i == len(fragments)-1 {
			flags = FlagLast
		}
		d := Data{Sequence: e.Out.Next(), Channel: channel, Fragment: fragment}
		e.Out.Add(e.Control(ChunkData, flags, d.Append(nil)), time.Now())
	}
	if e.Send == nil {
		e.signed = e.Out.Next()
	}
}

// Resend repeats packets that were not acknowledged in time. It returns false if
// the other side has stopped acknowledging.
func (e *Endpoint) Resend() (alive bool) {
	packets, alive := e.Out.Due(time.Now())
	for _, p := range packets {
		e.Write(p)
	}
	return alive
}

// Verify returns the position of a packet. Once there is a key, it fails if the
// signature is wrong.
func (e *Endpoint) Verify(packet []byte) (position uint64, err error) {
	if e.Receive == nil {
		return 0, nil
	}
	position, valid := e.Receive.Verify(packet, e.highest)
	if !valid {
		return 0, protocolError("wrong signature of a packet of type %d", TypeOf(packet))
	}
	e.highest = max(e.highest, position)
	return position, nil
}

// Take handles a packet with DATA, which it acknowledges, or DATA_ACK. It
// returns the messages that are complete.
func (e *Endpoint) Take(c Control, packet []byte) ([]Message, error) {
	if c.Chunk == ChunkDataAck {
		ack, err := ParseDataAck(c.Body)
		if err == nil && !before(ack.Sequence, e.signed) { // others are acknowledged without a signature
			_, err = e.Verify(packet)
		}
		if err == nil {
			e.Out.Ack(ack.Sequence)
		}
		return nil, err
	}
	d, err := ParseData(c.Body)
	if err != nil {
		return nil, err
	}
	var messages []Message
	if !e.In.Seen(d.Sequence) { // else it may be one from before the key agreement, without a signature
		if _, err := e.Verify(packet); err != nil {
			return nil, err
		}
		messages, err = e.In.Add(c)
	}
	e.Control(ChunkDataAck, 0, DataAck{Sequence: e.In.Acked()}.Append(nil))
	return messages, err
}
