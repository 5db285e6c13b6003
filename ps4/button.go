package ps4

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// Button is a button of the 2nd Screen remote control. The zero value is none.
type Button uint8

// Buttons. PSHold is the PS button held until the quick menu opens.
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

// Buttons returns every button.
func Buttons() []Button {
	return []Button{Up, Down, Left, Right, Enter, Back, Option, PS, Cancel, PSHold}
}

var buttonNames = [...]string{
	Up: "up", Down: "down", Left: "left", Right: "right", Enter: "enter",
	Back: "back", Option: "option", PS: "ps", Cancel: "cancel", PSHold: "ps_hold",
}

// ParseButton returns the button of a name, in any case: up, down, left,
// right, enter, back, option, ps, cancel or ps_hold. It fails with [ErrButton].
func ParseButton(name string) (Button, error) {
	i := slices.Index(buttonNames[1:], strings.ToLower(strings.TrimSpace(name)))
	if i < 0 {
		return 0, fmt.Errorf("%w: %q", ErrButton, name)
	}
	return Button(i + 1), nil //nolint:gosec // an index of a short array
}

// String returns the button's name, as ParseButton takes it.
func (b Button) String() string {
	if b == 0 || int(b) >= len(buttonNames) {
		return fmt.Sprintf("Button(%d)", uint8(b))
	}
	return buttonNames[b]
}

// MarshalText implements [encoding.TextMarshaler].
func (b Button) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] with ParseButton.
func (b *Button) UnmarshalText(text []byte) error {
	parsed, err := ParseButton(string(text))
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}

// Key is one press: a tap, or a hold when Hold is above zero (a minute at
// most, whole milliseconds). PSHold has its own time when Hold is zero.
type Key struct {
	Button Button
	Hold   time.Duration
}

// ParseKey reads BUTTON or BUTTON:MS, where MS are the milliseconds of a hold:
// "up", "ps:2000", "ps_hold". It fails with [ErrButton].
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

// operation checks a key and returns what is sent for it and for how long.
func (k Key) operation() (wire.Operation, time.Duration, error) {
	op, known := operations[k.Button]
	hold := k.Hold.Round(time.Millisecond)
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
