package ps4

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// endpoint is a local UDP port of a network, open while it is in use. A network
// has a shared one, and opens another for each simulated console that has a
// port of its own: such consoles may share an address, and only an endpoint
// that asks just one of them knows which one replied.
type endpoint struct {
	net        *Network
	port       uint16 // the port it should have; 0: any
	remotePort uint16 // where replies are taken to come from; 0: as the kind of console tells

	// gate is held while the socket is opened, replaced or closed, and guards
	// users and warned. It is a channel so that testing/synctest sees waiters.
	gate   chan struct{}
	users  int
	warned bool // that port is taken

	mu        sync.Mutex
	socket    *socket // nil while closed
	questions map[netip.AddrPort]*questions
	searched  time.Time
}

func newEndpoint(n *Network, port, remotePort uint16) *endpoint {
	return &endpoint{
		net: n, port: port, remotePort: remotePort,
		gate: make(chan struct{}, 1), questions: map[netip.AddrPort]*questions{},
	}
}

// use opens the endpoint, if it is closed, until release is called. The
// returned context ends with ctx and when the network is closed.
func (e *endpoint) use(ctx context.Context) (_ context.Context, release func(), err error) {
	ctx, cancel := within(e.net.life, ctx)
	if err := e.acquire(ctx); err != nil {
		cancel()
		return nil, nil, err
	}
	return ctx, func() {
		e.release()
		cancel()
	}, nil
}

func (e *endpoint) acquire(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case e.gate <- struct{}{}:
	}
	defer func() { <-e.gate }()
	if err := context.Cause(e.net.life); err != nil {
		return err
	}
	if e.users == 0 {
		if err := e.open(ctx); err != nil {
			return err
		}
	}
	e.users++
	return nil
}

func (e *endpoint) release() {
	e.gate <- struct{}{}
	defer func() { <-e.gate }()
	if e.users--; e.users == 0 {
		e.replace(nil)
	}
}

// close closes the socket, however many use it.
func (e *endpoint) close() {
	e.gate <- struct{}{}
	defer func() { <-e.gate }()
	e.replace(nil)
}

// open opens the socket on the endpoint's port, or else on any; the gate is
// held.
func (e *endpoint) open(ctx context.Context) error {
	s, err := e.bind(ctx, e.port)
	if err != nil && e.port != 0 {
		if !e.warned {
			e.warned = true
			e.net.set.Warnf("UDP port %d: %v; using another until it is free, where a firewall may drop replies", e.port, err)
		}
		s, err = e.bind(ctx, 0)
	}
	if err != nil {
		return fmt.Errorf("opening a UDP socket: %w", err)
	}
	e.replace(s)
	return nil
}

// reclaim moves to the endpoint's own port once it is free again.
func (e *endpoint) reclaim(ctx context.Context) {
	select {
	case e.gate <- struct{}{}:
	default:
		return // it is being opened or closed
	}
	defer func() { <-e.gate }()
	s := e.current()
	if s == nil || e.port == 0 || s.port() == e.port || time.Since(s.tried) < portRetry {
		return
	}
	s.tried = time.Now()
	fresh, err := e.bind(ctx, e.port)
	if err != nil {
		return
	}
	e.warned = false
	e.net.set.Logf("UDP port %d is free again", e.port)
	e.replace(fresh)
}

// replace closes the socket and puts another in its place, or none; the gate is
// held.
func (e *endpoint) replace(fresh *socket) {
	e.mu.Lock()
	old := e.socket
	e.socket = fresh
	e.mu.Unlock()
	if old != nil {
		old.close()
	}
}

func (e *endpoint) current() *socket {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.socket
}

func (e *endpoint) localPort() uint16 {
	if s := e.current(); s != nil {
		return s.port()
	}
	return 0
}

// send sends a datagram to each target. It fails with [ErrNoNetwork] if it
// reached none, and with [net.ErrClosed].
func (e *endpoint) send(ctx context.Context, datagram []byte, targets ...netip.AddrPort) error {
	e.reclaim(ctx)
	for {
		s := e.current()
		if s == nil {
			return net.ErrClosed
		}
		err := s.send(datagram, targets)
		if err == nil || !s.closed.Load() {
			return err
		}
		// The socket was replaced in the meantime.
	}
}

// receive takes in a reply. It ignores one from an address that is neither on a
// network of this machine nor was asked.
func (e *endpoint) receive(from netip.Addr, r ddp.Reply) {
	port := cmp.Or(e.remotePort, ddp.Port)
	if e.remotePort == 0 && r.HostType == TypePS5 {
		port = ddp.PortPS5
	}
	at := netip.AddrPortFrom(from, port)
	if !e.wasAsked(from) && !e.net.set.OnLink(from) || !e.net.route(at, r) {
		e.net.set.Counters.DDPDropped.Add(1)
	}
}

// socket is a UDP socket with its reader. It is never connected: consoles reply
// from other ports than the one that was asked.
type socket struct {
	net.PacketConn
	tried  time.Time // when the endpoint's own port was last tried
	reader sync.WaitGroup
	closed atomic.Bool
}

func (e *endpoint) bind(ctx context.Context, port uint16) (*socket, error) {
	set := e.net.set
	host := "0.0.0.0"
	if set.Bind.IsValid() {
		host = set.Bind.String()
	}
	conn, err := set.ListenPacket(ctx, "udp4", net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	s := &socket{PacketConn: conn, tried: time.Now()}
	s.reader.Go(func() { s.read(set, e.receive) })
	return s, nil
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

func (s *socket) send(datagram []byte, targets []netip.AddrPort) error {
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

// read hands every reply to receive until the socket is closed.
func (s *socket) read(set *settings, receive func(netip.Addr, ddp.Reply)) {
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
		if err != nil || reply.HostID == captureHostID {
			set.Counters.DDPDropped.Add(1)
			continue
		}
		receive(addrOf(from), reply)
	}
}

func addrOf(a net.Addr) netip.Addr {
	if udp, ok := a.(*net.UDPAddr); ok {
		return udp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
