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

// ask sends a SRCH to a console, unless another caller's is so fresh that its
// answer can be shared. All callers together send at most searchBurst a second
// (docs/protocol.md §1): ask waits for its turn, or until answer is closed.
func (e *endpoint) ask(ctx context.Context, c *Console, answer <-chan struct{}) error {
	target := c.Addr()
	for {
		e.mu.Lock()
		now, q := time.Now(), e.questionsTo(target)
		shared := q.answered.Before(q.last()) && now.Sub(q.last()) < shareWithin
		wait := q.sent[0].Add(time.Second).Sub(now)
		if !isReal(target) {
			wait = 0
		}
		if !shared && wait <= 0 {
			copy(q.sent[:], q.sent[1:])
			q.sent[searchBurst-1] = now
		}
		e.mu.Unlock()
		switch {
		case shared:
			return nil
		case wait <= 0:
			err := e.send(ctx, c.set.Counters, searchFor(target.Port()), target)
			if err != nil {
				e.noteAnswered(target) // no caller should wait for its answer
			}
			return err
		}
		select {
		case <-time.After(wait):
		case <-answer:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// noteAnswered ends the sharing of the question that was sent to target.
func (e *endpoint) noteAnswered(target netip.AddrPort) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if q := e.questions[target]; q != nil {
		q.answered = time.Now()
	}
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
