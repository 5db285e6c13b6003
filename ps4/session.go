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

// Session is a connection on which a user is logged in. Its methods may be
// called at any time by anybody: one command is under way, the others wait
// their turn. A method that waits ends early with ctx, or with [ErrClosed] and
// the reason when the session ends.
//
// Heartbeats are answered all the while. After the first, a session that gets
// none for 15 s is over.
type Session struct {
	console   *Console
	set       *settings
	conn      net.Conn
	wire      *wire.Conn
	connected time.Time

	life  context.Context // what every command runs in: done when Close begins or the session ends
	leave context.CancelCauseFunc
	done  chan struct{}
	ended sync.Once
	err   error // why it ended; set before done is closed
	group sync.WaitGroup

	writing chan struct{} // held for one packet; no mutex, so that synctest sees who waits

	beats        chan struct{} // heartbeats to be answered
	rhythm       rhythm
	answers      answers
	keyboard     atomic.Pointer[Keyboard] // the one started last
	keyboardSeen atomic.Bool              // the last heartbeat said that one is open
	keyboardNews chan struct{}            // a token: keyboardSeen has changed

	lock   chan struct{} // held by the command under way, and guards what follows
	remote remote
}

func newSession(c *Console, conn net.Conn, encrypted *wire.Conn, connected time.Time) *Session {
	life, leave := context.WithCancelCause(context.Background())
	s := &Session{
		console: c, set: c.set, conn: conn, wire: encrypted, connected: connected,
		life: life, leave: leave, done: make(chan struct{}),
		writing: make(chan struct{}, 1), beats: make(chan struct{}, maxBeats), lock: make(chan struct{}, 1),
		keyboardNews: make(chan struct{}, 1),
	}
	s.remote.idle = time.NewTimer(remoteIdle)
	s.remote.idle.Stop()
	s.group.Go(s.read)
	s.group.Go(s.answerHeartbeats)
	s.group.Go(s.closeIdleRemote)
	return s
}

// Done is closed when the session is over; Err then says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns nil while the session lives, then an error that is [ErrClosed]
// and, if it was not closed on purpose, the reason: [ErrSilent],
// [ErrProtocol], or an error of the connection.
func (s *Session) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close interrupts the command under way, ends the remote control, says bye,
// lets the console hang up and waits until nothing of the session runs any
// more. That takes 1.5 s at most, when PS was pressed last and the console is
// slow, because it needs its pauses; usually none. A session that is over
// already is no error.
func (s *Session) Close() error {
	s.leave(ErrClosed)
	s.lock <- struct{}{}
	s.sayBye()
	s.end(nil)
	<-s.lock
	s.group.Wait()
	return nil
}

// sayBye leaves politely; a console that does not take it is left anyway.
func (s *Session) sayBye() {
	if s.Err() != nil {
		return
	}
	if err := s.quiet(context.Background()); err != nil { // bounded by the pauses of keys
		return
	}
	if err := s.write(wire.Empty{Type: wire.TypeBye}); err != nil {
		return
	}
	select {
	case <-s.done: // the console closes (docs/protocol.md §5)
	case <-time.After(byeLimit): // hanging up first could make TCP drop what is still on its way
	}
}

// end makes the session over, once, for a reason or on purpose: nil, or
// whatever happens after Close has begun.
func (s *Session) end(reason error) {
	s.ended.Do(func() {
		s.err = ErrClosed
		if closing := s.life.Err() != nil; !closing && reason != nil {
			s.err = fmt.Errorf("%w: %w", ErrClosed, reason)
			s.set.Counters.Lost.Add(1)
			s.set.Logf("session with %v: %v", s.conn.RemoteAddr(), reason)
		}
		close(s.done)
		s.leave(s.err)
		_ = s.conn.Close()
	})
}

// command runs one command when its turn comes. Its context ends with ctx and
// with the session; context.Cause tells which.
func (s *Session) command(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := within(s.life, ctx)
	defer cancel()
	if err := context.Cause(s.life); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s.lock <- struct{}{}:
	}
	defer func() { <-s.lock }()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return do(ctx)
}

// within returns a context that ends with ctx or with a life, for its cause.
func within(life, ctx context.Context) (context.Context, context.CancelFunc) { //nolint:revive // life comes first on purpose
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(life, func() { cancel(context.Cause(life)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// write sends one packet. What cannot be sent ends the session, because the
// cipher's chain is broken then.
func (s *Session) write(m wire.Message) error {
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	err := s.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err == nil {
		err = s.wire.Write(m)
	}
	if err != nil {
		s.end(wireError(err))
		return s.err
	}
	return nil
}

// read takes in what the console sends, until the session ends.
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
	if !s.answers.deliver(p) {
		s.set.Counters.Skipped.Add(1)
	}
	return nil
}

// heartbeat notes one, and gives the next its time (docs/protocol.md §7).
func (s *Session) heartbeat(p wire.Packet) error {
	status, err := wire.UnmarshalWord(p)
	if err != nil {
		return err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(heartbeatLimit)); err != nil {
		return err
	}
	s.rhythm.beat()
	s.keyboardShown(status&wire.HeartbeatKeyboard != 0)
	select {
	case s.beats <- struct{}{}:
	case <-s.done:
	}
	return nil
}

// maxBeats is how many heartbeats may wait for their answers before reading
// waits for writing.
const maxBeats = 16

// answerHeartbeats answers every heartbeat, whatever its status
// (docs/protocol.md §5). The reader does not do it itself, so that a console
// that does not read before it has written cannot stop both.
func (s *Session) answerHeartbeats() {
	for {
		select {
		case <-s.done:
			return
		case <-s.beats:
		}
		if s.write(wire.Word{Type: wire.TypeStatus}) == nil {
			s.set.Counters.Heartbeats.Add(1)
		}
	}
}

// rhythm is how often a console sends heartbeats, which only a console can
// settle (docs/protocol.md §9).
type rhythm struct {
	mu   sync.Mutex
	last time.Time
	gap  time.Duration // the longest between two
}

func (r *rhythm) beat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !r.last.IsZero() {
		r.gap = max(r.gap, now.Sub(r.last))
	}
	r.last = now
}

// overdue reports whether the heartbeats have stopped, as far as their rhythm
// so far tells.
func (s *Session) overdue() bool {
	r := &s.rhythm
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gap > 0 && time.Since(r.last) > 2*r.gap+heartbeatSlack
}

// wireError puts an error of the connection into the words of this package.
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
