package rp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Type is the type of a frame (docs/protocol.md §13).
type Type uint16

// Types of frames, with the side that sends them.
const (
	TypePasscodeWanted  Type = 0x04   // console
	TypeLogin           Type = 0x05   // console: LoginGood or LoginWrongPasscode
	TypeProbe           Type = 0x0d   // client: Probe
	TypeProbeAck        Type = 0x10   // console
	TypeHome            Type = 0x14   // client: HomePressed
	TypeKeyboardEnable  Type = 0x20   // client: one byte, 0 or 1
	TypeKeyboardOpen    Type = 0x21   // console: KeyboardOpen
	TypeKeyboardClosed  Type = 0x22   // console
	TypeKeyboardText    Type = 0x23   // client: KeyboardText
	TypeKeyboardResult  Type = 0x24   // console: KeyboardText
	TypeKeyboardEnd     Type = 0x25   // client: KeyboardEnd
	TypeSessionID       Type = 0x33   // console: SessionID
	TypeStandby         Type = 0x50   // client
	TypeStandbyAck      Type = 0x8050 // console
	TypeHeartbeat       Type = 0xfe   // both
	TypeHeartbeatAnswer Type = 0x1fe  // both
	TypePasscode        Type = 0x8004 // client: ASCII digits
)

// Payloads of TypeLogin.
const (
	LoginGood          = 0
	LoginWrongPasscode = 1
)

// Limits of a frame.
const (
	frameHeaderLen  = 8
	MaxPayload      = 16 << 10 // bytes; the largest known ones hold the text of the keyboard
	MaxKeyboardText = 4096     // bytes
)

// Frame is a frame in the clear.
type Frame struct {
	Type    Type
	Payload []byte
}

// Append appends the bytes of the frame to b, and spends a counter if it has a
// payload.
func (f Frame) Append(b []byte, c *Counters) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Payload))) //nolint:gosec // far below the limit
	b = binary.BigEndian.AppendUint16(b, uint16(f.Type))
	b = binary.BigEndian.AppendUint16(b, 0)
	return append(b, c.Seal(f.Payload)...)
}

// ReadFrame reads one frame, and spends a counter if it has a payload. Errors
// about its content wrap [ErrProtocol]; the others are those of the reader, which
// is [io.EOF] only between frames.
func ReadFrame(r io.Reader, c *Counters) (Frame, error) {
	var header [frameHeaderLen]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return Frame{}, err
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > MaxPayload {
		return Frame{}, protocolError("frame of %d bytes", length)
	}
	sealed := make([]byte, length)
	if _, err := io.ReadFull(r, sealed); err != nil {
		return Frame{}, unexpectedEOF(err)
	}
	return Frame{Type: Type(binary.BigEndian.Uint16(header[4:])), Payload: c.Open(sealed)}, nil
}

// HomePressed returns a press of the PS button.
func HomePressed() Frame {
	return Frame{TypeHome, append([]byte{0x00, 0xff}, make([]byte, 14)...)}
}

// Probe returns the probe report that precedes TypeKeyboardEnable.
func Probe() Frame {
	payload := binary.BigEndian.AppendUint32(nil, 1)
	payload = binary.BigEndian.AppendUint32(payload, 1454)
	return Frame{TypeProbe, append(payload, make([]byte, 8)...)}
}

// SessionID is the id that a console gives a session.
type SessionID string

// Marshal returns the frame.
func (id SessionID) Marshal() Frame {
	return Frame{TypeSessionID, append([]byte{byte(len(id))}, id...)}
}

// ParseSessionID returns the id of a frame of that type.
func ParseSessionID(f Frame) (SessionID, error) {
	if len(f.Payload) == 0 || len(f.Payload) < 1+int(f.Payload[0]) {
		return "", protocolError("session id of %d bytes", len(f.Payload))
	}
	return SessionID(f.Payload[1 : 1+int(f.Payload[0])]), nil
}

// KeyboardOpen says that the on-screen keyboard is open, and its text.
type KeyboardOpen struct{ Text string }

const keyboardOpenText = 28 // where the length of the text is

// Marshal returns the frame.
func (k KeyboardOpen) Marshal() Frame {
	return Frame{TypeKeyboardOpen, appendText(make([]byte, keyboardOpenText), k.Text)}
}

// ParseKeyboardOpen returns the content of a frame of that type.
func ParseKeyboardOpen(f Frame) (KeyboardOpen, error) {
	text, err := textAt(f.Payload, keyboardOpenText)
	return KeyboardOpen{text}, err
}

// KeyboardText replaces the text of the on-screen keyboard, or is the result of
// that. Counter starts at 1 and grows with each change.
type KeyboardText struct {
	Counter uint32
	Text    string
}

const keyboardTextLen = 32 // where the second length of the text is

// Marshal returns the frame, of type TypeKeyboardText or TypeKeyboardResult.
func (k KeyboardText) Marshal(t Type) Frame {
	payload := binary.BigEndian.AppendUint32(nil, k.Counter)
	payload = binary.BigEndian.AppendUint32(payload, uint32(len(k.Text))) //nolint:gosec // a text
	return Frame{t, appendText(append(payload, make([]byte, 24)...), k.Text)}
}

// ParseKeyboardText returns the content of a frame of either type.
func ParseKeyboardText(f Frame) (KeyboardText, error) {
	text, err := textAt(f.Payload, keyboardTextLen)
	if err != nil {
		return KeyboardText{}, err
	}
	return KeyboardText{binary.BigEndian.Uint32(f.Payload), text}, nil
}

// KeyboardEnd returns the frame that ends the keyboard, accepting its text or
// not.
func KeyboardEnd(accept bool) Frame {
	if accept {
		return Frame{TypeKeyboardEnd, []byte{0, 0, 0, 0}}
	}
	return Frame{TypeKeyboardEnd, []byte{0, 0, 0, 1}}
}

func appendText(b []byte, text string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(text))) //nolint:gosec // a text
	return append(b, text...)
}

// textAt returns the text whose length is at a place of a payload, as valid
// UTF-8.
func textAt(payload []byte, at int) (string, error) {
	if len(payload) < at+4 {
		return "", protocolError("keyboard frame of %d bytes", len(payload))
	}
	length, text := binary.BigEndian.Uint32(payload[at:]), payload[at+4:]
	if uint64(length) > uint64(len(text)) {
		return "", protocolError("keyboard text of %d bytes in a frame of %d", length, len(payload))
	}
	return strings.ToValidUTF8(string(bytes.TrimRight(text[:length], "\x00")), "\uFFFD"), nil
}

// String returns the type and the size: payloads may hold secrets.
func (f Frame) String() string {
	return fmt.Sprintf("frame %#x of %d bytes", uint16(f.Type), len(f.Payload))
}
