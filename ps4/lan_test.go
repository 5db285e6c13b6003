package ps4_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// lan is a network in memory with a host for each address that answers SRCH,
// whoever it claims to be, and faults of the link.
type lan struct {
	network   *ps4.Network
	console   *ps4.Console     // asked for its address by Warnf, if set
	broadcast []netip.AddrPort // default: 192.0.2.255:987

	mu        sync.Mutex
	hosts     map[netip.Addr]string // host ids
	conns     []*lanConn
	taken     bool // UDP port 1987
	noRoute   bool // sending fails
	noCarrier bool // datagrams vanish, and the link is down
	deaf      bool // datagrams vanish
	rests     bool // hosts are in rest mode until the first WAKEUP
	stuck     bool // the next datagram blocks until its socket is closed
	sent      []string
	warned    []string
}

var (
	oldAddr   = testAddr.Addr()
	newAddr   = netip.MustParseAddr("192.0.2.77")
	thirdAddr = netip.MustParseAddr("192.0.2.78")
	farAddr   = netip.MustParseAddr("198.51.100.7")
)

// inLAN runs a test with a network on which the console hostID, at oldAddr, is
// watched since 1.5 s. Only 192.0.2.0/24 is on the link.
func inLAN(t *testing.T, do func(t *testing.T, l *lan, c *ps4.Console, s *story)) {
	t.Helper()
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		l := newLAN(t)
		defer l.network.Close()
		l.set(oldAddr, hostID)
		c := l.network.Console(testAddr, ps4.Credential{})
		c.SetHostID(hostID)
		l.console = c
		ctx, cancel := context.WithCancel(ctx)
		s := f.watch(ctx, c, nil)
		time.Sleep(1500 * time.Millisecond)
		do(t, l, c, s)
		cancel()
		<-s.done
	})
}

func newLAN(t *testing.T) *lan {
	t.Helper()
	l := &lan{hosts: map[netip.Addr]string{}}
	l.listen(t)
	return l
}

func (l *lan) listen(t *testing.T) {
	t.Helper()
	if l.broadcast == nil {
		l.broadcast = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.255:987")}
	}
	network, err := ps4.Listen(t.Context(), &ps4.Options{
		ListenPacket: l.listenPacket,
		Interfaces:   []string{"none"}, // of this machine
		Broadcast:    l.broadcast,
		OnLink:       netip.MustParsePrefix("192.0.2.0/24").Contains,
		LinkUp: func(netip.Addr) bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return !l.noCarrier
		},
		Warnf: func(format string, args ...any) {
			if l.console != nil {
				_ = l.console.Addr() // a logger may ask: no lock is held
			}
			l.change(func() { l.warned = append(l.warned, fmt.Sprintf(format, args...)) })
		},
		Counters: &ps4.Counters{},
	})
	ok(t, err)
	l.network = network
}

func (l *lan) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
}

func (l *lan) set(a netip.Addr, id string) { l.change(func() { l.hosts[a] = id }) }
func (l *lan) claim(a netip.Addr)          { l.set(a, hostID) }
func (l *lan) silence(a netip.Addr)        { l.change(func() { delete(l.hosts, a) }) }
func (l *lan) move(from, to netip.Addr) {
	l.change(func() { l.hosts[to] = l.hosts[from]; delete(l.hosts, from) })
}

// takeSent returns what was sent since the last call.
func (l *lan) takeSent() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent
	l.sent = nil
	return sent
}

func (l *lan) listenPacket(_ context.Context, _, address string) (net.PacketConn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := netip.MustParseAddrPort(address)
	if l.taken && at.Port() == 1987 {
		return nil, syscall.EADDRINUSE
	}
	if at.Port() == 0 {
		at = netip.AddrPortFrom(at.Addr(), 50000)
	}
	c := &lanConn{lan: l, at: at, in: make(chan lanDatagram, 64), done: make(chan struct{})}
	l.conns = append(l.conns, c)
	return c, nil
}

// send answers a SRCH; the lock is held.
func (l *lan) send(c *lanConn, b []byte, to netip.AddrPort) error {
	r, err := ddp.ParseRequest(b)
	if err != nil {
		return err
	}
	if l.noRoute {
		return syscall.ENETUNREACH
	}
	l.sent = append(l.sent, fmt.Sprintf("%s %v from %d", r.Method, to, c.at.Port()))
	for host, id := range l.hosts {
		if r.Method == ddp.Wakeup && to.Addr() == host {
			l.rests = false
		}
		if r.Method != ddp.Search || l.noCarrier || l.deaf || to.Addr() != host && !to.Addr().IsMulticast() && to.Addr().As4()[3] != 255 {
			continue
		}
		reply := ddp.Reply{Code: ddp.CodeAwake, HostID: id, HostType: "PS4", HostName: "Den", RequestPort: 997, Version: ddp.Version}
		if l.rests {
			reply.Code = ddp.CodeStandby
		}
		l.deliver(c, host, reply.Marshal())
	}
	return nil
}

func (l *lan) deliver(c *lanConn, from netip.Addr, b []byte) {
	time.AfterFunc(5*time.Millisecond, func() {
		select {
		case c.in <- lanDatagram{b, netip.AddrPortFrom(from, 54572)}:
		default:
		}
	})
}

// forge sends a reply that nobody asked for to every socket.
func (l *lan) forge(from netip.Addr, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		l.deliver(c, from, ddp.Reply{Code: ddp.CodeAwake, HostID: id, HostType: "PS4", Version: ddp.Version}.Marshal())
	}
}

type lanDatagram struct {
	b    []byte
	from netip.AddrPort
}

// lanConn is a UDP socket of a lan.
type lanConn struct {
	net.PacketConn // for the methods that nobody calls
	lan            *lan
	at             netip.AddrPort
	in             chan lanDatagram
	done           chan struct{}
	once           sync.Once
}

func (c *lanConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.lan.mu.Lock()
	defer c.lan.mu.Unlock()
	if c.lan.stuck {
		c.lan.stuck = false
		c.lan.mu.Unlock()
		<-c.done
		c.lan.mu.Lock()
		return 0, net.ErrClosed
	}
	return len(b), c.lan.send(c, bytes.Clone(b), to.(*net.UDPAddr).AddrPort()) //nolint:forcetypeassert // as the library sends
}

func (c *lanConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-c.in:
		return copy(b, d.b), net.UDPAddrFromAddrPort(d.from), nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

func (c *lanConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.at) }
func (c *lanConn) Close() error        { c.once.Do(func() { close(c.done) }); return nil }
