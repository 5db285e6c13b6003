package accessory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// waiter waits for the end of a wish, to count it and to answer its caller.
type waiter struct {
	wish  event // setPower or selectTitle
	began time.Time
	done  chan error // has room for one; nil: there is no caller
}

// want gives a wish to the machine and polls the console at once. The outcome of
// the wish is counted, and sent to done if that is not nil.
func (t *Television) want(wish event, done chan error) {
	t.trouble, t.changed = nil, true
	t.step(wish)
	again := func(w waiter) bool { return w.wish == wish && w.done == nil }
	if done != nil || !slices.ContainsFunc(t.waiters, again) {
		t.waiters = append(t.waiters, waiter{wish, time.Now(), done})
	}
	poke(t.poll)
}

// release ends the waiters whose wish is over.
func (t *Television) release() {
	waiting := t.waiters[:0]
	for _, w := range t.waiters {
		over, err := t.m.outcome(w.wish)
		if !over {
			waiting = append(waiting, w)
			continue
		}
		t.stats.ended(commandOf(w.wish), err, w.began)
		if selected, ok := w.wish.(selectTitle); ok && (err == nil || errors.Is(err, ps4.ErrNoSuchTitle)) {
			if title := t.in.titles[selected.title]; title != nil {
				title.missing = err != nil
			}
		}
		if w.done != nil {
			w.done <- err
		}
	}
	clear(t.waiters[len(waiting):])
	t.waiters = waiting
}

// commandOf returns the name of a wish in [Stats].
func commandOf(wish event) string {
	switch wish {
	case setPower{powerOn}:
		return CommandWake
	case setPower{powerOff}:
		return CommandStandby
	case selectTitle{}:
		return CommandHome
	}
	return CommandStart
}

// Wake turns the console on and returns when it is, within 60 s, or 120 s right
// after a standby. It fails with [ErrNotWoken], [ErrSuperseded], [ErrStopped],
// or an error of package ps4.
func (t *Television) Wake(ctx context.Context) error { return t.pursue(ctx, setPower{powerOn}) }

// SendWake sends one WAKEUP and returns. More follow until the console is on, as
// after a write from Home. It fails with [ps4.ErrNoCredential] or
// [ps4.ErrNoNetwork].
func (t *Television) SendWake(ctx context.Context) error {
	if err := t.sendWake(ctx); err != nil {
		return err
	}
	t.wish(setPower{powerOn})
	return nil
}

// Standby puts the console into rest mode and returns when it is, within about
// 30 s. It fails as Wake does, or with [ErrStillAwake].
func (t *Television) Standby(ctx context.Context) error { return t.pursue(ctx, setPower{powerOff}) }

// StartTitle starts a title, which need not be an input, and wakes the console
// for it if necessary. It returns when the console shows the title, within 90 s.
// With noQuit it leaves another running title alone and fails with
// [ps4.ErrTitleRunning]. It fails with [ErrNoTitles] if the console's protocol
// cannot start titles.
func (t *Television) StartTitle(ctx context.Context, id string, noQuit bool) error {
	id, err := t.checkTitle(id)
	if err != nil {
		return err
	}
	return t.pursue(ctx, selectTitle{title: id, noQuit: noQuit})
}

// checkTitle returns the id of a title that can be started.
func (t *Television) checkTitle(id string) (string, error) {
	if !t.console.Can().Titles {
		return "", ErrNoTitles
	}
	return ps4.ParseTitleID(id)
}

// Home shows the home screen, and wakes the console for it if necessary. It
// fails as Wake does.
func (t *Television) Home(ctx context.Context) error { return t.pursue(ctx, selectTitle{}) }

func (t *Television) pursue(ctx context.Context, e event) error {
	done := make(chan error, 1)
	t.mu.Lock()
	t.want(e, done)
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

// wish asks for something and does not wait, like the write of a controller: it
// merges with everything that comes within 100 ms, and Snapshot shows its
// outcome (docs/homekit.md §5).
func (t *Television) wish(e event) {
	t.mu.Lock()
	defer t.unlock()
	t.want(e, nil)
}

// Can returns the abilities of the console's sessions.
func (t *Television) Can() Abilities { return t.console.Can() }

// identify records that a controller asked which console this is.
func (t *Television) identify() {
	t.mu.Lock()
	defer t.unlock()
	t.identified, t.changed = time.Now(), true
	t.cfg.Log.Infof("identify: a controller asks which console this is")
}

// Keys presses keys in order and returns when the last has left. It never wakes
// the console, but waits for one that is being woken. It fails with
// [ps4.ErrStandby], [remoteplay.ErrPSOnly], and other errors of package ps4. If
// a key is invalid, it presses none.
func (t *Television) Keys(ctx context.Context, keys []ps4.Key) error {
	if err := t.console.CheckKeys(keys...); err != nil {
		return err
	}
	return t.enqueue(ctx, CommandKeys, func(ctx context.Context) error {
		for _, k := range keys { // one by one, so that a key survives the end of a session
			if err := t.sendKey(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
}

// WithSession calls do with the console's session when its turn comes. do must
// end with its context and not keep the session. If the session that was held
// turns out to be over, do is called again with a new one.
func (t *Television) WithSession(ctx context.Context, do func(context.Context, Session) error) error {
	return t.enqueue(ctx, CommandSession, func(ctx context.Context) error { return t.console.Do(ctx, do) })
}

// WithoutSession closes the session, if one is open, and calls do; no session is
// opened meanwhile. Linking needs that. If it succeeds, the error of the last
// command is forgotten.
func (t *Television) WithoutSession(ctx context.Context, do func(context.Context) error) error {
	err := t.enqueue(ctx, CommandLink, func(ctx context.Context) error {
		t.console.Drop()
		return do(ctx)
	})
	if err == nil {
		t.mu.Lock()
		defer t.unlock()
		t.trouble, t.changed = nil, true
	}
	return err
}

// enqueue queues a job and waits for its end.
func (t *Television) enqueue(ctx context.Context, kind string, run func(context.Context) error) error {
	j := &job{kind: kind, began: time.Now(), run: run, ctx: ctx, done: make(chan error, 1)}
	t.mu.Lock()
	t.jobs = append(t.jobs, j)
	t.mu.Unlock()
	poke(t.work)
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
	case <-t.stopped:
	}
	t.mu.Lock()
	i := slices.Index(t.jobs, j)
	if i >= 0 {
		t.jobs = slices.Delete(t.jobs, i, i+1)
		if ctx.Err() != nil {
			t.stats.command(kind).Cancelled++
		}
	}
	t.mu.Unlock()
	if i >= 0 {
		return cmp.Or(ctx.Err(), ErrStopped)
	}
	return <-j.done // it has run, or is running and ends with ctx
}
