package ps4

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// answer is the one that a command waits for.
type answer struct {
	kind  wire.Type
	until time.Time
	come  chan wire.Packet // takes one
}

// answers hands the console's answers to the command under way. The protocol
// does not number them, so no more than one is ever waited for: an answer that
// a cancelled command left behind is taken in before the next is asked for,
// lest it be taken for that one.
type answers struct {
	mu      sync.Mutex
	awaited *answer
}

// expect prepares for an answer, before the request is sent.
func (a *answers) expect(kind wire.Type) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.awaited = &answer{kind: kind, until: time.Now().Add(answerLimit), come: make(chan wire.Packet, 1)}
	return a.awaited
}

// left returns the answer that is still awaited, or nil.
func (a *answers) left() *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.awaited
}

// deliver reports whether somebody waits, or waited, for this packet.
func (a *answers) deliver(p wire.Packet) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.awaited == nil || a.awaited.kind != p.Type {
		return false
	}
	a.awaited.come <- wire.Packet{Type: p.Type, Body: bytes.Clone(p.Body)}
	a.awaited = nil
	return true
}

// request sends a packet and returns its answer. A console that does not
// answer in time is not asked again: the session is over.
func (s *Session) request(ctx context.Context, m wire.Message, kind wire.Type) (wire.Packet, error) {
	if err := s.catchUp(ctx); err != nil {
		return wire.Packet{}, err
	}
	a := s.answers.expect(kind)
	if err := s.write(m); err != nil {
		return wire.Packet{}, err
	}
	return s.await(ctx, a)
}

// catchUp takes in the answer that a cancelled command left behind.
func (s *Session) catchUp(ctx context.Context) error {
	left := s.answers.left()
	if left == nil {
		return nil
	}
	_, err := s.await(ctx, left)
	return err
}

// requestResult is request for answers that hold just a result.
func (s *Session) requestResult(ctx context.Context, m wire.Message, kind wire.Type) error {
	p, err := s.request(ctx, m, kind)
	if err != nil {
		return err
	}
	result, err := wire.UnmarshalWord(p)
	if err != nil {
		s.end(wireError(err))
		return s.err
	}
	return resultError(result)
}

func (s *Session) await(ctx context.Context, a *answer) (wire.Packet, error) {
	late := time.NewTimer(time.Until(a.until))
	defer late.Stop()
	select {
	case p := <-a.come:
		return p, nil
	case <-late.C:
		s.end(ErrSilent)
		return wire.Packet{}, s.err
	case <-ctx.Done():
	}
	select {
	case p := <-a.come: // the console answered and hung up at once
		return p, nil
	default:
		return wire.Packet{}, context.Cause(ctx)
	}
}
