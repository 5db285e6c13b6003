package ps4

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// Network is the UDP socket through which a program talks to all its consoles:
// one local port sends every question, wake-up and search, and receives every
// reply. Consoles reply from a fresh port each time (docs/protocol.md §1), so a
// stateful firewall recognises their replies only by that local port.
//
// Replies are routed to consoles by source address and host id, and everyone
// who is waiting for a status of the same console shares the answer. A reply
// counts only if it comes from an address that was asked or that is on a
// network of this machine.
//
// A Network is safe for concurrent use.
type Network struct {
	set       *settings
	parent    *Network // has the consoles and searches that replies are for; nil: this one
	replyPort uint16   // where its replies come from; 0: as their kind of console says

	// gate is held while the socket is opened or closed. It is a channel, so
	// that testing/synctest sees who waits.
	gate   chan struct{}
	users  int // who needs the socket: Listen, questions, watches
	warned bool
	closed bool

	mu       sync.Mutex
	sock     *socket
	consoles map[*Console]int // how many questions and watches each has
	asked    map[netip.AddrPort]*questions
	searches map[*collector]struct{}
	searched time.Time // the last broadcast
}

// Listen opens the socket on Options.LocalPort, or on a free port if that one
// is taken; then it warns once and tries again every few seconds while it is
// used. The caller must Close the network.
func Listen(ctx context.Context, o *Options) (*Network, error) {
	n := newNetwork(newSettings(o))
	if err := n.acquire(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

// newNetwork returns a network that opens its socket when it is needed, and
// closes it when nobody needs it any more.
func newNetwork(set *settings) *Network {
	return &Network{
		set: set, gate: make(chan struct{}, 1),
		consoles: map[*Console]int{}, asked: map[netip.AddrPort]*questions{}, searches: map[*collector]struct{}{},
	}
}

// LocalPort returns the UDP port that the network uses now; 0 if its socket is
// closed.
func (n *Network) LocalPort() uint16 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sock == nil {
		return 0
	}
	return n.sock.port()
}

// Close closes the socket and waits for its reader. Questions that are under
// way find no answer.
func (n *Network) Close() error {
	n.gate <- struct{}{}
	defer func() { <-n.gate }()
	n.closed = true
	n.shut()
	return nil
}

// acquire opens the socket if it is closed. Each call needs a release, but for
// Listen's, which Close ends.
func (n *Network) acquire(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case n.gate <- struct{}{}:
	}
	defer func() { <-n.gate }()
	if n.closed {
		return net.ErrClosed
	}
	if n.users == 0 {
		if err := n.open(ctx); err != nil {
			return err
		}
	}
	n.users++
	return nil
}

func (n *Network) release() {
	n.gate <- struct{}{}
	defer func() { <-n.gate }()
	if n.users--; n.users == 0 {
		n.shut()
	}
}

// open opens the socket on the port it should have, or on any other.
func (n *Network) open(ctx context.Context) error {
	port := n.set.localPort()
	sock, err := n.bind(ctx, port)
	if err != nil && port != 0 {
		n.warnPort(port, err)
		sock, err = n.bind(ctx, 0)
	}
	if err != nil {
		return fmt.Errorf("opening a UDP socket: %w", err)
	}
	n.mu.Lock()
	n.sock = sock
	n.mu.Unlock()
	return nil
}

func (n *Network) warnPort(port uint16, err error) {
	if !n.warned {
		n.warned = true
		n.set.Warnf("UDP port %d: %v; using another until it is free: a firewall may drop the replies of consoles", port, err)
	}
}

// shut closes the socket; the gate is held.
func (n *Network) shut() {
	n.mu.Lock()
	sock := n.sock
	n.sock = nil
	n.mu.Unlock()
	if sock != nil {
		sock.close()
	}
}

// reclaim moves from a makeshift port to the one the network should have, once
// that is free again.
func (n *Network) reclaim(ctx context.Context) {
	n.mu.Lock()
	sock, port := n.sock, n.set.localPort()
	due := sock != nil && port != 0 && sock.port() != port && time.Since(sock.tried) >= portRetry
	if due {
		sock.tried = time.Now()
	}
	n.mu.Unlock()
	if !due {
		return
	}
	fresh, err := n.bind(ctx, port)
	if err != nil {
		return
	}
	n.mu.Lock()
	if n.sock != sock { // closed meanwhile
		n.mu.Unlock()
		fresh.close()
		return
	}
	n.sock, n.warned = fresh, false
	n.mu.Unlock()
	n.set.Logf("UDP port %d is free again", port)
	sock.close()
}

