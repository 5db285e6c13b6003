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

	mu       sync.Mutex
	consoles map[*Console]int // how many questions and watches each has
	searches map[*search]struct{}
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
	n := &Network{set: set, consoles: map[*Console]int{}, searches: map[*search]struct{}{}}
	n.life, n.leave = context.WithCancelCause(context.Background())
	n.shared = newEndpoint(n, uint16(max(set.LocalPort, 0)), 0) //nolint:gosec // a port
	return n
}

// LocalPort returns the UDP port that the network uses now, or 0 if it is
// closed.
func (n *Network) LocalPort() uint16 {
	if s := n.shared.current(); s != nil {
		return s.port
	}
	return 0
}

// Close closes the socket and waits for its reader. Questions and searches in
// progress, and all later ones, fail with [net.ErrClosed]; to a [Watch] this
// machine is offline. Close always returns nil.
func (n *Network) Close() error {
	n.leave(net.ErrClosed)
	n.shared.gate.Lock()
	n.shared.replace(nil)
	n.shared.gate.Unlock()
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

// route hands a reply to the consoles and searches that it concerns, and reports
// whether there are any.
func (n *Network) route(at netip.AddrPort, r ddp.Reply) bool {
	known, found := false, at
	for _, c := range n.followed() {
		if c.hear(at, r) {
			known, found = true, c.Addr() // the port that is asked, if it is a simulated console
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.searches {
		if _, again := s.byHost[r.HostID]; again || len(s.byHost) < maxFound {
			s.byHost[r.HostID] = newStatus(found, r)
		}
		known = true
	}
	return known
}

// outage reports whether several consoles fell silent at once, which points to
// this network rather than to the consoles: none has answered for the given
// time, and at least two have within outageLimit.
func (n *Network) outage(quiet time.Duration) bool {
	fell := map[netip.AddrPort]bool{}
	for _, c := range n.followed() {
		c.mu.Lock()
		addr, silence := c.addr, time.Since(c.heardAt)
		c.mu.Unlock()
		switch {
		case silence < quiet:
			return false
		case silence < outageLimit:
			fell[addr] = true
		}
	}
	return len(fell) > 1
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
