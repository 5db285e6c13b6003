package tui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// line is a line of text that is being edited.
type line struct {
	runes []rune
	caret int // 0 to len(runes)
	limit int // in UTF-16 units; 0: none
}

// newLine returns a line with the caret at its end.
func newLine(text string, limit int) line {
	runes := []rune(text)
	return line{runes, len(runes), limit}
}

func (l *line) text() string { return string(l.runes) }

// units returns the length as the console counts it (docs/protocol.md §5).
func (l *line) units() int { return len(utf16.Encode(l.runes)) }

// edit applies a key or a paste and reports whether it was an edit.
func (l *line) edit(in input) bool {
	switch in.key {
	case "backspace":
		l.remove(l.caret-1, l.caret)
	case "delete":
		l.remove(l.caret, l.caret+1)
	case "ctrl+u":
		l.remove(0, l.caret)
	case "ctrl+w":
		l.remove(l.wordStart(), l.caret)
	case "left":
		l.caret = max(0, l.caret-1)
	case "right":
		l.caret = min(len(l.runes), l.caret+1)
	case "home", "ctrl+a":
		l.caret = 0
	case "end", "ctrl+e":
		l.caret = len(l.runes)
	default:
		l.insert(in.text)
		return in.text != ""
	}
	return true
}

// insert adds text at the caret, up to the limit. Control characters, which a
// paste may contain, become spaces.
func (l *line) insert(text string) {
	units := l.units()
	for _, r := range text {
		if unicode.IsControl(r) {
			r = ' '
		}
		if units += utf16.RuneLen(r); l.limit > 0 && units > l.limit {
			return
		}
		l.runes = slices.Insert(l.runes, l.caret, r)
		l.caret++
	}
}

// remove deletes the part of [from, to) that exists.
func (l *line) remove(from, to int) {
	from, to = max(0, from), min(to, len(l.runes))
	if from < to {
		l.runes = slices.Delete(l.runes, from, to)
		l.caret = from
	}
}

// wordStart returns where the word before the caret begins.
func (l *line) wordStart() int {
	before := strings.TrimRightFunc(string(l.runes[:l.caret]), unicode.IsSpace)
	return len([]rune(before[:strings.LastIndexFunc(before, unicode.IsSpace)+1]))
}

// list is the cursor in a list.
type list struct{ cursor int }

const page = 10 // lines that page up and page down skip

// move moves the cursor in a list of n lines and reports whether key does so.
func (l *list) move(key string, n int) bool {
	switch key {
	case "up":
		l.cursor--
	case "down":
		l.cursor++
	case "pgup":
		l.cursor -= page
	case "pgdown":
		l.cursor += page
	case "home":
		l.cursor = 0
	case "end":
		l.cursor = n - 1
	default:
		return false
	}
	l.cursor = max(0, min(l.cursor, n-1))
	return true
}

// window returns the lines of n to show in that many rows, with the cursor in the
// middle where possible.
func (l *list) window(n, rows int) (from, to int) {
	rows = max(0, min(rows, n))
	from = max(0, min(l.cursor-rows/2, n-rows))
	return from, from + rows
}
