package accessory

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// runWork does what needs the console's session, one thing at a time, until ctx
// is done.
func (t *Television) runWork(ctx context.Context) {
	for ctx.Err() == nil {
		switch command, j := t.nextWork(); {
		case command != nil:
			t.doCommand(ctx, command)
		case j != nil && j.ctx == nil:
			t.pressKey(ctx, j)
		case j != nil:
			t.doJob(ctx, j)
		default:
			select {
			case <-ctx.Done():
			case <-t.work:
			}
		}
	}
}

// nextWork returns what to do next; the command of the machine goes first. While
// the console is being woken, keys and other jobs wait for it, as a title does.
func (t *Television) nextWork() (*action, *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.m.busy != nil || t.m.waking():
		return t.m.busy, nil
	case len(t.jobs) == 0:
		t.dropping = false
		return nil, nil
	}
	j := t.jobs[0]
	t.jobs = t.jobs[1:]
	return nil, j
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
	t.mu.Lock()
	defer t.unlock()
	if err == nil {
		t.logged = ""
	}
	t.step(finished{err, sent})
	poke(t.poll)
}

// doJob does a job that has a caller.
func (t *Television) doJob(ctx context.Context, j *job) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(j.ctx, cancel)()
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

// pressKey presses a key that HomeKit wrote, again and again while the console
// is busy. If that fails, it drops the keys behind it, which would fail late.
func (t *Television) pressKey(ctx context.Context, j *job) {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	defer t.working.beatAfter(ctx)()
	err := t.sendKey(ctx, j.key)
	for delay := retryAfter; passes(err) && ctx.Err() == nil; delay = min(2*delay, retryMax) {
		select {
		case <-ctx.Done():
		case <-time.After(delay):
			err = t.sendKey(ctx, j.key)
		}
	}
	t.mu.Lock()
	defer t.unlock()
	t.stats.ended(j.kind, err, j.began)
	switch {
	case errors.Is(err, context.Canceled):
	case err == nil:
		t.logged = ""
	default:
		t.dropKeys(maxKeys)
		t.report(err, t.cfg.Log.Warnf)
	}
}

// sendKey presses one key in the console's session.
func (t *Television) sendKey(ctx context.Context, k ps4.Key) error {
	return t.console.Do(ctx, func(ctx context.Context, s Session) error { return s.Keys(ctx, k) })
}

// job is work for the session: that of a caller, or a key that HomeKit wrote.
type job struct {
	kind  string // of Stats
	began time.Time
	key   ps4.Key // without a caller

	ctx  context.Context // of the caller; nil: there is none
	run  func(context.Context) error
	done chan error // has room for one
}

// dropKeys drops the oldest n waiting keys that HomeKit wrote. mu must be held.
func (t *Television) dropKeys(n int) {
	t.jobs = slices.DeleteFunc(t.jobs, func(j *job) bool {
		if n == 0 || j.ctx != nil {
			return false
		}
		n--
		t.stats.command(CommandKeys).Dropped++
		return true
	})
}
