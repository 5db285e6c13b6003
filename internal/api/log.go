package api

import (
	"slices"
	"sync"

	"github.com/ps4kit/ps4kit/internal/text"
)

// Limits of the log that is kept in memory.
const (
	keptLines  = 500
	maxLogText = 2 << 10 // bytes of a message or a field
)

// levels are the values of log.level, most severe first.
var levels = []string{"error", "warn", "info", "debug"}

// Log keeps the last lines of the log for the page. log.level decides what is
// logged at all.
type Log struct {
	added signal
	mu    sync.Mutex
	last  uint64    // id
	lines []LogLine // oldest first
}

// Add appends a line, setting its ID. It does not block.
func (l *Log) Add(line LogLine) {
	line.Message = cutText(line.Message)
	for name, value := range line.Fields {
		line.Fields[name] = cutText(value)
	}
	l.mu.Lock()
	l.last++
	line.ID = l.last
	if len(l.lines) == keptLines {
		l.lines = slices.Delete(l.lines, 0, 1)
	}
	l.lines = append(l.lines, line)
	l.mu.Unlock()
	l.added.raise()
}

// after returns the kept lines with a higher id than n and at least the given
// severity, and the id of the last line of all.
func (l *Log) after(n uint64, level string) (lines []LogLine, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if line.ID > n && slices.Index(levels, line.Level) <= slices.Index(levels, level) {
			lines = append(lines, line)
		}
	}
	return lines, l.last
}

// cutText also removes invisible characters, which errors may quote from the
// network.
func cutText(s string) string {
	s = text.Visible(s)
	if short := text.Truncate(s, maxLogText); short != s {
		return short + "…"
	}
	return s
}

// signal wakes everyone who waits for the next change.
type signal struct {
	mu   sync.Mutex
	next chan struct{} // closed at the next change; nil: no one waits
}

// wait returns a channel that is closed at the next change.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	return s.next
}

func (s *signal) raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
}
