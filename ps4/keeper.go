package ps4

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A Keeper holds one session of a console. It opens the session when it is
// first needed and closes it after Options.Idle without use, 60 s by default,
// so that the TV does not show a toast at each key. It is safe for concurrent
// use.
type Keeper struct {
	console *Console
	group   sync.WaitGroup
	life    context.Context // ends every opening: done when Close begins
	leave   context.CancelCauseFunc
	changed chan struct{}
	session atomic.Pointer[Session] // changed under lock; nil: none

	lock  mutex // guards what follows; held while a session is opened
	users int
	idle  *time.Timer // of the session
}

// NewKeeper returns a keeper of the console's session. It does no I/O. The
// caller must Close the keeper.
func NewKeeper(c *Console) *Keeper {
	life, leave := context.WithCancelCause(context.Background())
	return &Keeper{
		console: c, life: life, leave: leave,
		changed: make(chan struct{}, 1), lock: newMutex(),
	}
}

// Do calls work with the console's session and returns its error. It opens a
// session if there is none, and fails as [Console.Open] does, or with
// [ErrClosed] after Close. Several callers may use the session at once.
//
// If a session that was open before turns out to be over, Do opens another one
// and calls work a second time, unless its error is [ErrUnanswered] or it has
// pressed a key already.
func (k *Keeper) Do(ctx context.Context, work func(context.Context, *Session) error) error {
	s, held, err := k.acquire(ctx)
	if err != nil {
		return err
	}
	pressed := s.pressed.Load()
	err = work(ctx, s)
	k.release(s)
	lost := held && s.Err() != nil && errors.Is(err, ErrClosed) && !errors.Is(err, ErrUnanswered) && s.pressed.Load() == pressed
	if !lost || ctx.Err() != nil || k.life.Err() != nil {
		return err
	}
	if s, _, err = k.acquire(ctx); err != nil {
		return err
	}
	defer k.release(s)
	return work(ctx, s)
}

// State reports whether a session is open and, if so, whether the on-screen
// keyboard is. It does not wait for a session that is being opened.
func (k *Keeper) State() (open, keyboard bool) {
	s := k.session.Load()
	open = s != nil && s.Err() == nil
	return open, open && s.KeyboardOpen()
}

// Changed returns a channel that receives a value after State has changed. It
// serves one receiver.
func (k *Keeper) Changed() <-chan struct{} { return k.changed }

func (k *Keeper) noteChange() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// Drop closes the session, if there is one, and waits for its end. The next
// call of Do opens another.
func (k *Keeper) Drop() {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.drop()
}

// Close closes the session and waits for the keeper's goroutines to end. Calls
// of Do fail with [ErrClosed]. Close always returns nil.
func (k *Keeper) Close() error {
	k.leave(ErrClosed)
	k.Drop()
	k.group.Wait()
	return nil
}

// acquire returns the session, and whether it was open before.
func (k *Keeper) acquire(ctx context.Context) (s *Session, held bool, err error) {
	ctx, cancel := within(k.life, ctx)
	defer cancel()
	if err := k.lock.lockWithin(k.life, ctx); err != nil {
		return nil, false, err
	}
	defer k.lock.Unlock()
	s = k.session.Load()
	if s != nil && s.overdue() {
		s.end(ErrSilent) // a key would be lost on it
	}
	if held = s != nil && s.Err() == nil; !held {
		k.drop()
		if s, err = k.console.Open(ctx); err != nil {
			return nil, false, err
		}
		idle := time.NewTimer(k.console.set.Idle)
		k.users, k.idle = 0, idle
		k.session.Store(s)
		k.group.Go(func() { k.closeIdle(s, idle) })
		k.noteChange()
	}
	k.users++
	k.idle.Stop()
	return s, held, nil
}

// release ends one use of the session. The idle time starts after the last one.
func (k *Keeper) release(s *Session) {
	k.lock.Lock()
	defer k.lock.Unlock()
	if s != k.session.Load() {
		return
	}
	if k.users--; k.users == 0 {
		k.idle.Reset(k.console.set.Idle)
	}
}

// closeIdle closes one session once it has been unused for the idle time, and
// reports changes until it ends.
func (k *Keeper) closeIdle(s *Session, idle *time.Timer) {
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
		k.lock.Lock()
		if s == k.session.Load() && k.users == 0 {
			k.drop()
		}
		k.lock.Unlock()
	}
}

// drop closes the session, if there is one; the lock is held.
func (k *Keeper) drop() {
	if s := k.session.Load(); s != nil {
		k.idle.Stop()
		_ = s.Close()
		k.session.Store(nil)
	}
}
