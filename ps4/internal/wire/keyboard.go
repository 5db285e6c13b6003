package wire

import (
	"encoding/binary"
	"unicode/utf16"
)

// Commands of TypeKeyboardControl.
const (
	KeyboardReturn = 0 // submit
	KeyboardClose  = 1
)

// Sizes of the fields before the text (docs/protocol.md §5).
const (
	keyboardStartedSize = 12
	keyboardTextSize    = 20
)

// MaxKeyboardText is the longest text that fits in a packet, in UTF-16 units.
const MaxKeyboardText = (MaxLength - headerLen - keyboardTextSize) / 2

// KeyboardStarted is the answer to TypeKeyboardStart.
type KeyboardStarted struct {
	Result    uint32
	Kind      uint32 // keyboard type; the values are unknown
	MaxLength uint32 // UTF-16 units
	Text      string // the current text
}

func (k KeyboardStarted) Marshal() []byte {
	return marshal(TypeKeyboardStarted, [3]uint32{k.Result, k.Kind, k.MaxLength}, utf16.Encode([]rune(k.Text)))
}

// UnmarshalKeyboardStarted parses the answer of a console. A failure may have
// no fields after the result.
func UnmarshalKeyboardStarted(p Packet) (KeyboardStarted, error) {
	result, err := unmarshal[uint32](p, TypeKeyboardStarted)
	if err != nil || result != 0 {
		return KeyboardStarted{Result: result}, err
	}
	f, err := unmarshal[[3]uint32](p, TypeKeyboardStarted)
	if err != nil {
		return KeyboardStarted{}, err
	}
	return KeyboardStarted{Kind: f[1], MaxLength: f[2], Text: getUTF16(p.Body[keyboardStartedSize:])}, nil
}

// KeyboardText is the text of the on-screen keyboard, sent by either side. That
// of a client replaces the whole text. Clients should ignore everything but
// Text in that of a console (docs/protocol.md §5).
type KeyboardText struct {
	PreEditIndex, PreEditLength uint32
	Caret                       uint32 // UTF-16 units
	EditIndex, EditLength       uint32
	Text                        string
}

// NewKeyboardText returns the packet that replaces the text and puts the caret
// at its end.
func NewKeyboardText(text string) KeyboardText {
	return KeyboardText{Caret: uint32(UTF16Len(text)), Text: text}
}

func (k KeyboardText) Marshal() []byte {
	edit := [5]uint32{k.PreEditIndex, k.PreEditLength, k.Caret, k.EditIndex, k.EditLength}
	return marshal(TypeKeyboardText, edit, utf16.Encode([]rune(k.Text)))
}

// UnmarshalKeyboardText parses the text from either side.
func UnmarshalKeyboardText(p Packet) (KeyboardText, error) {
	edit, err := unmarshal[[5]uint32](p, TypeKeyboardText)
	if err != nil {
		return KeyboardText{}, err
	}
	return KeyboardText{
		PreEditIndex: edit[0], PreEditLength: edit[1], Caret: edit[2], EditIndex: edit[3], EditLength: edit[4],
		Text: getUTF16(p.Body[keyboardTextSize:]),
	}, nil
}

// UTF16Len returns the length of s in UTF-16 units.
func UTF16Len(s string) int { return len(utf16.Encode([]rune(s))) }

// getUTF16 decodes text up to the first zero and ignores an odd last byte.
func getUTF16(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
