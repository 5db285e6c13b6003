package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// keysPerCall is how many presses go as one call at most, some 13 s of them
// (docs/protocol.md §7): between two calls x takes effect and errors show.
const keysPerCall = 64

// command is a call that acts on a console: presses of keys, or run.
type command struct {
	host        string
	number      int // of the last thing typed that it holds
	keys        []string
	doing, done string // what the screen says of it
	run         func(context.Context) error
	then        func(*model, error) tea.Cmd // optional: what the screen does with the outcome
}

// queue holds the commands in the order in which they were typed. One runs at a
// time; presses that wait together go as one call.
type queue struct {
	typed   int // commands added so far
	waiting []command

	running *command
	seconds int // that it has been running for
	stopped bool
	stop    context.CancelFunc
}

// add puts c at the end.
func (q *queue) add(c command) {
	q.typed++
	c.number = q.typed
	if last := len(q.waiting) - 1; last >= 0 && joins(q.waiting[last], c) {
		c.keys = slices.Concat(q.waiting[last].keys, c.keys)
		q.waiting = slices.Concat(q.waiting[:last], []command{c})
		return
	}
	q.waiting = append(slices.Clip(q.waiting), c)
}

func joins(last, c command) bool {
	return last.keys != nil && c.keys != nil && last.host == c.host && len(last.keys) < keysPerCall
}

// idle says whether there is nothing left to do.
func (q *queue) idle() bool { return q.running == nil && len(q.waiting) == 0 }

// pending counts the presses and other commands that wait.
func (q *queue) pending() (n int) {
	for _, c := range q.waiting {
		n += max(1, len(c.keys))
	}
	return n
}

// String says what runs, as "pressing down ×3 (2 s), 4 more wait".
func (q *queue) String() string {
	if q.running == nil {
		return ""
	}
	s := q.running.doing
	if q.running.keys != nil {
		s = "pressing " + presses(q.running.keys)
	}
	if q.seconds > 0 {
		s += fmt.Sprintf(" (%d s)", q.seconds)
	}
	if n := q.pending(); n > 0 {
		s += fmt.Sprintf(", %d more wait", n)
	}
	return s
}

// presses lists keys, as "down ×3, enter".
func presses(keys []string) string {
	var parts []string
	for i := 0; i < len(keys); {
		n := 1
		for i+n < len(keys) && keys[i+n] == keys[i] {
			n++
		}
		part := keys[i]
		if n > 1 {
			part += fmt.Sprintf(" ×%d", n)
		}
		parts = append(parts, part)
		i += n
	}
	return strings.Join(parts, ", ")
}

// doneMsg is the outcome of a command.
type doneMsg struct{ err error }

// secondMsg says that the command with that number has run for another second.
type secondMsg struct{ number int }

// do queues a command for the console that is shown. What is said about an earlier
// one goes, unless that may not have been read yet.
func (m *model) do(c command) tea.Cmd {
	if m.queue.idle() {
		m.notice = notice{}
	}
	c.host = m.host
	m.queue.add(c)
	return m.next()
}

// next starts the next command unless one runs.
func (m *model) next() tea.Cmd {
	q := &m.queue
	switch {
	case q.idle() && m.quitting:
		return tea.Quit
	case q.running != nil || q.idle():
		return nil
	}
	c := q.waiting[0]
	q.waiting = q.waiting[1:]
	ctx, stop := m.limited(m.work.ctx)
	q.running, q.seconds, q.stopped, q.stop = &c, 0, false, stop
	run := c.run
	if c.keys != nil {
		b := m.backend
		run = func(ctx context.Context) error { return b.Keys(ctx, c.host, c.keys) }
	}
	call := m.work.do(func(context.Context) tea.Msg {
		defer stop()
		err := run(ctx)
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx) // says more than that something was cancelled
		}
		return doneMsg{err}
	})
	return tea.Batch(call, m.work.after(time.Second, secondMsg{c.number}))
}

// limited is the context of one command.
func (m *model) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if m.limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, m.limit, &web.Error{
		Code: "unreachable", Message: fmt.Sprintf("not done after %v", m.limit), Hint: "Give it more time with --timeout.",
	})
}

func (m *model) secondPassed(msg secondMsg) tea.Cmd {
	if m.queue.running == nil || m.queue.running.number != msg.number {
		return nil
	}
	m.queue.seconds++
	return m.work.after(time.Second, msg)
}

// commandDone tells the outcome and goes on with the next command, whatever it was:
// what was typed is not thrown away.
func (m *model) commandDone(msg doneMsg) tea.Cmd {
	c, stopped := m.queue.running, m.queue.stopped
	m.queue.running, m.queue.stop = nil, nil
	switch {
	case msg.err != nil && stopped:
		m.tell("stopped", c.number)
	case msg.err != nil:
		m.complain(msg.err)
	case c.keys != nil:
		m.tell("pressed "+presses(c.keys), c.number)
	case c.done != "":
		m.tell(c.done, c.number)
	}
	var then tea.Cmd
	if c.then != nil {
		then = c.then(m, msg.err)
	}
	return tea.Batch(then, m.next(), m.ask())
}

// stop ends the command that runs and forgets those that wait.
func (m *model) stop() {
	if m.queue.running == nil {
		return
	}
	m.queue.waiting, m.queue.stopped = nil, true
	m.queue.stop()
}
