// Package takion reads and writes the stream of a Remote Play session, over UDP:
// the transport that Sony calls Takion, its messages, its cryptography, and the
// packets that carry the buttons. All rules are in docs/protocol.md §15.
//
// Everything is big endian. The low four bits of the first byte are the type of
// a packet. A control packet carries one chunk:
//
//	 0   1     5      9          13      14      15       17
//	+---+-----+------+----------+-------+-------+--------+------+
//	| 0 | tag | GMAC | position | chunk | flags | length | body |
//	+---+-----+------+----------+-------+-------+--------+------+
//
// The receiver chose the tag, and length counts the body and 4 bytes more. Four
// chunks open an association, and two carry data:
//
//	-> INIT   <- INIT_ACK, with a cookie   -> COOKIE   <- COOKIE_ACK
//	   DATA   sequence, channel, 0, a fragment of a message
//	   DATA_ACK   the last sequence before a gap
//
// The client reports its buttons in packets of their own, which need no
// acknowledgement:
//
//	 0   1          3   4          8      12
//	+---+----------+---+----------+------+----------------+
//	| 1 | sequence | 0 | position | GMAC | sealed history |   or 6, the state
//	+---+----------+---+----------+------+----------------+
//
// position counts the bytes of the key stream that the sender has used. Each
// direction has its own [Key], from a secret that both sides agree on with a
// [Handshake].
//
// The package holds no connection: it serves clients and simulated consoles.
package takion

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Offsets of the ports from the port of the session (docs/protocol.md §15).
const (
	PortOffset         = 1 // of the stream: 9296
	SenkushaPortOffset = 2 // of the probe that precedes it: 9297
)

// ErrProtocol is wrapped by errors about bytes that violate the protocol.
var ErrProtocol = errors.New("takion: protocol error")

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// PacketType is the type of a packet.
type PacketType byte

// Types of packets.
const (
	TypeControl         PacketType = 0
	TypeFeedbackHistory PacketType = 1 // client
	TypeVideo           PacketType = 2 // console
	TypeAudio           PacketType = 3 // console
	TypeCongestion      PacketType = 5 // client
	TypeFeedbackState   PacketType = 6 // client
)

// TypeOf returns the type of a packet that has at least one byte.
func TypeOf(packet []byte) PacketType { return PacketType(packet[0] & 0x0f) }

// Chunk is the kind of a control packet.
type Chunk byte

// Chunks.
const (
	ChunkData      Chunk = 0
	ChunkInit      Chunk = 1  // client
	ChunkInitAck   Chunk = 2  // console
	ChunkDataAck   Chunk = 3  // both
	ChunkCookie    Chunk = 10 // client
	ChunkCookieAck Chunk = 11 // console
)

// FlagLast marks the last fragment of a message.
const FlagLast = 1

const controlHeader = 17

// MTU is the largest UDP payload of a packet, in bytes. A client claims to have
// measured it.
const MTU = 1454

// Control is a control packet without its signature: see [Key.Sign].
type Control struct {
	Tag   uint32 // of the receiver; 0 in INIT
	Chunk Chunk
	Flags byte
	Body  []byte
}

// Append appends the bytes of the packet to b, with a zero signature.
func (c Control) Append(b []byte) []byte {
	b = append(b, byte(TypeControl))
	b = binary.BigEndian.AppendUint32(b, c.Tag)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(c.Chunk), c.Flags)
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.Body)+4)) //nolint:gosec // a datagram
	return append(b, c.Body...)
}

// ParseControl returns the content of a control packet. Its body is part of the
// packet.
func ParseControl(packet []byte) (Control, error) {
	if len(packet) < controlHeader || TypeOf(packet) != TypeControl {
		return Control{}, protocolError("control packet of %d bytes", len(packet))
	}
	length := int(binary.BigEndian.Uint16(packet[15:])) - 4
	if length != len(packet)-controlHeader {
		return Control{}, protocolError("body of %d bytes in a packet of %d", length, len(packet))
	}
	return Control{
		Tag: binary.BigEndian.Uint32(packet[1:]), Chunk: Chunk(packet[13]), Flags: packet[14], Body: packet[controlHeader:],
	}, nil
}

