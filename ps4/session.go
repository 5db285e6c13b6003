package ps4

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// A Session is a connection on which a user is logged in. [Console.Open]
// returns one. It is safe for concurrent use: commands run one at a time, and
// the others wait. A method that waits ends early with the cause of ctx's end
// or, if the session ends, with an error that is [ErrClosed] and wraps the
// reason.
//
// The session answers heartbeats by itself. Once it has received one, it ends
// with [ErrSilent] if no other arrives for 15 s (docs/protocol.md §7).
type Session struct {
	console   *Console
	set       *settings
	conn      net.Conn
	wire      *wire.Conn
	connected time.Time

	over   context.Context // done when the session ends; its cause is that of Err
	finish context.CancelCauseFunc
	ended  sync.Once
	life   context.Context // ends every command: done when Close begins or the session ends
	leave  context.CancelCauseFunc
	group  sync.WaitGroup

	writing mutex // held for one packet

	beats        chan struct{} // heartbeats to answer; once it is full, reading waits for writing
	pressed      atomic.Uint64 // keys that were pressed and released
	awaited      atomic.Pointer[answer]
	keyboard     atomic.Pointer[Keyboard] // the one started last
	keyboardSeen atomic.Bool              // the last heartbeat said that one is open
	keyboardNews chan struct{}            // holds one value once keyboardSeen has changed

	mu       sync.Mutex
	lastBeat time.Time
	beatGap  time.Duration // the longest between two heartbeats

	lock   mutex // held by the running command, and guards what follows
	remote remote
}

func newSession(c *Console, conn net.Conn, encrypted *wire.Conn, connected time.Time) *Session {
	over, finish := context.WithCancelCause(context.Background())
	life, leave := context.WithCancelCause(over)
	s := &Session{
		console: c, set: c.set, conn: conn, wire: encrypted, connected: connected,
		over: over, finish: finish, life: life, leave: leave,
		writing: newMutex(), beats: make(chan struct{}, 16), lock: newMutex(),
		keyboardNews: make(chan struct{}, 1),
	}
	s.remote.idle = time.NewTimer(remoteIdle)
	s.remote.idle.Stop()
	s.group.Go(s.read)
	s.group.Go(s.answerHeartbeats)
	s.group.Go(s.closeIdleRemote)
	return s
}

// Done returns a channel that is closed when the session is over. After that,
// Err returns the reason.
func (s *Session) Done() <-chan struct{} { return s.over.Done() }

// Err returns nil while the session is open, and then an error that is
// [ErrClosed]. Unless Close ended the session, the error also wraps the reason:
// [ErrStandby] after [Session.Standby], [ErrSilent], [ErrProtocol], or an error
// of the connection.
func (s *Session) Err() error { return context.Cause(s.over) }

// Close interrupts the running command, closes the remote control, sends bye
// and waits for the console to hang up and for the session's goroutines to end.
// Usually that takes no time, and at most 1.5 s: the console needs a pause
// after a key, and may be slow to hang up. Close always returns nil.
func (s *Session) Close() error {
	s.leave(ErrClosed)
	s.lock.Lock()
	if s.Err() == nil && s.quiet(context.Background()) == nil && s.write(wire.Empty{Type: wire.TypeBye}) == nil {
		select {
		case <-s.Done(): // the console closes (docs/protocol.md §5)
		case <-time.After(byeLimit): // hanging up first could make TCP drop unread packets
		}
	}
	s.end(nil)
	s.lock.Unlock()
	s.group.Wait()
	return nil
}

// end ends the session, once. The reason is nil after Close, and any reason that
// comes up after Close has begun is ignored.
func (s *Session) end(reason error) {
	s.ended.Do(func() {
		err := ErrClosed
		if closing := s.life.Err() != nil; !closing && reason != nil {
			err = fmt.Errorf("%w: %w", ErrClosed, reason)
			s.set.Counters.Lost.Add(1)
			s.set.Logf("session with %v: %v", s.conn.RemoteAddr(), reason)
		}
		s.finish(err)
		_ = s.conn.Close()
	})
}

// Logout logs the user out of the console; the session stays open. It fails
// with a [ResultError] or [ErrClosed].
func (s *Session) Logout(ctx context.Context) error {
	return s.command(ctx, func(ctx context.Context) error {
		if err := s.quiet(ctx); err != nil {
			return err
		}
		return s.request(ctx, wire.Empty{Type: wire.TypeLogout}, wire.TypeLogoutResult)
	})
}

// read handles the console's packets until the session ends.
func (s *Session) read() {
	for {
		p, err := s.wire.Read()
		if err == nil {
			err = s.handle(p)
		}
		if err != nil {
			s.end(wireError(err))
			return
		}
	}
}

// handle processes one packet. An answer goes to the command that waits for it.
func (s *Session) handle(p wire.Packet) error {
	switch p.Type {
	case wire.TypeHeartbeat:
		return s.heartbeat(p)
	case wire.TypeKeyboardText, wire.TypeKeyboardControl:
		return s.keyboardEvent(p)
	case wire.TypeKeyboardStarted:
		if err := s.keyboardStarted(p); err != nil {
			return err
		}
	}
	a := s.awaited.Load()
	if a == nil || a.kind != p.Type {
		s.set.Counters.Skipped.Add(1)
		return nil
	}
	result, err := wire.UnmarshalWord(p)
	if err != nil {
		return err
	}
	s.awaited.Store(nil)
	a.result <- result
	return nil
}

// heartbeat handles a heartbeat and starts the time limit for the next one
// (docs/protocol.md §7).
func (s *Session) heartbeat(p wire.Packet) error {
	status, err := wire.UnmarshalWord(p)
	if err != nil {
		return err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(heartbeatLimit)); err != nil {
		return err
	}
	s.mu.Lock()
	now := time.Now()
	if !s.lastBeat.IsZero() {
		s.beatGap = max(s.beatGap, now.Sub(s.lastBeat))
	}
	s.lastBeat = now
	s.mu.Unlock()
	s.keyboardShown(status&wire.HeartbeatKeyboard != 0)
	select {
	case s.beats <- struct{}{}:
	case <-s.Done():
	}
	return nil
}

// answerHeartbeats answers every heartbeat, whatever its status
// (docs/protocol.md §5). The reader does not, because a console that writes
// without reading would block both.
func (s *Session) answerHeartbeats() {
	for {
		select {
		case <-s.Done():
			return
		case <-s.beats:
		}
		if s.write(wire.Word{Type: wire.TypeStatus}) == nil {
			s.set.Counters.Heartbeats.Add(1)
		}
	}
}

// overdue reports whether the heartbeats have stopped, judged by their longest
// gap so far: the period is unknown (docs/protocol.md §9).
func (s *Session) overdue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beatGap > 0 && time.Since(s.lastBeat) > 2*s.beatGap+heartbeatSlack
}

// wireError returns the error of this package for one of the connection.
func wireError(err error) error {
	switch {
	case errors.Is(err, wire.ErrProtocol):
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrSilent, err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the console closed the connection: %w", err)
	}
	return fmt.Errorf("connection: %w", err)
}
