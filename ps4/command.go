package ps4

import (
	"context"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// command runs do when no other command is running. Its context ends with ctx
// and with the session; context.Cause returns which.
func (s *Session) command(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := within(s.life, ctx)
	defer cancel()
	if err := s.lock.lockWithin(s.life, ctx); err != nil {
		return err
	}
	defer s.lock.Unlock()
	return do(ctx)
}

// write sends one packet. A failure ends the session, because it breaks the
// chain of the cipher.
func (s *Session) write(m wire.Message) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if err == nil {
		err = s.wire.Write(m)
	}
	if err != nil {
		s.end(wireError(err))
		return s.Err()
	}
	return nil
}

// answer is the answer that a command waits for. The protocol does not number
// answers, so at most one may be outstanding: after a command was cancelled,
// its answer is awaited before the next command is sent.
type answer struct {
	kind   wire.Type
	until  time.Time
	result chan uint32 // has room for it
}

// request sends a packet and returns the result in its answer as an error. If
// no answer comes in time, the session is over.
func (s *Session) request(ctx context.Context, m wire.Message, kind wire.Type) error {
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	a := &answer{kind: kind, until: time.Now().Add(answerLimit), result: make(chan uint32, 1)}
	s.awaited.Store(a)
	if err := s.write(m); err != nil {
		return err
	}
	result, err := s.await(ctx, a)
	if err != nil || result == resultOK {
		return err
	}
	return ResultError(result)
}

// catchUp waits for the answer to a command that was cancelled.
func (s *Session) catchUp(ctx context.Context) error {
	a := s.awaited.Load()
	if a == nil {
		return nil
	}
	_, err := s.await(ctx, a)
	return err
}

func (s *Session) await(ctx context.Context, a *answer) (uint32, error) {
	select {
	case result := <-a.result:
		return result, nil
	case <-time.After(time.Until(a.until)):
		s.end(ErrSilent)
		return 0, s.Err()
	case <-ctx.Done():
	}
	select {
	case result := <-a.result: // the console answered and hung up at once
		return result, nil
	default:
		return 0, context.Cause(ctx)
	}
}
