package accessory

import (
	"context"
	"errors"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// runWork does what needs the console's session, one thing at a time, until ctx
// is done.
func (t *Television) runWork(ctx context.Context) {
	defer t.closeQueue()
	for ctx.Err() == nil {
		if t.workOnce(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-t.work:
		}
	}
}

// workOnce does the next thing, if there is one: the command of the machine
// goes first. While the console is being woken, keys and other jobs wait for it,
// as a title does.
func (t *Television) workOnce(ctx context.Context) bool {
	t.mu.Lock()
	command := t.m.busy
	var j *job
	if command == nil && !t.m.waking(time.Now()) {
		j = t.queue.takeJob()
	}
	t.mu.Unlock()
	switch {
	case command != nil:
		t.doCommand(ctx, command)
	case j != nil && j.ctx == nil:
		t.pressKey(ctx, j)
	case j != nil:
		t.doJob(ctx, j)
	}
	return command != nil || j != nil
}

// doCommand carries out a command of the machine and reports its end.
func (t *Television) doCommand(ctx context.Context, a *action) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.mu.Lock()
	t.cancel = cancel
	if t.m.cancel { // while it waited
		cancel()
	}
	t.mu.Unlock()
	defer time.AfterFunc(time.Until(a.until), cancel).Stop()
	defer t.working.beatAfter(ctx)()
	err := t.console.Do(ctx, func(ctx context.Context, s Session) error {
		switch {
		case a.do == doStandby:
			return s.Standby(ctx)
		case a.launch.title == "":
			return s.Keys(ctx, ps4.Key{Button: ps4.PS})
		}
		return s.StartTitle(ctx, a.launch.title, &ps4.StartOptions{NoQuit: a.launch.noQuit})
	})
	sent := err == nil || errors.Is(err, ps4.ErrUnanswered)
	if a.do == doStandby && sent {
		t.console.Drop()
	}
	deafBy := t.console.DeafUntil()
	t.mu.Lock()
	defer t.unlock()
	if err == nil {
		t.logged = ""
	}
	t.step(finished{do: a.do, err: err, sent: sent, deafBy: deafBy})
	poke(t.poll)
}

// doJob does a job that has a caller.
func (t *Television) doJob(ctx context.Context, j *job) {
	ctx, cancel := within(ctx, j.ctx)
	defer cancel()
	defer t.working.beatAfter(ctx)()
	err := j.run(ctx)
	if errors.Is(err, context.Canceled) && j.ctx.Err() == nil {
		err = ErrStopped
	}
	t.mu.Lock()
	t.stats.ended(j.kind, err, j.began)
	t.mu.Unlock()
	j.done <- err
}

// pressKey presses a key of HomeKit's. If that fails, those behind it would
// fail too, and late: it drops them.
func (t *Television) pressKey(ctx context.Context, j *job) {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	defer t.working.beatAfter(ctx)()
	err := j.run(ctx)
	for delay := retryAfter; passes(err) && pause(ctx, delay); delay = min(2*delay, retryMax) {
		err = j.run(ctx)
	}
	t.mu.Lock()
	defer t.unlock()
	t.stats.ended(j.kind, err, j.began)
	switch {
	case errors.Is(err, context.Canceled):
	case err == nil:
		t.logged = ""
	default:
		t.queue.dropKeys(maxKeys)
		t.report(err, t.cfg.Log.Warnf)
	}
}

// sendKey presses one key in the console's session.
func (t *Television) sendKey(ctx context.Context, k ps4.Key) error {
	return t.console.Do(ctx, func(ctx context.Context, s Session) error { return s.Keys(ctx, k) })
}

// pause waits; it reports false when ctx is done first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// closeQueue ends every job that waits; later ones fail.
func (t *Television) closeQueue() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue.closed = true
	for _, j := range t.queue.jobs {
		if j.done != nil {
			j.done <- ErrStopped
		}
	}
	t.queue.jobs = nil
}

// within returns a context that ends with either.
func within(ctx, other context.Context) (context.Context, context.CancelFunc) { //nolint:revive // both matter alike
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(other, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
