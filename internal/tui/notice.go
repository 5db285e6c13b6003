package tui

import (
	"errors"
	"strings"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// notice is what the bottom of the screen says: an outcome, or an error with what to
// do about it.
type notice struct {
	text, hint string
	bad        bool
	after      int // the number of the last command typed when an error came
}

// tell shows that a command was done. An error stays until a command has been done
// that was typed after it was shown, so that nobody misses it by typing ahead.
func (m *model) tell(text string, number int) {
	if m.notice.bad && number <= m.notice.after {
		return
	}
	m.notice = notice{text: text}
}

// complain shows an error.
func (m *model) complain(err error) {
	text, hint := explain(err)
	text = strings.ReplaceAll(text, "ps4: ", "") // which package says so is of no use here
	if strings.Contains(text, hint) {
		hint = ""
	}
	m.notice = notice{text: text, hint: hint, bad: true, after: m.queue.typed}
}

// explain returns an error's sentence, and its hint when it has one: a web.Error by
// its field, others by their method.
func explain(err error) (text, hint string) {
	if e, ok := errors.AsType[*web.Error](err); ok {
		return e.Message, e.Hint
	}
	if e, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return err.Error(), e.Hint()
	}
	return err.Error(), ""
}
