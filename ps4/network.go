package ps4

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// A Network sends and receives the datagrams of any number of consoles through
// one UDP socket. Consoles reply from a fresh port each time (docs/protocol.md
// §1), so a stateful firewall recognizes their replies only by the local port,
// and one port has to serve all consoles.
//
// Replies are routed to consoles by address and host id, and callers that want
// the status of the same console at the same time share one question. A reply
// counts only if it comes from an address that was asked in the last 5 s, or
// from a network of this machine.
//
// A Network is safe for concurrent use. [Listen] returns one.
type Network struct {
	set    *settings
	shared *endpoint
	life   context.Context // done, with net.ErrClosed, once Close begins
	leave  context.CancelCauseFunc

	mu        sync.Mutex
	consoles  map[*Console]int // how many questions and watches each has
	questions map[netip.AddrPort]*questions
	searches  map[*search]struct{}
}

// Listen opens a Network on Options.LocalPort. If that port is taken, Listen
// uses any free one and warns once through Options.Warnf. The network moves to
// its own port once that is free; it tries every 10 s while it sends. ctx
// limits only Listen itself.
//
// Listen fails if it cannot open a socket at all. The caller must Close the
// network.
func Listen(ctx context.Context, o *Options) (*Network, error) {
	n := newNetwork(newSettings(o))
	if err := n.shared.acquire(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

// newNetwork returns a network that opens its socket only while it is in use.
func newNetwork(set *settings) *Network {
	n := &Network{
		set:      set,
		consoles: map[*Console]int{}, questions: map[netip.AddrPort]*questions{}, searches: map[*search]struct{}{},
	}
	n.life, n.leave = context.WithCancelCause(context.Background())
	n.shared = newEndpoint(n, set.localPort(), 0)
	return n
}

// LocalPort returns the UDP port that the network uses now, or 0 if it is
// closed.
func (n *Network) LocalPort() uint16 { return n.shared.localPort() }

// Close closes the socket and waits for its reader. Questions and searches in
// progress, and all later ones, fail with [net.ErrClosed]; to a [Watch] this
// machine is offline. Close always returns nil.
func (n *Network) Close() error {
	n.leave(net.ErrClosed)
	n.shared.close()
	return nil
}

// follow routes replies to a console until stop is called, and keeps the
// endpoint open. The returned context ends with ctx and when the network is
// closed.
func (n *Network) follow(ctx context.Context, c *Console, e *endpoint) (_ context.Context, stop func(), err error) {
	ctx, release, err := e.use(ctx)
	if err != nil {
		return nil, nil, err
	}
	n.mu.Lock()
	n.consoles[c]++
	n.mu.Unlock()
	return ctx, func() {
		n.mu.Lock()
		if n.consoles[c]--; n.consoles[c] == 0 {
			delete(n.consoles, c)
		}
		n.mu.Unlock()
		release()
	}, nil
}

// followed returns the consoles that replies are routed to.
func (n *Network) followed() []*Console {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Collect(maps.Keys(n.consoles))
}

// route hands a reply to the consoles and searches that it concerns.
func (n *Network) route(at netip.AddrPort, r ddp.Reply) {
	known := false
	if n.wasAsked(at.Addr()) || n.set.OnLink(at.Addr()) {
		for _, c := range n.followed() {
			if c.hear(at, r) {
				known, at = true, c.Addr() // a search reports the port that is asked
			}
		}
		n.mu.Lock()
		for s := range n.searches {
			s.add(newStatus(at, r))
			known = true
		}
		n.mu.Unlock()
	}
	if !known {
		n.set.Counters.DDPDropped.Add(1)
	}
}

// outage reports whether several consoles fell silent at once, which points to
// this network rather than to the consoles: none has answered for the given
// time, and at least two have within outageLimit.
func (n *Network) outage(quiet time.Duration) bool {
	fell := map[netip.AddrPort]bool{}
	for _, c := range n.followed() {
		switch silence := c.silentFor(); {
		case silence < quiet:
			return false
		case silence < outageLimit:
			fell[c.Addr()] = true
		}
	}
	return len(fell) > 1
}

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

// questionsTo returns the questions to an address; n.mu is held. Adding one
// drops those that are too old to matter, which bounds the table.
func (n *Network) questionsTo(target netip.AddrPort) *questions {
	q := n.questions[target]
	if q == nil {
		now := time.Now()
		maps.DeleteFunc(n.questions, func(_ netip.AddrPort, q *questions) bool { return !q.recent(now) })
		q = &questions{}
		n.questions[target] = q
	}
	return q
}

// ask sends a SRCH to a console, unless another caller's is still waiting for
// its answer. All callers together send at most searchBurst a second
// (docs/protocol.md §1): ask waits for its turn, or until answer is closed.
func (n *Network) ask(ctx context.Context, c *Console, e *endpoint, answer <-chan struct{}) error {
	target := c.Addr()
	for {
		send, wait := n.takeTurn(target)
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
			n.noteAnswered(target) // no caller should wait for its answer
			return err
		}
		c.set.Counters.DDPSent.Add(1)
		return nil
	}
}

// takeTurn reports whether the caller must send a question now, or how long to
// wait before trying again. If neither, a pending question serves the caller.
func (n *Network) takeTurn(target netip.AddrPort) (send bool, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	q := n.questionsTo(target)
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
func (n *Network) noteAnswered(target netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if q := n.questions[target]; q != nil {
		q.answered = time.Now()
	}
}

// noteSearched makes replies from target count even if it is on no network of
// this machine.
func (n *Network) noteSearched(target netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.questionsTo(target).searched = time.Now()
}

// wasAsked reports whether the address was asked so recently that a reply may
// still come.
func (n *Network) wasAsked(from netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for target, q := range n.questions {
		if target.Addr() == from && q.recent(time.Now()) {
			return true
		}
	}
	return false
}

// isReal reports whether a real console may answer at an address. Simulated
// ones may listen on ports of their own.
func isReal(target netip.AddrPort) bool {
	return target.Port() == ddp.Port || target.Port() == ddp.PortPS5
}

// withPort fills in the DDP port of a PS4 and unwraps an IPv4-mapped address.
func withPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), cmp.Or(a.Port(), ddp.Port))
}

// searchFor returns the SRCH datagram for a port.
func searchFor(port uint16) []byte {
	if port == ddp.PortPS5 {
		return ddp.NewSearch(ddp.VersionPS5).Marshal()
	}
	return ddp.NewSearch(ddp.Version).Marshal()
}
