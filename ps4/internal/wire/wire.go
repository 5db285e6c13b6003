// Package wire reads and writes the packets of the 2nd Screen protocol over TCP.
//
// All numbers are little endian (docs/protocol.md §4 and §5):
//
//	 0        4        8
//	+--------+--------+---------------------+ - - - - +
//	| length |  type  | fields              | padding |
//	+--------+--------+---------------------+ - - - - +
//
// length counts the header and the fields, not the padding. The two hellos and
// the handshake go in the clear and have no padding:
//
//	-> hello      28 bytes   type, version, 16 zero bytes
//	<- hello      36 bytes   version, status, option, IV at 20
//	-> handshake 280 bytes   RSA-OAEP of the AES key at 8, IV at 264
//
// Both directions are then encrypted with AES-128-CBC. Each chains from the IV
// for the life of the connection and pads every packet with zeros to a multiple
// of 16. TCP may split and join packets anywhere, so they are read by length.
//
// Each message is a struct. Marshal returns its bytes without padding, and an
// Unmarshal function parses the packet that was read. Strings are fixed-size
// fields, padded with zeros; a full field has no terminator.
package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ps4kit/ps4kit/internal/text"
)

// Type is the type of a packet.
type Type uint32

// Packet types (docs/protocol.md §5).
const (
	TypeHello           Type = 0x6f636370 // "pcco", both ways
	TypeHandshake       Type = 0x20
	TypeBye             Type = 4
	TypeLoginResult     Type = 7
	TypeBoot            Type = 10
	TypeBootResult      Type = 11
	TypeKeyboardStart   Type = 12
	TypeKeyboardStarted Type = 13
	TypeKeyboardText    Type = 14 // both ways
	TypeKeyboardControl Type = 16 // both ways
	TypeHeartbeat       Type = 18
	TypeStatus          Type = 20
	TypeStandby         Type = 26
	TypeStandbyResult   Type = 27
	TypeRemote          Type = 28
	TypeLogin           Type = 30
	TypeLogout          Type = 34
	TypeLogoutResult    Type = 35
)

// Limits of the length field (docs/protocol.md §4).
const (
	headerLen = 8
	MaxLength = 4096
)

// ErrProtocol is wrapped by errors about bytes that violate the protocol. The
// connection that they came from is no longer usable.
var ErrProtocol = errors.New("protocol error")

// Packet is a packet without its header and padding. Conn.Read reuses Body.
type Packet struct {
	Type Type
	Body []byte
}

// Message is a packet that can be sent.
type Message interface {
	// Marshal returns the header and the fields, without padding.
	Marshal() []byte
}

// marshal returns a packet with the given fields, which are values of fixed
// size or slices of them.
func marshal(t Type, fields ...any) []byte {
	b := make([]byte, headerLen)
	for _, field := range fields {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, field); err != nil {
			panic(err) // a field has no fixed size
		}
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	binary.LittleEndian.PutUint32(b[4:], uint32(t))
	return b
}

// unmarshal returns the fields at the start of a packet of type t. Packets may
// have more fields than T.
func unmarshal[T any](p Packet, t Type) (fields T, err error) {
	if p.Type != t {
		return fields, fmt.Errorf("%w: packet type %d instead of %d", ErrProtocol, p.Type, t)
	}
	if _, err := binary.Decode(p.Body, binary.LittleEndian, &fields); err != nil {
		return fields, fmt.Errorf("%w: packet type %d with %d bytes of fields instead of %d",
			ErrProtocol, t, len(p.Body), binary.Size(fields))
	}
	return fields, nil
}

// putString copies s into a field and truncates it if necessary.
func putString(field []byte, s string) { copy(field, text.Truncate(s, len(field))) }

func getString(field []byte) string {
	s, _, _ := bytes.Cut(field, []byte{0})
	return string(s)
}
