package tui_test

import (
	tea "charm.land/bubbletea/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/tui"
)

func TestTextIsEditedAndEntered(t *testing.T) {
	f := newFake(den)
	f.keyboard = api.Keyboard{Text: "hello", MaxLength: 12}
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("t")
		s.shows("> hello▏", "5 of 12 characters")
		s.typeKeys("home", "right", "delete", "a", "end", " ", "😀")
		s.shows("> hallo 😀▏", "8 of 12 characters") // UTF-16 units
		s.typeKeys("enter")
		s.shows("entered the text", "PS held")
		wantCalls(t, f, "keyboard", "submit hallo 😀")
	})
}

func TestTextIsSetOrTheKeyboardClosed(t *testing.T) {
	f := newFake(den)
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("t", "abc", "tab")
		wantCalls(t, f, "keyboard", "set abc")
		s.typeKeys("t", "ctrl+x")
		wantCalls(t, f, "keyboard", "close")
		s.typeKeys("t", "abc", "esc")
		wantCalls(t, f, "keyboard")
	})
}

// TestTypingAheadOpensAndFillsTheKeyboard: keys, then text, then keys, in one go while
// nothing has been answered yet.
func TestTypingAheadOpensAndFillsTheKeyboard(t *testing.T) {
	f := newFake(den)
	for _, call := range []string{"keys", "keyboard", "submit"} {
		f.takes[call] = time.Second
	}
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("down", "enter", "thop", "enter", "oo")
		s.shows("Waiting for the console's keyboard")
		s.pass(5 * time.Second)
		wantCalls(t, f, "keys down", "keys enter", "keyboard", "submit hop", "keys option", "keys option")
	})
}

func TestNoKeyboardIsOpen(t *testing.T) {
	f := newFake(den)
	f.fails["keyboard"] = &api.Error{Code: "keyboard_closed", Message: "no keyboard is open", Hint: "Open one first."}
	f.takes["keyboard"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("t", "hops", "enter")
		s.pass(2 * time.Second)
		s.shows("no keyboard is open", "Open one first.", "PS held")
		wantCalls(t, f, "keyboard") // the text presses no keys
	})
}

func TestTextThatIsRefusedStays(t *testing.T) {
	f := newFake(den)
	f.fails["submit"] = &api.Error{Code: "x", Message: "not accepted"}
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("t", "hello", "enter")
		s.shows("not accepted", "> hello▏")
		f.set(func() { delete(f.fails, "submit") })
		s.typeKeys("!", "enter")
		wantCalls(t, f, "keyboard", "submit hello", "submit hello!")
	})
}

func TestALateKeyboardDoesNotTakeTheScreen(t *testing.T) {
	f := newFake(den)
	f.takes["keyboard"] = time.Second
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("t", "esc")
		s.pass(2 * time.Second)
		s.shows("PS held")
		s.typeKeys("o")
		wantCalls(t, f, "keyboard", "keys option")
	})
}

// edit edits a line by the name of a key, or by the characters of a text.
func edit(l *tui.Line, key string) {
	for _, msg := range keyPresses(key) {
		press := msg.(tea.KeyPressMsg)
		l.Edit(press.String(), press.Text)
	}
}

func TestLineEdits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		limit      int
		keys       []string
		want       string
		caret      int
	}{
		{"nothing", "abc", 0, nil, "abc", 3},
		{"past both ends", "ab", 0, []string{"right", "delete", "home", "left", "backspace", "x"}, "xab", 1},
		{"word", "one two  ", 0, []string{"ctrl+w", "z"}, "one z", 5},
		{"only word", "one", 0, []string{"ctrl+w"}, "", 0},
		{"word before the caret", "one two", 0, []string{"left", "left", "ctrl+w"}, "one wo", 4},
		{"up to the caret", "one two", 0, []string{"left", "ctrl+u"}, "o", 0},
		{"limit", "abc", 4, []string{"de"}, "abcd", 4},
		{"limit in the middle of a pair", "abc", 4, []string{"😀", "d"}, "abcd", 4},
		{"longer than the limit already", "abcdef", 4, []string{"x", "backspace"}, "abcde", 5},
	} {
		l := tui.NewLine(tt.text, tt.limit)
		for _, k := range tt.keys {
			edit(l, k)
		}
		if l.Text() != tt.want || l.Caret() != tt.caret {
			t.Errorf("%s: %q with the caret at %d, want %q at %d", tt.name, l.Text(), l.Caret(), tt.want, tt.caret)
		}
	}
	l := tui.NewLine("", 0)
	if l.Edit("", "a\n\x1bb"); l.Text() != "a  b" {
		t.Errorf("a paste with control characters became %q", l.Text())
	}
	if l.Edit("pgup", "") || l.Edit("alt+a", "") {
		t.Error("a key that edits nothing was taken for an edit")
	}
}

// FuzzLine edits a line by any keys: it never grows past its limit, and the caret
// never leaves it.
func FuzzLine(f *testing.F) {
	f.Add("hello", 10, "abc\x01\x02\x03")
	f.Add("", 3, "😀😀\x04\x05é")
	f.Add("a b", 0, "\x06x\x07\x01y")
	f.Add("\xff", 1, "\x02\x02\x03")
	edits := []string{"backspace", "delete", "left", "right", "home", "end", "ctrl+u", "ctrl+w"}
	f.Fuzz(func(t *testing.T, text string, limit int, keys string) {
		if len(text)+len(keys) > 2000 {
			t.Skip("too long for a fast run")
		}
		l := tui.NewLine(text, limit)
		most := max(limit, l.Units())
		for _, r := range keys {
			if i := int(r) - 1; i >= 0 && i < len(edits) {
				l.Edit(edits[i], "")
			} else {
				l.Edit(string(r), string(r))
			}
			if l.Caret() < 0 || l.Caret() > utf8.RuneCountInString(l.Text()) {
				t.Fatalf("the caret is at %d of %q", l.Caret(), l.Text())
			}
			if limit > 0 && l.Units() > most {
				t.Fatalf("%q has %d units, limit %d", l.Text(), l.Units(), limit)
			}
		}
		if strings.ContainsFunc(strings.TrimPrefix(l.Text(), text), func(r rune) bool { return r < ' ' }) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("a control character got into %q", l.Text())
		}
	})
}

func TestALateRefusalDoesNotTakeTheScreen(t *testing.T) {
	f := newFake(den)
	f.titles = library()
	f.takes["keyboard"] = time.Second
	f.fails["keyboard"] = &api.Error{Message: "no keyboard is open"}
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.typeKeys("t", "esc", "/")
		s.pass(2 * time.Second)
		s.shows("no keyboard is open", "> Netflix")
	})
}
