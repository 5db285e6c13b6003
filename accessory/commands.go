package accessory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// waiter is a wish whose end is waited for: to be counted, and often by somebody.
type waiter struct {
	wish  event // setPower or selectTitle
	began time.Time
	done  chan error // has room for one; nil: nobody waits
}

// await has a wish counted when it ends, and done told, if it is not nil.
func (t *Television) await(wish event, done chan error) {
	again := func(w waiter) bool { return w.wish == wish && w.done == nil }
	if done == nil && slices.ContainsFunc(t.waiters, again) {
		return
	}
	t.waiters = append(t.waiters, waiter{wish, time.Now(), done})
}

// release tells those whose wish came to its end.
func (t *Television) release() {
	waiting := t.waiters[:0]
	for _, w := range t.waiters {
		if over, err := t.m.outcome(w.wish); over {
			t.counts.ended(commandOf(w.wish), err, time.Since(w.began))
			if w.done != nil {
				w.done <- err
			}
			continue
		}
		waiting = append(waiting, w)
	}
	clear(t.waiters[len(waiting):])
	t.waiters = waiting
}

// wanted is the power that is pursued, or will be when the window closes.
func (m *machine) wanted() power {
	switch {
	case m.wish.power != powerAny:
		return m.wish.power
	case m.wish.launch != nil:
		return powerOn
	}
	return m.goal
}

// outcome says whether a wish is no longer pursued, and how that ended.
func (m *machine) outcome(wish event) (over bool, err error) {
	switch w := wish.(type) {
	case setPower:
		return m.powerOutcome(w.power)
	case selectTitle:
		return m.launchOutcome(w.title)
	}
	return true, nil
}

func (m *machine) powerOutcome(p power) (over bool, err error) {
	switch m.wanted() {
	case p:
		return false, nil
	case powerAny:
		return true, m.powerErr
	}
	return true, ErrSuperseded
}

func (m *machine) launchOutcome(title string) (over bool, err error) {
	switch l := m.target(); {
	case l != nil && l.title == title:
		return false, nil
	case l != nil || m.wanted() == powerOff:
		return true, ErrSuperseded
	}
	return true, m.launchErr
}

// Wake turns the console on and returns when it is, within 60 s (120 s right after a standby: the console is deaf); it fails with [ErrNotWoken], [ErrSuperseded], [ErrStopped], or
// what package ps4 says.
func (t *Television) Wake(ctx context.Context) error {
	return t.pursue(ctx, setPower{powerOn})
}

// SendWake sends one WAKEUP and returns. The console is then wanted on, as by WantPower: WAKEUPs are repeated until it is. It
// fails with [ps4.ErrNoCredential] or what the network says.
func (t *Television) SendWake(ctx context.Context) error {
	if err := t.sendWake(ctx); err != nil {
		return err
	}
	t.WantPower(true)
	return nil
}

// Standby puts the console into rest mode and returns when it is, within 30 s and a bit; it fails as Wake does, or with
// [ErrStillAwake].
func (t *Television) Standby(ctx context.Context) error {
	return t.pursue(ctx, setPower{powerOff})
}

// StartTitle starts a title, of which there need not be an input, and wakes the console for it if need be; it returns when the
// console shows the title, within 90 s. noQuit leaves another running title alone and fails with [ps4.ErrTitleRunning].
func (t *Television) StartTitle(ctx context.Context, id string, noQuit bool) error {
	id = strings.ToUpper(strings.TrimSpace(id))
	if err := validTitleID(id); err != nil {
		return err
	}
	return t.pursue(ctx, selectTitle{title: id, noQuit: noQuit})
}

// Home goes to the home screen, and wakes the console for it if need be; it
// returns when that is done. It fails as Wake does.
func (t *Television) Home(ctx context.Context) error { return t.pursue(ctx, selectTitle{}) }

func (t *Television) pursue(ctx context.Context, e event) error {
	done := make(chan error, 1)
	t.mu.Lock()
	t.want(e, done, nil, nil)
	t.unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err() // the wish stays
	case <-t.stopped:
		return ErrStopped
	}
}

// Keys presses keys, in order and paced, and returns when the last was sent. It never wakes the console: [ps4.ErrStandby].
func (t *Television) Keys(ctx context.Context, keys []ps4.Key) error {
	return t.enqueue(ctx, &job{kind: CommandKeys, do: func(ctx context.Context, s Session) error { return s.Keys(ctx, keys...) }})
}

// WithSession calls do with the console's session, when its turn comes. do must end with its context and not keep the session.
// If the held session turns out to be over, do is called again with a new one.
func (t *Television) WithSession(ctx context.Context, do func(context.Context, Session) error) error {
	return t.enqueue(ctx, &job{kind: CommandSession, do: do})
}

// WithoutSession closes the session, if one is open, and calls do; no session is opened meanwhile. Linking needs that.
func (t *Television) WithoutSession(ctx context.Context, do func(context.Context) error) error {
	return t.enqueue(ctx, &job{kind: CommandLink, alone: true, do: func(ctx context.Context, _ Session) error { return do(ctx) }})
}

func (t *Television) enqueue(ctx context.Context, j *job) error {
	j.ctx, j.began, j.done = ctx, time.Now(), make(chan error, 1)
	t.mu.Lock()
	t.queue.add(j)
	t.mu.Unlock()
	poke(t.work)
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
	}
	t.mu.Lock()
	waited := t.queue.remove(j)
	t.mu.Unlock()
	if waited {
		return ctx.Err()
	}
	return <-j.done // it runs, and ends with ctx
}
