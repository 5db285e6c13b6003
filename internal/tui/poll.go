package tui

import (
	"context"
	"errors"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	web "github.com/ps4kit/ps4kit/internal/api"
)

const (
	pollInterval = 2 * time.Second  // between an answer and the next question
	pollLimit    = 15 * time.Second // for one answer; a console that is away is known sooner
)

// poll asks the console for its state, one question at a time.
type poll struct {
	asking bool
	count  int   // questions asked, so that a timer set before the last one is known
	err    error // why there was no answer
}

// statusMsg is the answer to a question.
type statusMsg struct {
	host    string
	console web.Console
	err     error
}

// pollMsg says that it is time to ask again.
type pollMsg struct{ count int }

var errSlow = errors.New("no answer: still asking")

// ask asks for the state now, unless a question is on its way.
func (m *model) ask() tea.Cmd {
	if m.poll.asking || m.host == "" {
		return nil
	}
	m.poll.asking = true
	m.poll.count++
	b, host := m.backend, m.host
	return m.work.do(func(ctx context.Context) tea.Msg {
		console, err := askOnce(ctx, b, host)
		return statusMsg{host, console, err}
	})
}

// askOnce gives up after pollLimit. Its context has no deadline, which would tell the
// library to wait that long for a console that does not answer.
func askOnce(ctx context.Context, b Backend, host string) (web.Console, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer time.AfterFunc(pollLimit, func() { cancel(errSlow) }).Stop()
	console, err := b.Status(ctx, host)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return console, err
}

func (m *model) gotStatus(msg statusMsg) tea.Cmd {
	m.poll.asking = false
	if msg.host != m.host {
		return m.ask()
	}
	if m.poll.err = msg.err; msg.err == nil {
		m.console = msg.console
	}
	return m.work.after(pollInterval, pollMsg{m.poll.count})
}

func (m *model) pollDue(msg pollMsg) tea.Cmd {
	if msg.count != m.poll.count {
		return nil
	}
	return m.ask()
}
