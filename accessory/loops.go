package accessory

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// runWatch follows the console's state.
func (t *Television) runWatch(ctx context.Context) {
	busy := func() bool { // polls come more often
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.m.working()
	}
	updates := t.console.Watch(ctx, &ps4.WatchOptions{
		Interval: t.cfg.Poll, Misses: t.cfg.Misses, Every: true, Busy: busy, Poke: t.poll, Last: t.status,
	})
	t.polling.set(time.Now())
	for u := range updates {
		if !u.Offline { // else it says nothing about the console
			t.update(u)
		}
		t.polling.set(time.Now())
	}
	t.polling.set(time.Time{})
}

// update handles the result of a poll.
func (t *Television) update(u ps4.Update) {
	t.mu.Lock()
	defer t.unlock()
	now := time.Now()
	before := t.status
	t.status = u.Status
	if u.Status != before {
		t.changed = true
		t.touch()
	}
	t.set(t.graph.firmware, firmware(u.SystemVersion))
	t.showName()
	t.stats.Polls++
	if u.Missed > 0 {
		t.stats.Missed++
	} else {
		t.lastSeen = now
		started := u.TitleID != before.TitleID || before.State != ps4.StateAwake
		_, keep := t.m.pursuing()
		if u.State == ps4.StateAwake && t.in.play(u.TitleID, u.TitleName, keep, started, now) {
			t.touch()
			t.showInputs()
		}
	}
	t.step(u)
}

// runClock does what is due at its time.
func (t *Television) runClock(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.console.Changed(): // the session is part of the snapshot
			t.mu.Lock()
			t.changed = true
			t.unlock()
			continue
		case <-t.clock:
		case <-timer.C:
		}
		t.timing.set(time.Now())
		wake, save := t.turn()
		if save {
			_ = t.save() // save reports the error and retries
		}
		if wake {
			_ = t.sendWake(ctx) // the machine gets the error
		}
		t.timing.set(time.Time{})
		if due := t.due(); due.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(due))
		}
	}
}

// turn does what is due now, and reports whether to send a WAKEUP and whether to
// save.
func (t *Television) turn() (wake, save bool) {
	t.mu.Lock()
	defer t.unlock()
	now := time.Now()
	if next := t.m.next(); !next.IsZero() && !now.Before(next) {
		t.step(tick{})
	}
	if !now.Before(t.secondBy) {
		t.pressFirst()
	}
	if !now.Before(t.revertAt) {
		for _, c := range t.reverts {
			t.pub.Notify(c)
		}
		t.reverts, t.revertAt = nil, time.Time{}
	}
	wake, t.wake = t.wake, false
	return wake, !t.saveAt.IsZero() && !now.Before(t.saveAt)
}

func (t *Television) sendWake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wakeTimeout)
	defer cancel()
	err := t.console.Wake(ctx)
	t.mu.Lock()
	defer t.unlock()
	t.step(woken{err})
	return err
}

// due returns when to call turn next, or the zero time if nothing is scheduled.
func (t *Television) due() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.m.next()
	for _, at := range []time.Time{t.secondBy, t.revertAt, t.saveAt} {
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	return due
}

// hangAfter is how long a loop may be busy with one thing. Only writing to a
// slow disk is not bounded by far less.
const hangAfter = 20 * time.Second

// pulse records since when a loop has been busy, to tell whether it hangs. It
// has no lock, because a loop that hangs may hold that of the television.
type pulse struct {
	since atomic.Pointer[time.Time] // nil or zero: the loop waits for work
}

func (p *pulse) set(since time.Time) { p.since.Store(&since) }

// beatAfter begins work that may take as long as ctx allows: the loop counts as
// busy from the end of ctx. The returned function ends the work.
func (p *pulse) beatAfter(ctx context.Context) (over func()) {
	begun := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		p.set(time.Now())
		close(begun)
	})
	return func() {
		if !stop() {
			<-begun
		}
		p.set(time.Time{})
	}
}

func (p *pulse) hangs(after time.Duration) bool {
	since := p.since.Load()
	return since != nil && !since.IsZero() && time.Since(*since) > after
}

// Hung returns the name of a loop of Run that hangs, or "", for a watchdog. It
// never blocks.
func (t *Television) Hung() string {
	switch {
	case t.polling.hangs(hangAfter + 4*t.cfg.Poll): // since the last update
		return "polling"
	case t.timing.hangs(hangAfter):
		return "timers"
	case t.working.hangs(hangAfter):
		return "commands"
	}
	return ""
}
