package ps4

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// A Button is a button of a controller. The zero value is no button.
type Button uint8

// Buttons of the 2nd Screen remote control (docs/protocol.md §5), where Enter
// and Back stand for cross and circle. PSHold is the PS button held until the
// quick menu opens.
const (
	Up Button = iota + 1
	Down
	Left
	Right
	Enter
	Back
	Option
	PS
	Cancel
	PSHold
)

// Buttons that only a Remote Play stream has (docs/protocol.md §15).
const (
	Triangle Button = iota + PSHold + 1
	Square
	Share // create on a PS5
	L1
	R1
	L2
	R2
	L3
	R3
	Touchpad // a click
)

// Buttons returns every button.
func Buttons() []Button {
	list := make([]Button, 0, len(buttonNames)-1)
	for b := Up; int(b) < len(buttonNames); b++ {
		list = append(list, b)
	}
	return list
}

var buttonNames = [...]string{
	Up: "up", Down: "down", Left: "left", Right: "right", Enter: "enter",
	Back: "back", Option: "option", PS: "ps", Cancel: "cancel", PSHold: "ps_hold",
	Triangle: "triangle", Square: "square", Share: "share",
	L1: "l1", R1: "r1", L2: "l2", R2: "r2", L3: "l3", R3: "r3", Touchpad: "touchpad",
}

// ParseButton returns the button with the given name, in any case: up, down,
// left, right, enter, back, option, ps, cancel, ps_hold, triangle, square,
// share, l1, r1, l2, r2, l3, r3 or touchpad. It fails with [ErrButton].
func ParseButton(name string) (Button, error) {
	i := slices.Index(buttonNames[1:], strings.ToLower(strings.TrimSpace(name)))
	if i < 0 {
		return 0, fmt.Errorf("%w: %q", ErrButton, name)
	}
	return Button(i + 1), nil //nolint:gosec // an index of a short array
}

// String returns the button's name, which ParseButton accepts.
func (b Button) String() string {
	if b == 0 || int(b) >= len(buttonNames) {
		return fmt.Sprintf("Button(%d)", uint8(b))
	}
	return buttonNames[b]
}

// MarshalText implements [encoding.TextMarshaler]. The text is that of String.
func (b Button) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by means of ParseButton.
func (b *Button) UnmarshalText(text []byte) error {
	parsed, err := ParseButton(string(text))
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}

// A Key is one press of a button.
type Key struct {
	Button Button
	// Hold is how long the button is held, rounded to milliseconds and at most
	// a minute. 0 means a tap or, for PSHold, as long as the console needs.
	Hold time.Duration
}

// ParseKey parses BUTTON or BUTTON:MS, where MS is how long to hold the button
// in milliseconds, from 1 to 60000: up, ps:2000, ps_hold. It fails with
// [ErrButton].
func ParseKey(text string) (Key, error) {
	name, ms, held := strings.Cut(text, ":")
	button, err := ParseButton(name)
	if err != nil {
		return Key{}, err
	}
	k := Key{Button: button}
	if held {
		n, err := strconv.ParseUint(ms, 10, 32)
		k.Hold = time.Duration(n) * time.Millisecond
		if err != nil || n == 0 || k.Hold > maxHold {
			return Key{}, fmt.Errorf("%w: %q", ErrButton, text)
		}
	}
	return k, nil
}

// CheckKeys returns the error with which [Session.Keys] would refuse keys, or
// nil.
func CheckKeys(keys ...Key) error {
	for _, k := range keys {
		if _, _, err := k.operation(); err != nil {
			return err
		}
	}
	return nil
}

// operation validates a key and returns the operation to send and how long to
// hold it.
func (k Key) operation() (wire.Operation, time.Duration, error) {
	op, known := operations[k.Button]
	hold := k.Hold.Round(time.Millisecond)
	if !known && slices.Contains(Buttons(), k.Button) {
		return 0, 0, fmt.Errorf("%w: %v", errNotOn2ndScreen, k.Button)
	}
	if !known || hold < 0 || hold > maxHold {
		return 0, 0, fmt.Errorf("%w: %v for %v", ErrButton, k.Button, k.Hold)
	}
	if k.Button == PSHold && hold == 0 {
		hold = psHold
	}
	return op, hold, nil
}

var operations = map[Button]wire.Operation{
	Up: wire.OpUp, Down: wire.OpDown, Left: wire.OpLeft, Right: wire.OpRight,
	Enter: wire.OpEnter, Back: wire.OpBack, Option: wire.OpOption,
	PS: wire.OpPS, Cancel: wire.OpCancel, PSHold: wire.OpPS,
}
