package takion

import "encoding/binary"

// MessageType is the type of a message.
type MessageType uint64

// Types of messages, and who sends them.
const (
	TypeBig                  MessageType = 0  // client
	TypeBang                 MessageType = 1  // console
	TypeHeartbeat            MessageType = 3  // both
	TypeDisconnect           MessageType = 8  // both
	TypeStreamInfo           MessageType = 13 // console
	TypeStreamInfoAck        MessageType = 14 // client
	TypeControllerConnection MessageType = 21 // client
	TypeVersions             MessageType = 31 // client
	TypeVersionsAck          MessageType = 32 // console
)

// payloadFields are the fields of the payloads. Other types have none here.
var payloadFields = map[MessageType]uint64{
	TypeBig: 2, TypeBang: 3, TypeDisconnect: 10, TypeStreamInfo: 15, TypeControllerConnection: 22,
	TypeVersions: 31, TypeVersionsAck: 32,
}

// Message is a message in the protobuf encoding.
type Message struct {
	Type    MessageType
	Payload []byte
}

// Append appends the bytes of the message to b.
func (m Message) Append(b []byte) []byte {
	b = appendNumber(b, 1, uint64(m.Type))
	if field := payloadFields[m.Type]; field != 0 {
		b = appendBytes(b, field, m.Payload)
	}
	return b
}

// ParseMessage returns the content of a message. The payload is part of it.
func ParseMessage(b []byte) (Message, error) {
	f, err := parseFields(b)
	if err != nil {
		return Message{}, err
	}
	t, typed := f.numbers[1]
	if !typed {
		return Message{}, protocolError("a message without a type")
	}
	return Message{MessageType(t), f.bytes[payloadFields[MessageType(t)]]}, nil
}

// Versions of the stream's protocol, for BIG. Consoles may accept others
// (docs/protocol.md §15).
const (
	VersionPS4      = 9
	VersionPS5      = 12
	VersionSenkusha = 9
)

// Big opens a stream.
type Big struct {
	Version    uint64
	SessionKey string // the session id
	LaunchSpec string // sealed, as base64
	PublicKey  []byte // empty for senkusha
	Signature  []byte // of PublicKey
}

// Message returns the message.
func (m Big) Message() Message {
	b := appendNumber(nil, 1, m.Version)
	b = appendBytes(b, 2, []byte(m.SessionKey))
	b = appendBytes(b, 3, []byte(m.LaunchSpec))
	if len(m.PublicKey) == 0 {
		return Message{TypeBig, appendBytes(b, 4, nil)}
	}
	b = appendBytes(b, 4, make([]byte, 4)) // the encrypted key, which is not used
	b = appendBytes(b, 5, m.PublicKey)
	return Message{TypeBig, appendBytes(b, 6, m.Signature)}
}

// ParseBig returns the content of a message of that type.
func ParseBig(m Message) (Big, error) {
	f, err := parseFields(m.Payload)
	return Big{f.numbers[1], string(f.bytes[2]), string(f.bytes[3]), f.bytes[5], f.bytes[6]}, err
}

// Bang is the answer to Big.
type Bang struct {
	Version         uint64
	KeyAccepted     bool
	VersionAccepted bool
	SessionKey      string
	PublicKey       []byte
	Signature       []byte
}

// Message returns the message.
func (m Bang) Message() Message {
	b := appendNumber(nil, 1, m.Version)
	b = appendNumber(b, 2, 0) // a token
	b = appendBool(b, 3, m.KeyAccepted)
	b = appendBool(b, 4, m.VersionAccepted)
	b = appendBytes(b, 5, []byte(m.SessionKey))
	if len(m.PublicKey) == 0 {
		return Message{TypeBang, b}
	}
	b = appendBytes(b, 8, m.PublicKey)
	return Message{TypeBang, appendBytes(b, 9, m.Signature)}
}

// ParseBang returns the content of a message of that type.
func ParseBang(m Message) (Bang, error) {
	f, err := parseFields(m.Payload)
	return Bang{f.numbers[1], f.numbers[3] != 0, f.numbers[4] != 0, string(f.bytes[5]), f.bytes[8], f.bytes[9]}, err
}