// Values of INIT and INIT_ACK.
const (
	window  = 0x19000
	streams = 100 // in each direction

	initLen   = 16
	CookieLen = 32
)

// Init is the body of INIT and, with a cookie, of INIT_ACK.
type Init struct {
	Tag      uint32 // of later packets to the sender
	Sequence uint32 // of its first DATA
	Cookie   []byte // of a console, CookieLen bytes; a client has none
}

// Append appends the bytes of the body to b.
func (i Init) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, i.Tag)
	b = binary.BigEndian.AppendUint32(b, window)
	b = binary.BigEndian.AppendUint16(b, streams)
	b = binary.BigEndian.AppendUint16(b, streams)
	b = binary.BigEndian.AppendUint32(b, i.Sequence)
	return append(b, i.Cookie...)
}

// ParseInit returns the content of either body.
func ParseInit(body []byte) (Init, error) {
	if len(body) != initLen && len(body) != initLen+CookieLen {
		return Init{}, protocolError("INIT of %d bytes", len(body))
	}
	return Init{
		Tag: binary.BigEndian.Uint32(body), Sequence: binary.BigEndian.Uint32(body[12:]), Cookie: body[initLen:],
	}, nil
}

// Channels of DATA.
const (
	ChannelControl    = 1
	ChannelStreamInfo = 9
)

const dataHeader = 8

// Data is the body of DATA: a fragment of a message, whose first byte is 0.
type Data struct {
	Sequence uint32
	Channel  uint16
	Fragment []byte
}

// Append appends the bytes of the body to b.
func (d Data) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, d.Sequence)
	b = binary.BigEndian.AppendUint16(b, d.Channel)
	return append(append(b, 0, 0), d.Fragment...)
}

// ParseData returns the content of the body. The fragment is part of it.
func ParseData(body []byte) (Data, error) {
	if len(body) <= dataHeader {
		return Data{}, protocolError("DATA of %d bytes", len(body))
	}
	return Data{binary.BigEndian.Uint32(body), binary.BigEndian.Uint16(body[4:]), body[dataHeader:]}, nil
}

// DataAck is the body of DATA_ACK.
type DataAck struct{ Sequence uint32 }

const ackLen = 12

// Append appends the bytes of the body to b.
func (a DataAck) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, a.Sequence)
	b = binary.BigEndian.AppendUint32(b, window)
	return append(b, 0, 0, 0, 0) // no gaps, no duplicates
}

// ParseDataAck returns the content of the body. Gaps may follow it.
func ParseDataAck(body []byte) (DataAck, error) {
	if len(body) < ackLen {
		return DataAck{}, protocolError("DATA_ACK of %d bytes", len(body))
	}
	return DataAck{binary.BigEndian.Uint32(body)}, nil
}

// Congestion is a report of how many media packets arrived and how many were
// lost.
type Congestion struct{ Received, Lost uint16 }

const congestionLen = 15

// Append appends the bytes of the packet to b, with a zero signature.
func (c Congestion) Append(b []byte) []byte {
	b = append(b, byte(TypeCongestion), 0, 0)
	b = binary.BigEndian.AppendUint16(b, c.Received)
	b = binary.BigEndian.AppendUint16(b, c.Lost)
	return append(b, make([]byte, 8)...)
}

// ParseCongestion returns the content of the packet.
func ParseCongestion(packet []byte) (Congestion, error) {
	if len(packet) != congestionLen || TypeOf(packet) != TypeCongestion {
		return Congestion{}, protocolError("congestion packet of %d bytes", len(packet))
	}
	return Congestion{binary.BigEndian.Uint16(packet[3:]), binary.BigEndian.Uint16(packet[5:])}, nil
}
