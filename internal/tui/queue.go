package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ps4kit/ps4kit/internal/api"
)

// keysPerCall bounds the presses in one backend call, which take about 13 s
// (docs/protocol.md §7). Between two calls the user can stop the queue and sees
// errors.
const keysPerCall = 64

// command is an action on a console: keys to press, or run.
type command struct {
	host        string
	number      int // counts commands in the order typed
	keys        []string
	doing, done string // for the screen
	run         func(ctx context.Context, host string) error
	visit       int         // m.visit when it was typed
	then        func(error) // optional, called on the event loop with the result if the user stayed
}

// queue holds commands in the order typed and runs one at a time. Consecutive
// presses share a call.
type queue struct {
	typed    int // commands so far
	waiting  []command
	running  *command
	began    time.Time // of running
	stop     context.CancelCauseFunc
	quitting bool // quit as soon as the queue is empty
}

var errStopped = errors.New("stopped")

// do queues a command for the console on screen.
func (m *model) do(c command) {
	q := &m.queue
	if q.running == nil {
		m.notice = notice{}
	}
	q.typed++
	c.number, c.host, c.visit = q.typed, m.host, m.visit
	if last := len(q.waiting) - 1; last >= 0 && q.waiting[last].accepts(c) {
		q.waiting[last].keys = append(q.waiting[last].keys, c.keys...)
		q.waiting[last].number = c.number
	} else {
		q.waiting = append(q.waiting, c)
	}
	m.next()
}

// accepts reports whether the presses of next may join those of c.
func (c *command) accepts(next command) bool {
	return c.keys != nil && next.keys != nil && c.host == next.host && len(c.keys) < keysPerCall
}

// next runs the next command unless one is running.
func (m *model) next() {
	q := &m.queue
	if q.running != nil {
		return
	}
	if len(q.waiting) == 0 {
		if q.quitting {
			m.cmd = tea.Quit
		}
		return
	}
	c := q.waiting[0]
	q.waiting = q.waiting[1:]
	ctx, cancel := context.WithCancelCause(m.ctx)
	q.running, q.began, q.stop = &c, time.Now(), cancel
	m.wg.Go(func() {
		defer cancel(nil)
		err := m.run(ctx, c)
		m.send(func() { m.finished(c, err) })
	})
}

// run executes c and returns the cause if its context ended first.
func (m *model) run(ctx context.Context, c command) error {
	if m.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, m.limit, &api.Error{Code: "unreachable",
			Message: fmt.Sprintf("timed out after %v", m.limit), Hint: "Allow more time with --timeout."})
		defer cancel()
	}
	var err error
	if c.keys != nil {
		err = api.Keys.Do(ctx, m.client, api.KeysRequest{Host: c.host, Keys: c.keys})
	} else {
		err = c.run(ctx, c.host)
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// finished shows the result of the running command and starts the next one even
// after an error.
func (m *model) finished(c command, err error) {
	m.queue.running = nil
	switch {
	case errors.Is(err, errStopped):
		m.tell("stopped", c.number)
	case err != nil:
		m.tellError(err)
	case c.keys != nil:
		m.tell("pressed "+presses(c.keys), c.number)
	case c.done != "":
		m.tell(c.done, c.number)
	}
	if c.then != nil && c.visit == m.visit {
		c.then(err)
	}
	m.next()
	m.refreshStatus()
}

// quit ends the program once the queue is empty.
func (m *model) quit() {
	m.queue.quitting = true
	m.next()
}

// String describes what is running: "pressing down ×3 (2 s), 4 more queued".
func (q *queue) String() string {
	if q.running == nil {
		return ""
	}
	s := q.running.doing
	if q.running.keys != nil {
		s = "pressing " + presses(q.running.keys)
	}
	if seconds := int(time.Since(q.began).Seconds()); seconds > 0 {
		s += fmt.Sprintf(" (%d s)", seconds)
	}
	queued := 0
	for _, c := range q.waiting {
		queued += max(1, len(c.keys))
	}
	if queued > 0 {
		s += fmt.Sprintf(", %d more queued", queued)
	}
	return s
}

// presses formats keys as "down ×3, enter".
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
