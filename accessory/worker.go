package accessory

import (
	"context"
	"errors"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// worker does what needs the console's session, one thing at a time, and holds the session while it is used.
type worker struct {
	t       *Television
	session Session
	idle    *time.Timer
}

// runWork works until ctx is done, then closes the session.
func (t *Television) runWork(ctx context.Context) {
	w := &worker{t: t, idle: time.NewTimer(t.cfg.SessionIdle)}
	defer w.idle.Stop()
	defer t.closeQueue()
	defer w.drop()
	for ctx.Err() == nil {
		w.tell()
		if w.next(ctx) {
			w.idle.Reset(t.cfg.SessionIdle)
			continue
		}
		select {
		case <-ctx.Done():
		case <-t.work:
		case <-w.keyboardChanged(): // told above
		case <-w.over():
			w.drop()
		case <-w.idle.C:
			w.drop()
		}
	}
}

// next does the next thing, if there is one.
func (w *worker) next(ctx context.Context) bool {
	w.t.mu.Lock()
	command, commandCtx := w.t.queue.command, w.t.queue.commandCtx
	var j *job
	if command == nil {
		j = w.t.queue.takeJob()
	}
	w.t.mu.Unlock()
	switch {
	case command != nil:
		w.command(ctx, command, commandCtx)
	case j != nil:
		w.job(ctx, j)
	}
	return command != nil || j != nil
}

// command does what the machine wants and tells it how that ended.
func (w *worker) command(ctx context.Context, a *action, until context.Context) { //nolint:revive // the loop's context goes first
	both, cancel := within(ctx, until)
	defer cancel()
	defer w.t.working.beatAfter(both)()
	err := w.use(both, func(s Session) error {
		switch a.do {
		case doStandby:
			return s.Standby(both)
		case doStart:
			return s.StartTitle(both, a.launch.title, &ps4.StartOptions{NoQuit: a.launch.noQuit})
		}
		return s.Keys(both, ps4.Key{Button: ps4.PS})
	})
	sent := err == nil || errors.Is(err, ps4.ErrUnanswered)
	if a.do == doStandby && sent {
		w.drop()
	}
	w.t.mu.Lock()
	defer w.t.unlock()
	w.t.queue.command = nil
	w.t.queue.cancelCommand()
	w.t.step(finished{do: a.do, err: err, sent: sent}, nil, nil)
	poke(w.t.poll)
}

func (w *worker) job(ctx context.Context, j *job) {
	if j.ctx == nil {
		w.key(ctx, j)
		return
	}
	both, cancel := within(ctx, j.ctx)
	defer cancel()
	defer w.t.working.beatAfter(both)()
	var err error
	if j.alone {
		w.drop()
		err = j.do(both, nil)
	} else {
		err = w.use(both, func(s Session) error { return j.do(both, s) })
	}
	if errors.Is(err, context.Canceled) && j.ctx.Err() == nil {
		err = ErrStopped
	}
	w.t.counts.ended(j.kind, err, time.Since(j.began))
	j.end(err)
}

// key presses a key of HomeKit's. When that fails, those that wait would fail too, and late.
func (w *worker) key(ctx context.Context, j *job) {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	defer w.t.working.beatAfter(ctx)()
	err := w.use(ctx, func(s Session) error { return j.do(ctx, s) })
	w.t.counts.ended(j.kind, err, time.Since(j.began))
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	w.t.mu.Lock()
	defer w.t.unlock()
	w.t.queue.dropKeys(maxKeys)
	if last := w.t.trouble; last == nil || last.Error() != err.Error() || time.Since(w.t.troubleAt) > sameTrouble {
		w.t.report(err)
	}
}

// use gives do a session: the one that is held, or a new one, also if the held one turns out to be over.
func (w *worker) use(ctx context.Context, do func(Session) error) error {
	held := w.session != nil
	if err := w.open(ctx); err != nil {
		return err
	}
	err := do(w.session)
	if err != nil && w.isOver() {
		w.drop()
		if held && errors.Is(err, ps4.ErrClosed) && !errors.Is(err, ps4.ErrUnanswered) && ctx.Err() == nil {
			return w.use(ctx, do)
		}
	}
	return err
}

func (w *worker) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.session != nil && w.isOver() {
		w.drop()
	}
	if w.session != nil {
		return nil
	}
	s, err := w.t.console.Open(ctx)
	if err != nil {
		return err
	}
	w.session = s
	w.tell()
	return nil
}

// over returns the channel of the session's end; nil without one.
func (w *worker) over() <-chan struct{} {
	if w.session == nil {
		return nil
	}
	return w.session.Done()
}

func (w *worker) isOver() bool {
	select {
	case <-w.over():
		return true
	default:
		return false
	}
}

// drop closes the session, if there is one.
func (w *worker) drop() {
	if w.session == nil {
		return
	}
	if err := w.session.Close(); err != nil {
		w.t.cfg.Logf("closing the session: %v", err)
	}
	w.session = nil
	w.tell()
}

// tell notes what the session is like now.
func (w *worker) tell() {
	open := w.session != nil
	keyboard := open && w.session.KeyboardOpen()
	w.t.mu.Lock()
	defer w.t.unlock()
	if w.t.sessionOpen != open || w.t.keyboard != keyboard {
		w.t.sessionOpen, w.t.keyboard, w.t.changed = open, keyboard, true
	}
}

// keyboardChanged returns the session's channel of that; nil without one.
func (w *worker) keyboardChanged() <-chan struct{} {
	if w.session == nil {
		return nil
	}
	return w.session.KeyboardChanged()
}

func (t *Television) closeQueue() {
	t.mu.Lock()
	defer t.unlock()
	t.queue.close()
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
