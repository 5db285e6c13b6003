package accessory

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// runPolls asks the console for its status: slowly, quickly while something is under way, and at once after a write.
func (t *Television) runPolls(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var began time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.poll:
			timer.Reset(time.Until(began.Add(pollGap)))
			continue
		case <-timer.C:
		}
		select {
		case <-t.poll: // this poll is the one that was asked for
		default:
		}
		began = time.Now()
		timer.Reset(time.Until(began.Add(t.pollOnce(ctx, began))))
	}
}

// pollOnce asks once, and returns the interval to the next time.
func (t *Television) pollOnce(ctx context.Context, began time.Time) time.Duration {
	defer t.polling.beat()()
	ctx, cancel := t.beginPoll(ctx)
	defer cancel()
	status, err := t.console.Status(ctx)
	cancelled := errors.Is(ctx.Err(), context.Canceled) // by a write, or by the end
	t.mu.Lock()
	defer t.unlock()
	t.cancelPoll = nil
	switch {
	case err == nil && strings.EqualFold(status.HostID, t.cfg.HostID):
		t.counts.polled(true)
		t.heard(status, began)
	case !cancelled: // no answer, or that of another console which has got the address
		t.counts.polled(false)
		t.missed(began)
	}
	_, interval := t.pollTimes()
	return interval
}

func (t *Television) beginPoll(ctx context.Context) (context.Context, context.CancelFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	timeout, _ := t.pollTimes()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	t.cancelPoll = cancel
	return ctx, cancel
}

// pollTimes returns how long a poll may take, and the interval between two.
func (t *Television) pollTimes() (timeout, interval time.Duration) {
	if t.m.working() {
		return min(fastTimeout, t.cfg.Poll), min(fastPoll, t.cfg.Poll)
	}
	return min(pollTimeout, t.cfg.Poll), t.cfg.Poll
}

// heard takes in a reply.
func (t *Television) heard(s ps4.Status, began time.Time) {
	now := time.Now()
	s.TitleID = strings.ToUpper(s.TitleID)
	before := t.status
	t.status, t.lastSeen = s, now
	if s != before {
		t.changed = true
	}
	if s.HostName != before.HostName || s.SystemVersion != before.SystemVersion {
		t.set(t.graph.firmware, firmware(s.SystemVersion), nil, nil)
		t.showName(nil, nil)
		t.touch()
	}
	if s.State == ps4.StateAwake && s.TitleID != "" {
		t.learn(s, s.TitleID != before.TitleID || before.State != ps4.StateAwake, now)
	}
	t.step(polled{began: began, state: s.State, title: s.TitleID}, nil, nil)
}

// learn notes the running title, which gives it an input if there is room.
func (t *Television) learn(s ps4.Status, started bool, now time.Time) {
	keep := ""
	if l := t.m.target(); l != nil {
		keep = l.title
	}
	if t.in.play(s.TitleID, s.TitleName, keep, started, now) {
		t.touch()
		t.showInputs(nil, nil)
	}
}

func (t *Television) missed(began time.Time) {
	state := t.m.seen.state
	t.step(polled{began: began, state: ps4.StateUnreachable}, nil, nil)
	if t.m.seen.state != state {
		t.changed = true
	}
}

// runClock does what is due at its time.
func (t *Television) runClock(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.clock:
		case <-timer.C:
		}
		t.clockOnce(ctx)
		if due := t.due(); due.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(due))
		}
	}
}

func (t *Television) clockOnce(ctx context.Context) {
	defer t.timing.beat()()
	wake, save := t.turn()
	if save {
		_ = t.save() // told and tried again there
	}
	if wake {
		_ = t.sendWake(ctx) // told to the machine there
	}
}

// turn does what is due now, and says whether a WAKEUP is to be sent and whether something is to be saved.
func (t *Television) turn() (wake, save bool) {
	t.mu.Lock()
	defer t.unlock()
	now := time.Now()
	if next := t.m.next(); !next.IsZero() && !now.Before(next) {
		t.step(tick{}, nil, nil)
	}
	t.press(t.presses.due(now))
	if len(t.reverts) > 0 && !now.Before(t.revertAt) {
		for _, c := range t.reverts {
			t.pub.Notify(c)
		}
		t.reverts = nil
	}
	wake, t.wake = t.wake, false
	return wake, t.dirty && !now.Before(t.saveAt)
}

func (t *Television) sendWake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wakeTimeout)
	defer cancel()
	err := t.console.Wake(ctx)
	t.mu.Lock()
	defer t.unlock()
	t.step(finished{do: doWake, err: err, sent: err == nil}, nil, nil)
	return err
}

// due is when turn is to be called next; the zero time: when something happens.
func (t *Television) due() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.m.next()
	at := func(wanted bool, when time.Time) {
		if wanted && (due.IsZero() || when.Before(due)) {
			due = when
		}
	}
	at(t.wake, time.Now())
	at(t.presses.waiting, t.presses.until)
	at(len(t.reverts) > 0, t.revertAt)
	at(t.dirty && t.cfg.Store != nil, t.saveAt)
	return due
}
