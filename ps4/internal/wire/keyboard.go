package wire

import (
	"encoding/binary"
	"unicode/utf16"
)

// Keyboard commands of TypeKeyboardControl, as Word values.
const (
	KeyboardReturn = 0 // submit
	KeyboardClose  = 1
)

// Layout of the keyboard packets (docs/protocol.md §5).
const (
	keyboardStartedLen = 20
	keyboardTextLen    = 28
)

// MaxKeyboardText is the most text that fits a packet, in UTF-16 units.
const MaxKeyboardText = (MaxLength - keyboardTextLen) / 2

// KeyboardStarted answers TypeKeyboardStart. MaxLength and lengths of text are
// UTF-16 units.
type KeyboardStarted struct {
	Result    uint32
	Kind      uint32 // keyboard type; its meaning is not known
	MaxLength uint32
	Text      string // what the field holds already
}

// Marshal implements Message.
func (k KeyboardStarted) Marshal() []byte {
	units := utf16.Encode([]rune(k.Text))
	b := newPacket(TypeKeyboardStarted, keyboardStartedLen+2*len(units))
	putU32(b, 8, k.Result)
	putU32(b, 12, k.Kind)
	putU32(b, 16, k.MaxLength)
	putUTF16(b[keyboardStartedLen:], units)
	return b
}

// UnmarshalKeyboardStarted reads the console's answer; one that failed may have
// 12, 16 or 20 bytes.
func UnmarshalKeyboardStarted(p Packet) (KeyboardStarted, error) {
	if err := need(p, TypeKeyboardStarted, wordLen-headerLen); err != nil {
		return KeyboardStarted{}, err
	}
	k := KeyboardStarted{Result: u32(p.Body, 0)}
	if k.Result != 0 {
		return k, nil
	}
	if err := need(p, TypeKeyboardStarted, keyboardStartedLen-headerLen); err != nil {
		return KeyboardStarted{}, err
	}
	k.Kind = u32(p.Body, 4)
	k.MaxLength = u32(p.Body, 8)
	k.Text = getUTF16(p.Body[keyboardStartedLen-headerLen:])
	return k, nil
}

// KeyboardText is the text of the on-screen keyboard. A client replaces all of
// it and says where the caret is; of a console's packet only Text is to be
// trusted (docs/protocol.md §5).
type KeyboardText struct {
	PreEditIndex, PreEditLength uint32
	Caret                       uint32 // UTF-16 units
	EditIndex, EditLength       uint32
	Text                        string
}

// NewKeyboardText returns the packet that replaces the whole text and puts the
// caret at its end.
func NewKeyboardText(text string) KeyboardText {
	return KeyboardText{Caret: uint32(UTF16Len(text)), Text: text} //nolint:gosec // bounded by MaxKeyboardText
}

// Marshal implements Message.
func (k KeyboardText) Marshal() []byte {
	units := utf16.Encode([]rune(k.Text))
	b := newPacket(TypeKeyboardText, keyboardTextLen+2*len(units))
	for i, v := range []uint32{k.PreEditIndex, k.PreEditLength, k.Caret, k.EditIndex, k.EditLength} {
		putU32(b, 8+4*i, v)
	}
	putUTF16(b[keyboardTextLen:], units)
	return b
}

// UnmarshalKeyboardText reads either side's packet.
func UnmarshalKeyboardText(p Packet) (KeyboardText, error) {
	if err := need(p, TypeKeyboardText, keyboardTextLen-headerLen); err != nil {
		return KeyboardText{}, err
	}
	return KeyboardText{
		PreEditIndex:  u32(p.Body, 0),
		PreEditLength: u32(p.Body, 4),
		Caret:         u32(p.Body, 8),
		EditIndex:     u32(p.Body, 12),
		EditLength:    u32(p.Body, 16),
		Text:          getUTF16(p.Body[keyboardTextLen-headerLen:]),
	}, nil
}

// UTF16Len returns the length of s in UTF-16 units, as the console counts.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

func putUTF16(b []byte, units []uint16) {
	for i, u := range units {
		binary.LittleEndian.PutUint16(b[2*i:], u)
	}
}

// getUTF16 decodes up to the first zero unit; an odd last byte is ignored.
func getUTF16(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
