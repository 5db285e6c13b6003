package tui

// list is the cursor of a list that one can move through.
type list struct{ cursor int }

const page = 10 // lines that page up and page down move by

// move moves the cursor in a list of n and says whether the key was one for that.
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

// window returns which of n lines to show in so many rows, the cursor in the middle
// where that is possible.
func (l *list) window(n, rows int) (from, to int) {
	rows = max(0, min(rows, n))
	from = max(0, min(l.cursor-rows/2, n-rows))
	return from, from + rows
}