// StreamInfo returns the description of a stream. Clients of this package
// ignore it.
func StreamInfo(width, height uint64, videoHeader, audioHeader []byte) Message {
	resolution := appendBytes(appendNumber(appendNumber(nil, 1, width), 2, height), 3, videoHeader)
	b := appendBytes(appendBytes(nil, 1, resolution), 2, audioHeader)
	for timeout := uint64(3); timeout <= 6; timeout++ {
		b = appendNumber(b, timeout, 100)
	}
	return Message{TypeStreamInfo, b}
}

// Types of controllers.
const (
	DualShock4 = 2
	DualSense  = 6
)

// ControllerConnection plugs a controller in.
type ControllerConnection struct {
	Connected  bool
	Controller uint64 // DualShock4 or DualSense
}

// Message returns the message.
func (m ControllerConnection) Message() Message {
	b := appendNumber(nil, 1, 0) // the first controller
	return Message{TypeControllerConnection, appendNumber(appendBool(b, 2, m.Connected), 3, m.Controller)}
}

// ParseControllerConnection returns the content of a message of that type.
func ParseControllerConnection(m Message) (ControllerConnection, error) {
	f, err := parseFields(m.Payload)
	return ControllerConnection{f.numbers[2] != 0, f.numbers[3]}, err
}

// Disconnect ends a stream.
type Disconnect struct{ Reason string }

// Message returns the message.
func (m Disconnect) Message() Message {
	return Message{TypeDisconnect, appendBytes(nil, 1, []byte(m.Reason))}
}

// ParseDisconnect returns the content of a message of that type.
func ParseDisconnect(m Message) (Disconnect, error) {
	f, err := parseFields(m.Payload)
	return Disconnect{string(f.bytes[1])}, err
}

// Versions returns the message that lists one version, or the answer to it.
func Versions(t MessageType, version uint64) Message {
	return Message{t, appendNumber(nil, 1, version)}
}

// The protobuf encoding: a field is a varint, its number and its kind, and then
// a varint, or a length and bytes.
const (
	kindVarint = 0
	kind64     = 1
	kindBytes  = 2
	kind32     = 5
)

func appendNumber(b []byte, field, n uint64) []byte {
	b = binary.AppendUvarint(b, field<<3|kindVarint)
	return binary.AppendUvarint(b, n)
}

func appendBool(b []byte, field uint64, v bool) []byte {
	if v {
		return appendNumber(b, field, 1)
	}
	return appendNumber(b, field, 0)
}

func appendBytes(b []byte, field uint64, v []byte) []byte {
	b = binary.AppendUvarint(b, field<<3|kindBytes)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// fields are those of a message. Only the last of those with the same number
// and kind counts.
type fields struct {
	numbers map[uint64]uint64
	bytes   map[uint64][]byte
}

func parseFields(b []byte) (fields, error) {
	f := fields{map[uint64]uint64{}, map[uint64][]byte{}}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		field := key >> 3
		if n <= 0 || field == 0 {
			return fields{}, protocolError("the number of a field is malformed")
		}
		b = b[n:]
		switch kind := key & 7; kind {
		case kindVarint:
			if f.numbers[field], n = binary.Uvarint(b); n <= 0 {
				return fields{}, protocolError("field %d is malformed", field)
			}
		case kindBytes:
			length, size := binary.Uvarint(b)
			if size <= 0 || length > uint64(len(b)-size) { //nolint:gosec // size is less
				return fields{}, protocolError("field %d is cut short", field)
			}
			n = size + int(length) //nolint:gosec // at most len(b)
			f.bytes[field] = b[size:n]
		case kind64, kind32: // no message has one
			n = 8
			if kind == kind32 {
				n = 4
			}
			if len(b) < n {
				return fields{}, protocolError("field %d is cut short", field)
			}
		default:
			return fields{}, protocolError("field %d has kind %d", field, kind)
		}
		b = b[n:]
	}
	return f, nil
}
