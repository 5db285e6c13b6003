package ps4

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Keeper keeps one session of a console: opened when it is first needed, and
// held for Options.Idle after its last use, so that the TV does not show a
// toast at each key. It is safe for concurrent use.
type Keeper struct {
	console *Console
	group   sync.WaitGroup
	life    context.Context // what every opening runs in: done when Close begins
	leave   context.CancelCauseFunc
	changed chan struct{}
	current atomic.Pointer[Session] // for State, which must not wait for an opening

	lock    chan struct{} // guards what follows; held while a session is opened
	session *Session
	users   int
	idle    *time.Timer // of the session
}

// NewKeeper makes a keeper. It does no I/O; Close ends it.
func NewKeeper(c *Console) *Keeper {
	life, leave := context.WithCancelCause(context.Background())
	return &Keeper{
		console: c, life: life, leave: leave,
		changed: make(chan struct{}, 1), lock: make(chan struct{}, 1),
	}
}

// Do runs work with the console's session, opening one if there is none. It
// fails with Open's errors, with [ErrClosed] after Close, and with what work
// returns. Several callers may use the session at once.
//
// If a session that was held turns out to be over, Do opens another and runs
// work once more, unless its error is [ErrUnanswered].
func (k *Keeper) Do(ctx context.Context, work func(context.Context, *Session) error) error {
	s, held, err := k.acquire(ctx)
	if err != nil {
		return err
	}
	err = work(ctx, s)
	k.release(s)
	lost := held && s.Err() != nil && errors.Is(err, ErrClosed) && !errors.Is(err, ErrUnanswered)
	if !lost || ctx.Err() != nil || k.life.Err() != nil {
		return err
	}
	if s, _, err = k.acquire(ctx); err != nil {
		return err
	}
	defer k.release(s)
	return work(ctx, s)
}

// State reports whether a session is open, and whether the on-screen keyboard
// is, which is known only then.
func (k *Keeper) State() (open, keyboard bool) {
	s := k.current.Load()
	open = s != nil && s.Err() == nil
	return open, open && s.KeyboardOpen()
}

// Changed receives a value after State has changed. It is for one reader.
func (k *Keeper) Changed() <-chan struct{} { return k.changed }

func (k *Keeper) noteChange() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// Drop closes the session, if there is one, and waits for its end; the next
// Do opens another.
func (k *Keeper) Drop() {
	k.lock <- struct{}{}
	defer func() { <-k.lock }()
	k.drop()
}

// Close closes the session and waits for everything that the keeper started.
// Work that is under way fails with [ErrClosed].
func (k *Keeper) Close() error {
	k.leave(ErrClosed)
	k.Drop()
	k.group.Wait()
	return nil
}

// acquire returns the session, and whether it was held before.
func (k *Keeper) acquire(ctx context.Context) (s *Session, held bool, err error) {
	ctx, cancel := within(k.life, ctx)
	defer cancel()
	select {
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	case k.lock <- struct{}{}:
	}
	defer func() { <-k.lock }()
	if err := context.Cause(k.life); err != nil {
		return nil, false, err
	}
	if held = k.alive(); !held {
		k.drop()
		if err := k.open(ctx); err != nil {
			return nil, false, err
		}
	}
	k.users++
	k.idle.Stop()
	return k.session, held, nil
}

// alive reports whether the session can be used. One whose heartbeats have
// stopped died without a word: a key would be lost on it.
func (k *Keeper) alive() bool {
	switch {
	case k.session == nil || k.session.Err() != nil:
		return false
	case k.session.overdue():
		k.session.end(ErrSilent)
		return false
	}
	return true
}

func (k *Keeper) open(ctx context.Context) error {
	s, err := k.console.Open(ctx)
	if err != nil {
		return err
	}
	k.session, k.users = s, 0
	k.current.Store(s)
	k.idle = time.NewTimer(k.console.set.Idle)
	idle := k.idle
	k.group.Go(func() { k.watch(s, idle) })
	k.noteChange()
	return nil
}

// release gives the session back; the idle time begins with the last user.
func (k *Keeper) release(s *Session) {
	k.lock <- struct{}{}
	defer func() { <-k.lock }()
	if s != k.session {
		return
	}
	if k.users--; k.users == 0 {
		k.idle.Reset(k.console.set.Idle)
	}
}

// watch closes one session after it was unused for the idle time.
func (k *Keeper) watch(s *Session, idle *time.Timer) {
	defer k.noteChange()
	for {
		select {
		case <-s.Done():
			return
		case <-s.KeyboardChanged():
			k.noteChange()
			continue
		case <-idle.C:
		}
		k.lock <- struct{}{}
		if s == k.session && k.users == 0 {
			k.drop()
		}
		<-k.lock
	}
}

// drop closes the session; the lock is held.
func (k *Keeper) drop() {
	if k.session == nil {
		return
	}
	k.idle.Stop()
	_ = k.session.Close()
	k.session = nil
	k.current.Store(nil)
}
