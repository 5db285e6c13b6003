package ps4

import (
	"context"
	"sync"
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

	lock    chan struct{} // guards what follows; held while a session is opened
	session *Session
	users   int
	idle    *time.Timer // of the session
}

// NewKeeper makes a keeper. It does no I/O; Close ends it.
func NewKeeper(c *Console) *Keeper {
	life, leave := context.WithCancelCause(context.Background())
	return &Keeper{console: c, life: life, leave: leave, lock: make(chan struct{}, 1)}
}

// Do runs work with the console's session, opening one if there is none. It
// fails with Open's errors, with [ErrClosed] after Close, and with what work
// returns. Several may use the session at once.
func (k *Keeper) Do(ctx context.Context, work func(context.Context, *Session) error) error {
	s, err := k.acquire(ctx)
	if err != nil {
		return err
	}
	defer k.release(s)
	return work(ctx, s)
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

func (k *Keeper) acquire(ctx context.Context) (*Session, error) {
	ctx, cancel := within(k.life, ctx)
	defer cancel()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case k.lock <- struct{}{}:
	}
	defer func() { <-k.lock }()
	if err := context.Cause(k.life); err != nil {
		return nil, err
	}
	if err := k.freshen(ctx); err != nil {
		return nil, err
	}
	k.users++
	k.idle.Stop()
	return k.session, nil
}

// freshen sees to it that there is a session that lives.
func (k *Keeper) freshen(ctx context.Context) error {
	if k.session != nil && k.session.Err() == nil {
		return nil
	}
	k.drop()
	s, err := k.console.Open(ctx)
	if err != nil {
		return err
	}
	k.session, k.users = s, 0
	k.idle = time.NewTimer(k.console.set.Idle)
	idle := k.idle
	k.group.Go(func() { k.watch(s, idle) })
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

// watch closes one session when nobody has used it for the idle time.
func (k *Keeper) watch(s *Session, idle *time.Timer) {
	for {
		select {
		case <-s.Done():
			return
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
}
