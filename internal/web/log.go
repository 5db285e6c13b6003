package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of the log that is kept in memory.
const (
	keptLines  = 500
	maxLogText = 2 << 10 // bytes of a message or a field; what is longer is cut
)

// logLevels are those of log.level, the most severe first.
const logLevels = "error warn info debug"

// LogLine is a line of the log.
type LogLine struct {
	ID      uint64            `json:"id"`
	Time    time.Time         `json:"time"`
	Level   string            `json:"level"` // error, warn, info, debug
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"`
}

// Log is the end of the log, for the page. It holds what was logged and no more:
// log.level decides that.
type Log struct{ lines *feed[LogLine] }

// NewLog returns an empty log.
func NewLog() *Log { return &Log{newFeed[LogLine](keptLines)} }

// Add takes in a line, whose ID it sets. It never waits.
func (l *Log) Add(line LogLine) {
	line.Message = cutText(line.Message)
	for name, value := range line.Fields {
		line.Fields[name] = cutText(value)
	}
	l.lines.add(func(n uint64) LogLine {
		line.ID = n
		return line
	})
}

// logLines answers GET /log?level=info&limit=200; without either, all that is kept.
func logLines(l *Log, query url.Values) ([]LogLine, error) {
	level, limit := cmp.Or(query.Get("level"), "debug"), keptLines
	if err := checkLevel("level", level); err != nil {
		return nil, err
	}
	if text := query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > keptLines {
			return nil, errBadRequest(fmt.Sprintf("limit must be 1 to %d", keptLines))
		}
	}
	return some(l.last(level, limit), nil)
}

func checkLevel(name, level string) error {
	if severity(level) < 0 {
		return errBadRequest(name + " must be one of " + strings.ReplaceAll(logLevels, " ", ", "))
	}
	return nil
}

// last returns the last lines of at least a severity, oldest first, limit at most.
func (l *Log) last(level string, limit int) []LogLine {
	lines, _ := l.lines.after(0)
	lines = slices.DeleteFunc(lines, func(line LogLine) bool { return !line.is(level) })
	return lines[max(0, len(lines)-limit):]
}

// is says whether a line is as severe as the level, or more.
func (line LogLine) is(level string) bool { return severity(line.Level) <= severity(level) }

// severity is the place of a level among logLevels; -1 for none of them.
func severity(level string) int { return slices.Index(strings.Fields(logLevels), level) }

func cutText(s string) string {
	if len(s) <= maxLogText {
		return s
	}
	n := maxLogText
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
