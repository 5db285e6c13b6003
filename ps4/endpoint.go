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
	remotePort uint16 // the port whose replies it receives; 0: the DDP port of a PS4 or a PS5

	// gate is held while the socket is opened, replaced or closed, and guards
	// users and warned.
	gate   mutex
	users  int
	warned bool // that port is taken

	mu        sync.Mutex
	socket    *socket // nil while closed
	questions map[netip.AddrPort]*questions
	searched  time.Time
}

// socket is a UDP socket with its reader. It is never connected: consoles reply
// from other ports than the one that was asked.
type socket struct {
	net.PacketConn
	port   uint16
	tried  time.Time // when the endpoint's own port was last tried
	reader sync.WaitGroup
	closed atomic.Bool
}

func newEndpoint(n *Network, port, remotePort uint16) *endpoint {
	return &endpoint{
		net: n, port: port, remotePort: remotePort,
		gate: newMutex(), questions: map[netip.AddrPort]*questions{},
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
		e.gate.Lock()
		if e.users--; e.users == 0 {
			e.replace(nil)
		}
		e.gate.Unlock()
		cancel()
	}, nil
}

// acquire counts a user. The first one opens the socket, on the endpoint's port
// or else on any.
func (e *endpoint) acquire(ctx context.Context) error {
	if err := e.gate.lockWithin(e.net.life, ctx); err != nil {
		return err
	}
	defer e.gate.Unlock()
	if e.users == 0 {
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
	}
	e.users++
	return nil
}

// reclaim moves to the endpoint's own port once it is free again.
func (e *endpoint) reclaim(ctx context.Context) {
	select {
	case e.gate <- struct{}{}:
	default:
		return // it is being opened or closed
	}
	defer e.gate.Unlock()
	s := e.current()
	if s == nil || e.port == 0 || s.port == e.port || time.Since(s.tried) < portRetry {
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
		old.closed.Store(true)
		_ = old.Close()
		old.reader.Wait()
	}
}

// current returns the socket, or nil while the endpoint is closed.
func (e *endpoint) current() *socket {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.socket
}

// bind opens a socket and starts its reader.
func (e *endpoint) bind(ctx context.Context, port uint16) (*socket, error) {
	host := "0.0.0.0"
	if bind := e.net.set.Bind; bind.IsValid() {
		host = bind.String()
	}
	conn, err := e.net.set.ListenPacket(ctx, "udp4", net.JoinHostPort(host, strconv.Itoa(int(port))))
	if err != nil {
		return nil, err
	}
	s := &socket{PacketConn: conn, port: addrOf(conn.LocalAddr()).Port(), tried: time.Now()}
	s.reader.Go(func() { e.read(s) })
	return s, nil
}

// send sends a datagram to each target. It fails with [ErrNoNetwork] if it
// reached none, and with [net.ErrClosed].
func (e *endpoint) send(ctx context.Context, counters *Counters, datagram []byte, targets ...netip.AddrPort) error {
	e.reclaim(ctx)
	for {
		s := e.current()
		if s == nil {
			return net.ErrClosed
		}
		var err error
		sent := uint64(0)
		for _, target := range targets {
			if _, failed := s.WriteTo(datagram, net.UDPAddrFromAddrPort(target)); failed != nil {
				err = fmt.Errorf("%w: %w", ErrNoNetwork, failed)
			} else {
				sent++
			}
		}
		counters.DDPSent.Add(sent)
		switch {
		case sent > 0:
			return nil
		case !s.closed.Load(): // else it was replaced in the meantime
			return err
		}
	}
}

// read handles replies until the socket is closed. It ignores a reply from an
// address that is neither on a network of this machine nor was asked.
func (e *endpoint) read(s *socket) {
	set := e.net.set
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
		addr := addrOf(from).Addr()
		reply, err := ddp.ParseReply(buf[:size])
		if err != nil || reply.HostID == captureHostID || !e.wasAsked(addr) && !set.OnLink(addr) {
			set.Counters.DDPDropped.Add(1)
			continue
		}
		port := cmp.Or(e.remotePort, ddp.Port)
		if e.remotePort == 0 && reply.HostType == TypePS5 {
			port = ddp.PortPS5
		}
		if !e.net.route(netip.AddrPortFrom(addr, port), reply) {
			set.Counters.DDPDropped.Add(1)
		}
	}
}

func addrOf(a net.Addr) netip.AddrPort {
	if udp, ok := a.(*net.UDPAddr); ok {
		at := udp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}
