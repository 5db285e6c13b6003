package ps4test

import (
	"fmt"
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
	c.update(func() { c.setKeyboardLocked(keyboard{true, cut(text, maxLength), maxLength}, nil) })
}

// CloseKeyboard closes the on-screen keyboard, as its user would.
func (c *Console) CloseKeyboard() {
	c.update(func() {
		c.setKeyboardLocked(keyboard{}, wire.Word{Type: wire.TypeKeyboardControl, Value: wire.KeyboardClose})
	})
}

// TypeText replaces the text, as a user with the controller would, and tells a
// client that has requested the keyboard. It has no effect while the keyboard
// is closed.
func (c *Console) TypeText(text string) {
	c.update(func() {
		if k := c.screen; k.open {
			k.text = cut(text, k.max)
			c.setKeyboardLocked(k, wire.NewKeyboardText(k.text))
		}
	})
}

// setKeyboardLocked changes the keyboard. It sends message to a client that has
// requested the keyboard, and a heartbeat to any client.
func (c *Console) setKeyboardLocked(k keyboard, message wire.Message) {
	c.screen = k
	if s := c.rp.session; s != nil {
		s.showKeyboardLocked()
	}
	s := c.active
	if s == nil {
		return
	}
	if s.typing && message != nil {
		s.sendLocked(message, nil)
	}
	s.typing = s.typing && k.open
	s.heartbeatLocked()
}

// handleKeyboardStartLocked answers a request for the keyboard.
func (s *session) handleKeyboardStartLocked() (outcome string) {
	c := s.console
	var started wire.KeyboardStarted
	switch {
	case !s.loggedIn:
		started.Result = uint32(ps4.ErrNotLoggedIn)
	case !c.screen.open:
		started.Result = uint32(ps4.ErrNoClient)
	default:
		s.typing = true
		started.MaxLength, started.Text = uint32(c.screen.max), c.screen.text
	}
	s.sendLocked(started, nil)
	return fmt.Sprintf("result %d", started.Result)
}

// handleKeyboardTextLocked replaces the text with that of a client. The trace
// leaves it out, because it may be a password.
func (s *session) handleKeyboardTextLocked(p wire.Packet) (what, outcome string, err error) {
	m, err := wire.UnmarshalKeyboardText(p)
	if err != nil {
		return "", "", fmt.Errorf("keyboard: %w", err)
	}
	if c := s.console; s.typing && c.screen.open {
		c.screen.text = cut(m.Text, c.screen.max)
	}
	return fmt.Sprintf("keyboard text of %d bytes", len(m.Text)), "", nil
}

// handleKeyboardControlLocked submits the text or closes the keyboard.
func (s *session) handleKeyboardControlLocked(p wire.Packet) (what, outcome string, err error) {
	c := s.console
	command, err := wire.UnmarshalWord(p)
	if err != nil {
		return "", "", fmt.Errorf("keyboard: %w", err)
	}
	c.log.counters.KeyboardControls++
	ends := s.typing && c.screen.open
	switch command {
	case wire.KeyboardReturn:
		what = "keyboard return"
		if ends {
			c.log.submitted = add(c.log.submitted, c.screen.text)
		}
	case wire.KeyboardClose:
		what = "keyboard close"
	default:
		return fmt.Sprintf("keyboard command %d", command), "", nil
	}
	if ends {
		c.screen, s.typing = keyboard{}, false
	}
	return what, "", nil
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
