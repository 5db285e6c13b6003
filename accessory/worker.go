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
	q := &t.queue
	switch {
	case t.m.busy != nil || t.m.waking():
		return t.m.busy, nil
	case len(q.jobs) == 0:
		q.dropping = false
		return nil, nil
	}
	j := q.jobs[0]
	q.jobs = q.jobs[1:]
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

// pressKey presses a key that HomeKit wrote. If that fails, it drops the keys
// behind it, which would fail late.
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

// pause waits, and reports false if ctx is done first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// job is work for the session.
type job struct {
	kind  string // of Stats
	began time.Time
	run   func(context.Context) error
	ctx   context.Context // of the caller; nil for a key that HomeKit wrote
	done  chan error      // has room for one; nil: there is no caller
}

// queue holds the waiting jobs, oldest first. It is not safe for concurrent use.
type queue struct {
	jobs     []*job
	lost     uint64 // how many keys were dropped so far
	dropping bool   // keys were dropped since the queue was last empty
}

// addKey adds a key that HomeKit wrote. If too many wait, it drops the oldest,
// and reports the first such drop.
func (q *queue) addKey(press func(context.Context) error) (dropped bool) {
	waiting := 0
	for _, j := range q.jobs {
		if j.ctx == nil {
			waiting++
		}
	}
	if waiting >= maxKeys {
		dropped, q.dropping = !q.dropping, true
		q.dropKeys(1)
	}
	q.jobs = append(q.jobs, &job{kind: CommandKeys, began: time.Now(), run: press})
	return dropped
}

// dropKeys drops the oldest n keys that HomeKit wrote.
func (q *queue) dropKeys(n int) {
	q.jobs = slices.DeleteFunc(q.jobs, func(j *job) bool {
		if n == 0 || j.ctx != nil {
			return false
		}
		n--
		q.lost++
		return true
	})
}