// socket is one UDP socket with its reader. It is never connected, because
// consoles reply from other ports than the one that was asked.
type socket struct {
	net.PacketConn
	tried  time.Time // when the right port was last tried
	reader sync.WaitGroup
	closed atomic.Bool
}

func (n *Network) bind(ctx context.Context, port uint16) (*socket, error) {
	s, err := n.set.listenUDP(ctx, port)
	if err != nil {
		return nil, err
	}
	s.reader.Go(func() { s.read(n.set, n.receive) })
	return s, nil
}

func (s *settings) listenUDP(ctx context.Context, port uint16) (*socket, error) {
	host := "0.0.0.0"
	if s.Bind.IsValid() {
		host = s.Bind.String()
	}
	conn, err := s.ListenPacket(ctx, "udp4", net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	return &socket{PacketConn: conn, tried: time.Now()}, nil
}

func (s *socket) port() uint16 {
	if udp, ok := s.LocalAddr().(*net.UDPAddr); ok {
		return udp.AddrPort().Port()
	}
	return 0
}

func (s *socket) close() {
	s.closed.Store(true)
	_ = s.Close()
	s.reader.Wait()
}

// read hands every reply to take until the socket is closed.
func (s *socket) read(set *settings, take func(netip.Addr, ddp.Reply)) {
	buf := make([]byte, ddp.MaxDatagram+1)
	for {
		size, from, err := s.ReadFrom(buf)
		if err != nil {
			if s.closed.Load() {
				return
			}
			set.Logf("UDP socket: %v", err)
			time.Sleep(readPause)
			continue
		}
		reply, err := ddp.ParseReply(buf[:size])
		if err != nil || reply.HostID == fakeHostID {
			set.Counters.DDPDropped.Add(1)
			continue
		}
		take(addrOf(from), reply)
	}
}

// fakeHostID is what programs that capture a credential call themselves: this
// one, pyps4-2ndscreen and playactor. No console has it.
const fakeHostID = "1234567890AB"

func addrOf(a net.Addr) netip.Addr {
	if udp, ok := a.(*net.UDPAddr); ok {
		return udp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// receive routes a reply on the shared socket.
func (n *Network) receive(from netip.Addr, r ddp.Reply) {
	port := cmp.Or(n.replyPort, ddp.Port)
	if n.replyPort == 0 && r.HostType == TypePS5 {
		port = ddp.PortPS5
	}
	n.take(netip.AddrPortFrom(from, port), r)
}

// take hands a reply to the consoles and searches that it concerns.
func (n *Network) take(at netip.AddrPort, r ddp.Reply) {
	if n.parent != nil {
		n.parent.take(at, r)
		return
	}
	if !n.wasAsked(at.Addr()) && !n.set.OnLink(at.Addr()) {
		n.set.Counters.DDPDropped.Add(1)
		return
	}
	n.mu.Lock()
	consoles := make([]*Console, 0, len(n.consoles))
	for c := range n.consoles {
		consoles = append(consoles, c)
	}
	n.mu.Unlock()
	known := false
	for _, c := range consoles {
		if c.hear(at, r) {
			known, at = true, c.Addr()
		}
	}
	n.mu.Lock()
	for s := range n.searches {
		s.add(newStatus(at, r))
		known = true
	}
	n.mu.Unlock()
	if !known {
		n.set.Counters.DDPDropped.Add(1)
	}
}

// send sends one datagram; it fails with [ErrNoNetwork] if it reached no target.
func (n *Network) send(ctx context.Context, datagram []byte, targets ...netip.AddrPort) error {
	n.reclaim(ctx)
	n.mu.Lock()
	sock := n.sock
	n.mu.Unlock()
	if sock == nil {
		return net.ErrClosed
	}
	return sock.send(datagram, targets...)
}

func (s *socket) send(datagram []byte, targets ...netip.AddrPort) error {
	var failed error
	sent := false
	for _, target := range targets {
		if _, err := s.WriteTo(datagram, net.UDPAddrFromAddrPort(target)); err != nil {
			failed = fmt.Errorf("%w: %w", ErrNoNetwork, err)
			continue
		}
		sent = true
	}
	if sent {
		return nil
	}
	return failed
}

// questions are the SRCH datagrams that lately left for one address.
type questions struct {
	sent     [searchBurst]time.Time // the oldest first
	answered time.Time
	searched time.Time // a search asked here
}

func (q *questions) last() time.Time { return q.sent[searchBurst-1] }

// recent reports whether a reply may still come.
func (q *questions) recent(now time.Time) bool {
	return now.Sub(q.last()) < replyLimit || now.Sub(q.searched) < replyLimit
}

// open reports whether a question is waiting for its answer.
func (q *questions) open(now time.Time) bool {
	return q.answered.Before(q.last()) && now.Sub(q.last()) < shareWithin
}

// ask sends a SRCH to a console, unless one that was sent a moment ago is still
// waiting for its answer. A console gets no more than it can take, whoever asks
// (docs/protocol.md §1): ask waits for its turn, or until answer is closed.
func (n *Network) ask(ctx context.Context, c *Console, answer <-chan struct{}) error {
	target := c.Addr()
	for {
		mine, wait := n.takeTurn(target)
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
		if !mine {
			return nil
		}
		if err := n.send(ctx, searchFor(target.Port()), target); err != nil {
			n.answered(target) // nobody may wait for its answer
			return err
		}
		c.set.Counters.DDPSent.Add(1)
		return nil
	}
}

// takeTurn reports whether the caller is to send a question, or else how long
// to wait; neither means that another one's answer serves.
func (n *Network) takeTurn(target netip.AddrPort) (mine bool, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	q := n.asked[target]
	if q == nil {
		n.forgetQuestions(now)
		q = &questions{}
		n.asked[target] = q
	}
	if q.open(now) {
		return false, 0
	}
	if wait := q.sent[0].Add(time.Second).Sub(now); wait > 0 && isReal(target) {
		return false, wait
	}
	copy(q.sent[:], q.sent[1:])
	q.sent[searchBurst-1] = now
	return true, 0
}

// answered notes that a question to target has its answer.
func (n *Network) answered(target netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if q := n.asked[target]; q != nil {
		q.answered = time.Now()
	}
}

// forgetQuestions keeps the table small, however many addresses are asked.
func (n *Network) forgetQuestions(now time.Time) {
	for target, q := range n.asked {
		if !q.recent(now) {
			delete(n.asked, target)
		}
	}
}

// wasAsked reports whether the address was asked lately.
func (n *Network) wasAsked(from netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for target, q := range n.asked {
		if target.Addr() == from && q.recent(time.Now()) {
			return true
		}
	}
	return false
}

// alone returns a network for one simulated console on a port of its own. Such
// consoles may share an address; a socket that asks only one of them tells its
// replies from those of its neighbours.
func (n *Network) alone(target netip.AddrPort) *Network {
	set := *n.set
	set.LocalPort = AnyPort
	alone := newNetwork(&set)
	alone.replyPort = target.Port()
	return alone
}

// isReal reports whether a real console may answer there.
func isReal(target netip.AddrPort) bool {
	return target.Port() == ddp.Port || target.Port() == ddp.PortPS5
}

// withPort fills in the DDP port of a PS4 and drops the IPv6 form of IPv4.
func withPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), cmp.Or(a.Port(), ddp.Port))
}

// follow has the replies of a console's address and host id handed to it, until
// the returned function is called.
func (n *Network) follow(ctx context.Context, c *Console) (stop func(), err error) {
	if err := n.acquire(ctx); err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.consoles[c]++
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		if n.consoles[c]--; n.consoles[c] == 0 {
			delete(n.consoles, c)
		}
		n.mu.Unlock()
		n.release()
	}, nil
}

// searchFor returns the SRCH datagram for a port.
func searchFor(port uint16) []byte {
	if port == ddp.PortPS5 {
		return ddp.NewSearch(ddp.VersionPS5).Marshal()
	}
	return ddp.NewSearch(ddp.Version).Marshal()
}

// outage reports whether all of several consoles fell silent at once, which is
// rather this network's doing than theirs: none has answered for the given
// time, and not much longer than that.
func (n *Network) outage(quiet time.Duration) bool {
	n.mu.Lock()
	consoles := slices.Collect(maps.Keys(n.consoles))
	n.mu.Unlock()
	answering := 0
	for _, c := range consoles {
		switch silence := c.silentFor(); {
		case silence < quiet:
			return false
		case silence < outageLimit:
			answering++
		}
	}
	return answering > 1
}
