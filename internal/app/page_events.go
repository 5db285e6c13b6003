package app

import (
	"fmt"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/web"
)

// Events implements web.Page.
func (s *server) Events() *web.Events { return s.events }

// tellPage says that something of a host may have changed that the page shows. It does
// not block.
func (s *server) tellPage(hostID string) {
	if s.events != nil { // a command that runs alone has no page
		s.events.Changed(hostID)
	}
}

// view is what the page shows of a console, or of the companion bridge.
func (s *server) view(hostID string) (v web.View) {
	if c := s.companion.Load(); c != nil && hostID == state.Companion {
		a := s.companionAccessory(c)
		v.Homekit = &a
	}
	u := s.unit(hostID)
	if u == nil {
		v.Card = s.refusedCard(hostID)
		return v
	}
	card := s.card(u)
	v.Card, v.Titles = &card, u.titles()
	if u.hap != nil {
		a := u.accessory()
		v.Homekit = &a
	}
	return v
}

// logHook copies what is logged to the page.
type logHook struct{ log *web.Log }

// Levels implements logrus.Hook.
func (logHook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (h logHook) Fire(entry *logrus.Entry) error {
	line := web.LogLine{Time: entry.Time, Level: levelOf(entry.Level), Message: entry.Message, Fields: map[string]string{}}
	for name, value := range entry.Data {
		line.Fields[name] = fmt.Sprint(value)
	}
	h.log.Add(line)
	return nil
}

// levelOf is a level as log.level calls it.
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
