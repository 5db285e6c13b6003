package ps4

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// answer is the answer that a command waits for.
type answer struct {
	kind   wire.Type
	until  time.Time
	packet chan wire.Packet // has room for it
}

// answers hands the console's answers to the running command. The protocol does
// not number answers, so at most one may be outstanding: after a command was
// cancelled, its answer is awaited before the next command is sent.
type answers struct {
	mu      sync.Mutex
	awaited *answer
}

// expect prepares for an answer, before the request is sent.
func (a *answers) expect(kind wire.Type) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.awaited = &answer{kind: kind, until: time.Now().Add(answerLimit), packet: make(chan wire.Packet, 1)}
	return a.awaited
}

// outstanding returns the answer that has not come yet, or nil.
func (a *answers) outstanding() *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.awaited
}

// deliver hands on an answer and reports whether a command asked for it.
func (a *answers) deliver(p wire.Packet) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.awaited == nil || a.awaited.kind != p.Type {
		return false
	}
	a.awaited.packet <- wire.Packet{Type: p.Type, Body: bytes.Clone(p.Body)}
	a.awaited = nil
	return true
}

// request sends a packet and returns its answer. If none comes in time, the
// session is over.
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

// catchUp waits for the answer to a command that was cancelled.
func (s *Session) catchUp(ctx context.Context) error {
	a := s.answers.outstanding()
	if a == nil {
		return nil
	}
	_, err := s.await(ctx, a)
	return err
}

// requestResult is request for an answer that holds a result.
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
	case p := <-a.packet:
		return p, nil
	case <-late.C:
		s.end(ErrSilent)
		return wire.Packet{}, s.err
	case <-ctx.Done():
	}
	select {
	case p := <-a.packet: // the console answered and hung up at once
		return p, nil
	default:
		return wire.Packet{}, context.Cause(ctx)
	}
}
