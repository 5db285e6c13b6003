// Package wire is the TCP side of the 2nd Screen protocol: packets, their
// framing by length and the cipher of a connection.
//
// Little endian throughout (docs/protocol.md §4 and §5):
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
// From there on both directions are AES-128-CBC, each chaining from the IV for
// the life of the connection, and every packet is zero-padded to a multiple of
// 16. TCP may split and join packets anywhere, so they are read by length.
//
// Each packet is a struct with its fields; Marshal gives its bytes without
// padding, and an Unmarshal function reads what Read returned. Strings are
// fixed fields, padded with zeros; a full field has no terminator.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Type is the packet type, the second word of a packet.
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
	MinLength = headerLen
	MaxLength = 4096
)

// ErrProtocol is wrapped by every error about bytes that break the protocol;
// the connection they came from cannot be used any further.
var ErrProtocol = errors.New("wire: protocol error")

// Packet is a packet that was read: its type and its fields, header and padding
// cut off. Body is only good until the next Read.
type Packet struct {
	Type Type
	Body []byte
}

// Message is a packet that can be written.
type Message interface {
	// Marshal returns header and fields, without padding.
	Marshal() []byte
}

// newPacket returns a zeroed packet of the given length with its header set.
func newPacket(t Type, length int) []byte {
	b := make([]byte, length)
	binary.LittleEndian.PutUint32(b, uint32(length)) //nolint:gosec // lengths are constants or bounded by MaxLength
	binary.LittleEndian.PutUint32(b[4:], uint32(t))
	return b
}

// putString copies s into the field, cut at a rune boundary when it is too long.
func putString(field []byte, s string) {
	copy(field, Truncate(s, len(field)))
}

// Truncate returns s cut to at most n bytes, never inside a rune.
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// getString reads a fixed field up to its first zero byte.
func getString(field []byte) string {
	for i, b := range field {
		if b == 0 {
			return string(field[:i])
		}
	}
	return string(field)
}

// need fails when a packet has fewer bytes of fields than its kind has at least.
func need(p Packet, t Type, n int) error {
	if p.Type != t {
		return fmt.Errorf("%w: packet type %d instead of %d", ErrProtocol, p.Type, t)
	}
	if len(p.Body) < n {
		return fmt.Errorf("%w: packet type %d with %d bytes of fields instead of %d", ErrProtocol, p.Type, len(p.Body), n)
	}
	return nil
}

func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

func putU32(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
