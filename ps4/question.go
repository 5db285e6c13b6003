package ps4

import (
	"context"
	"maps"
	"net/netip"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// questions are the SRCH datagrams that recently left for one address. Times
// are zero for what has not happened.
type questions struct {
	sent     [searchBurst]time.Time // the oldest first
	answered time.Time
	searched time.Time // the last search that included the address
}

func (q *questions) last() time.Time { return q.sent[searchBurst-1] }

// recent reports whether a reply may still come.
func (q *questions) recent(now time.Time) bool {
	return now.Sub(q.last()) < replyLimit || now.Sub(q.searched) < replyLimit
}

// pending reports whether the last question is so fresh that another caller can
// share its answer.
func (q *questions) pending(now time.Time) bool {
	return q.answered.Before(q.last()) && now.Sub(q.last()) < shareWithin
}

// questionsTo returns the questions to an address; e.mu is held. Adding one
// drops those that are too old to matter, which bounds the table.
func (e *endpoint) questionsTo(target netip.AddrPort) *questions {
	q := e.questions[target]
	if q == nil {
		now := time.Now()
		maps.DeleteFunc(e.questions, func(_ netip.AddrPort, q *questions) bool { return !q.recent(now) })
		q = &questions{}
		e.questions[target] = q
	}
	return q
}

// ask sends a SRCH to a console, unless another caller's is still waiting for
// its answer. All callers together send at most searchBurst a second
// (docs/protocol.md §1): ask waits for its turn, or until answer is closed.
func (e *endpoint) ask(ctx context.Context, c *Console, answer <-chan struct{}) error {
	target := c.Addr()
	for {
		send, wait := e.takeTurn(target)
		if wait > 0 {
			turn := time.NewTimer(wait)
			select {
			case <-turn.C:
				continue
			case <-answer:
			case <-ctx.Done():
			}
			turn.Stop()
			return context.Cause(ctx)
		}
		if !send {
			return nil
		}
		if err := e.send(ctx, searchFor(target.Port()), target); err != nil {
			e.noteAnswered(target) // no caller should wait for its answer
			return err
		}
		c.set.Counters.DDPSent.Add(1)
		return nil
	}
}

// takeTurn reports whether the caller must send a question now, or how long to
// wait before trying again. If neither, a pending question serves the caller.
func (e *endpoint) takeTurn(target netip.AddrPort) (send bool, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	q := e.questionsTo(target)
	if q.pending(now) {
		return false, 0
	}
	if wait := q.sent[0].Add(time.Second).Sub(now); wait > 0 && isReal(target) {
		return false, wait
	}
	copy(q.sent[:], q.sent[1:])
	q.sent[searchBurst-1] = now
	return true, 0
}

// noteAnswered ends the sharing of the question that was sent to target.
func (e *endpoint) noteAnswered(target netip.AddrPort) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if q := e.questions[target]; q != nil {
		q.answered = time.Now()
	}
}

// noteSearched makes replies from target count even if it is on no network of
// this machine.
func (e *endpoint) noteSearched(target netip.AddrPort) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.questionsTo(target).searched = time.Now()
}

// wasAsked reports whether the address was asked so recently that a reply may
// still come.
func (e *endpoint) wasAsked(from netip.Addr) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for target, q := range e.questions {
		if target.Addr() == from && q.recent(time.Now()) {
			return true
		}
	}
	return false
}

// searchFor returns the SRCH datagram for a port.
func searchFor(port uint16) []byte {
	if port == ddp.PortPS5 {
		return ddp.NewSearch(ddp.VersionPS5).Marshal()
	}
	return ddp.NewSearch(ddp.Version).Marshal()
}
