package ps4test

import (
	"fmt"
	"slices"
	"unicode/utf16"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// keyboard is the on-screen keyboard.
type keyboard struct {
	open bool
	text string
	max  int // UTF-16 units
}

// OpenKeyboard opens the on-screen keyboard with a text and a limit in UTF-16
// units. A heartbeat tells the client at once.
func (c *Console) OpenKeyboard(text string, maxLength int) {
	c.keyboardChange(keyboard{open: true, text: cut(text, maxLength), max: maxLength}, nil)
}

// CloseKeyboard closes the on-screen keyboard, as its user would.
func (c *Console) CloseKeyboard() {
	c.keyboardChange(keyboard{}, wire.Word{Type: wire.TypeKeyboardControl, Value: wire.KeyboardClose})
}

// TypeText replaces the text, as a user with the controller would, and tells a
// client that has requested the keyboard. It has no effect while the keyboard
// is closed.
func (c *Console) TypeText(text string) {
	c.mu.Lock()
	screen := c.screen
	c.mu.Unlock()
	if screen.open {
		screen.text = cut(text, screen.max)
		c.keyboardChange(screen, wire.NewKeyboardText(screen.text))
	}
}

// keyboardChange sets the keyboard. It sends message to a client that has
// requested the keyboard, and a heartbeat to any client.
func (c *Console) keyboardChange(k keyboard, message wire.Message) {
	var active *session
	typing := false
	c.update(func() {
		c.screen = k
		if active = c.active; active != nil {
			typing = active.typing
			active.typing = typing && k.open
		}
	})
	if active == nil {
		return
	}
	if typing && message != nil {
		_ = active.send(message) // fails if the client is gone
	}
	_ = active.heartbeat()
}

// Keyboard returns the text of the on-screen keyboard and whether it is open.
func (c *Console) Keyboard() (text string, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.screen.text, c.screen.open
}

// Submitted returns the texts that clients have submitted, in order.
func (c *Console) Submitted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log.submitted)
}

// startKeyboard answers a request for the keyboard.
func (s *session) startKeyboard() error {
	var started wire.KeyboardStarted
	s.console.update(func() { started = s.console.startKeyboardLocked(s) })
	s.outcome = fmt.Sprintf("result %d", started.Result)
	return s.send(started)
}

func (c *Console) startKeyboardLocked(s *session) wire.KeyboardStarted {
	c.log.counters.KeyboardStarts++
	switch {
	case c.faults.Keyboard != resultOK:
		return wire.KeyboardStarted{Result: uint32(c.faults.Keyboard)}
	case !s.loggedIn:
		return wire.KeyboardStarted{Result: uint32(ps4.ErrNotLoggedIn)}
	case !c.screen.open:
		return wire.KeyboardStarted{Result: uint32(ps4.ErrNoClient)}
	}
	s.typing = true
	return wire.KeyboardStarted{Kind: c.cfg.KeyboardKind, MaxLength: uint32(c.screen.max), Text: c.screen.text} //nolint:gosec // small
}

// takeText replaces the text with that of a client.
func (s *session) takeText(p wire.Packet) error {
	m, err := wire.UnmarshalKeyboardText(p)
	if err != nil {
		return fmt.Errorf("keyboard: %w", err)
	}
	s.console.update(func() {
		c := s.console
		c.log.counters.KeyboardTexts++
		if s.typing && c.screen.open {
			c.screen.text = cut(m.Text, c.screen.max)
		}
	})
	return nil
}

// controlKeyboard submits the text or closes the keyboard.
func (s *session) controlKeyboard(p wire.Packet) error {
	command, err := wire.UnmarshalWord(p)
	if err != nil {
		return fmt.Errorf("keyboard: %w", err)
	}
	s.console.update(func() {
		c := s.console
		c.log.counters.KeyboardControls++
		if !s.typing || !c.screen.open || command > wire.KeyboardClose {
			return
		}
		if command == wire.KeyboardReturn {
			c.log.addSubmitted(c.screen.text)
		}
		c.screen, s.typing = keyboard{}, false
	})
	return nil
}

// cut returns at most n UTF-16 units of s and never half a surrogate pair.
func cut(s string, n int) string {
	units := utf16.Encode([]rune(s))
	n = min(n, wire.MaxKeyboardText)
	if len(units) <= n {
		return s
	}
	if n > 0 && utf16.IsSurrogate(rune(units[n-1])) && units[n-1] < 0xdc00 {
		n-- // the first half of a pair
	}
	return string(utf16.Decode(units[:max(n, 0)]))
}
