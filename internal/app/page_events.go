package app

import (
	"fmt"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Events implements api.Page.
func (s *server) Events() *api.Events { return s.events }

// tellPage reports that something the page shows may have changed. It does not
// block.
func (s *server) tellPage() {
	if s.events != nil { // nil in a command without a server
		s.events.Changed()
	}
}

// logHook copies the log to the page.
type logHook struct{ log *api.Log }

// Levels implements logrus.Hook.
func (logHook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (h logHook) Fire(entry *logrus.Entry) error {
	line := api.LogLine{Time: entry.Time, Level: levelOf(entry.Level), Message: entry.Message, Fields: map[string]string{}}
	for name, value := range entry.Data {
		line.Fields[name] = fmt.Sprint(value)
	}
	h.log.Add(line)
	return nil
}

// levelOf returns the name of a level in log.level.
func levelOf(l logrus.Level) string {
	switch {
	case l <= logrus.ErrorLevel:
		return "error"
	case l == logrus.WarnLevel:
		return "warn"
	case l == logrus.InfoLevel:
		return "info"
	}
	return "debug"
}
