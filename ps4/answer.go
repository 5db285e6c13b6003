package ps4

import (
	"context"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

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

// deliver hands an answer to the command that asked for it, if there is one.
func (s *Session) deliver(p wire.Packet) error {
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
