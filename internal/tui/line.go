package tui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	tea "github.com/charmbracelet/bubbletea"
)

// line is a line of text that is being edited.
type line struct {
	runes []rune
	caret int // in runes, 0 to len(runes)
	limit int // UTF-16 units that the text may have; 0: no limit
}

// newLine edits text, with the caret at its end.
func newLine(text string, limit int) line {
	runes := []rune(text)
	return line{runes, len(runes), limit}
}

func (l *line) text() string { return string(l.runes) }

// units is the length of the text as the console counts it (docs/protocol.md §5).
func (l *line) units() int { return len(utf16.Encode(l.runes)) }

// edit changes the line by a key or a paste and says whether the key was one for that.
func (l *line) edit(msg tea.KeyMsg) bool {
	switch name := msg.String(); {
	case msg.Type == tea.KeyRunes && !msg.Alt, msg.Type == tea.KeySpace:
		l.insert(msg.Runes)
	case name == "backspace", name == "ctrl+h":
		l.remove(l.caret-1, l.caret)
	case name == "delete":
		l.remove(l.caret, l.caret+1)
	case name == "ctrl+u":
		l.remove(0, l.caret)
	case name == "ctrl+w":
		l.remove(l.wordStart(), l.caret)
	case name == "left":
		l.caret = max(0, l.caret-1)
	case name == "right":
		l.caret = min(len(l.runes), l.caret+1)
	case name == "home", name == "ctrl+a":
		l.caret = 0
	case name == "end", name == "ctrl+e":
		l.caret = len(l.runes)
	default:
		return false
	}
	return true
}

// insert puts runes at the caret, as many as the limit allows; control characters,
// which a paste may hold, become spaces.
func (l *line) insert(runes []rune) {
	var fit []rune
	units := l.units()
	for _, r := range runes {
		if unicode.IsControl(r) {
			r = ' '
		}
		units += max(1, utf16.RuneLen(r))
		if l.limit > 0 && units > l.limit {
			break
		}
		fit = append(fit, r)
	}
	l.runes = slices.Concat(l.runes[:l.caret], fit, l.runes[l.caret:])
	l.caret += len(fit)
}

// remove takes out what lies between two positions, as far as they exist.
func (l *line) remove(from, to int) {
	from, to = max(0, from), min(to, len(l.runes))
	if from >= to {
		return
	}
	l.runes = slices.Concat(l.runes[:from], l.runes[to:])
	l.caret = from
}

// wordStart is where the word before the caret begins.
func (l *line) wordStart() int {
	before := strings.TrimRightFunc(string(l.runes[:l.caret]), unicode.IsSpace)
	return len([]rune(before[:strings.LastIndexFunc(before, unicode.IsSpace)+1]))
}
