package ps4_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
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

// Everyone who asks at the same time shares one question, from one port.
func TestNetworkSharesAnswers(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.takeSent()
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				status, err := c.Status(t.Context())
				if err != nil || status.HostID != hostID {
					t.Errorf("%+v, %v", status, err)
				}
			})
		}
		group.Wait()
		same(t, l.takeSent(), "SRCH 192.0.2.20:987 from 1987")
		if c.Addr() != testAddr {
			t.Errorf("the address is %v", c.Addr())
		}
	})
}

func TestNetworkAsksNoMoreThanAConsoleCanTake(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.takeSent()
		began := time.Now()
		for range 20 {
			_, err := c.Status(t.Context())
			ok(t, err)
		}
		sent := len(l.takeSent())
		if limit := 3 + 3*int(time.Since(began).Seconds()); sent > limit {
			t.Errorf("%d questions in %v", sent, time.Since(began))
		}
	})
}

func TestNetworkTakesItsPortBack(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := &lan{hosts: map[netip.Addr]string{oldAddr: hostID}, taken: true}
		l.listen(t)
		defer l.network.Close()
		c := l.network.Console(testAddr, ps4.Credential{})
		for range 30 {
			_, err := c.Status(ctx)
			ok(t, err)
			time.Sleep(time.Second)
		}
		if port := l.network.LocalPort(); port != 50000 || len(l.warned) != 1 || !strings.Contains(l.warned[0], "1987") {
			t.Errorf("port %d, warnings %q", port, l.warned)
		}
		l.change(func() { l.taken = false })
		for range 15 {
			_, err := c.Status(ctx)
			ok(t, err)
			time.Sleep(time.Second)
		}
		if port := l.network.LocalPort(); port != 1987 {
			t.Errorf("port %d", port)
		}
	})
}

func TestNetworkIgnoresRepliesFromAfar(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, _ *story) {
		time.AfterFunc(time.Second, func() {
			l.forge(farAddr, "0A0A0A0A0A0A")
			l.forge(thirdAddr, "0B0B0B0B0B0B")
		})
		found, err := l.network.Discover(t.Context(), 2*time.Second)
		ok(t, err)
		var ids []string
		for _, s := range found {
			ids = append(ids, s.HostID)
		}
		same(t, ids, "0B0B0B0B0B0B", hostID)
	})
}

// An address that was asked may be on another network.
func TestNetworkAsksAcrossARouter(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, _ *ps4.Console, _ *story) {
		l.set(farAddr, "0A0A0A0A0A0A")
		status, err := l.network.Console(netip.AddrPortFrom(farAddr, 0), ps4.Credential{}).Status(t.Context())
		if err != nil || status.HostID != "0A0A0A0A0A0A" {
			t.Errorf("%+v, %v", status, err)
		}
	})
}

func TestStatusWithoutALink(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.change(func() { l.noRoute = true })
		_, err := c.Status(t.Context())
		wantErr(t, err, ps4.ErrNoNetwork)
	})
}

func TestNetworkIsClosed(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := newLAN(t)
		ok(t, l.network.Close())
		_, err := l.network.Console(testAddr, ps4.Credential{}).Status(ctx)
		wantErr(t, err, net.ErrClosed)
		_, err = l.network.Discover(ctx, time.Second)
		wantErr(t, err, net.ErrClosed)
	})
}

// A datagram that is being sent while the network moves to another port is
// sent from that one.
func TestNetworkTakesItsPortBackDuringAQuestion(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := &lan{hosts: map[netip.Addr]string{oldAddr: hostID, newAddr: "0A0A0A0A0A0A"}, taken: true}
		l.listen(t)
		defer l.network.Close()
		time.Sleep(9500 * time.Millisecond)
		l.change(func() { l.taken, l.stuck = false, true })
		failed := make(chan error, 1)
		go func() {
			_, err := l.network.Console(testAddr, ps4.Credential{}).Status(ctx)
			failed <- err
		}()
		time.Sleep(time.Second)
		_, err := l.network.Console(netip.AddrPortFrom(newAddr, 987), ps4.Credential{}).Status(ctx)
		ok(t, err)
		ok(t, <-failed)
		if port := l.network.LocalPort(); port != 1987 {
			t.Errorf("port %d", port)
		}
	})
}

// Close ends questions and searches at once, those from a socket of their own
// too.
func TestNetworkIsClosedDuringAQuestion(t *testing.T) {
	simulated := netip.AddrPortFrom(oldAddr, 40001)
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		l := newLAN(t)
		failed := make(chan error)
		for _, addr := range []netip.AddrPort{testAddr, simulated} {
			go func() {
				_, err := l.network.Console(addr, ps4.Credential{}).Status(ctx)
				failed <- err
			}()
			go func() {
				_, err := l.network.Discover(ctx, time.Minute, addr)
				failed <- err
			}()
		}
		time.Sleep(300 * time.Millisecond)
		ok(t, l.network.Close())
		for range 4 {
			wantErr(t, <-failed, net.ErrClosed)
		}
		if took := time.Since(f.start); took != 300*time.Millisecond {
			t.Errorf("ended after %v", took)
		}
		l.set(oldAddr, hostID)
		_, err := l.network.Console(simulated, ps4.Credential{}).Status(ctx)
		wantErr(t, err, net.ErrClosed)
	})
}

// A question that starts during another does not hide who answered that one.
func TestStatusOfAnotherConsoleDuringAWatch(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.set(oldAddr, "0A0A0A0A0A0A")
		time.Sleep(100 * time.Millisecond) // 400 ms before a poll, which shares the question
		_, err := c.Status(t.Context())
		wantErr(t, err, ps4.ErrOtherConsole)
	})
}

// A search for a console that may have moved leaves time to ask it again.
func TestStatusSearchesSimulatedConsolesAtOnce(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
		l := &lan{hosts: map[netip.Addr]string{oldAddr: hostID}, deaf: true}
		for i := range uint16(20) {
			l.broadcast = append(l.broadcast, netip.AddrPortFrom(newAddr, 40000+i))
		}
		l.listen(t)
		defer l.network.Close()
		c := l.network.Console(testAddr, ps4.Credential{})
		c.SetHostID(hostID)
		time.AfterFunc(500*time.Millisecond, func() { l.change(func() { l.deaf = false }) })
		_, err := c.Status(ctx)
		ok(t, err)
	})
}

// WakeWait follows a console that a Watch finds at another address.
func TestWakeWaitFollowsAConsoleThatMoved(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		credential, err := ps4.ParseCredential(testHex)
		ok(t, err)
		c.SetUser(ps4.User{Credential: credential})
		l.change(func() { l.rests = true })
		l.move(oldAddr, newAddr)
		status, err := c.WakeWait(t.Context())
		ok(t, err)
		if status.State != ps4.StateAwake || status.Addr.Addr() != newAddr {
			t.Errorf("got %+v", status)
		}
	})
}

// Status follows a console that was silent for 3 s and seen elsewhere, and says
// that it is unreachable if it is silent there too.
func TestStatusFollowsAConsoleThatMoved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limit time.Duration // of ctx; 0: none
		gone  bool          // silent at its new address
		want  error
	}{
		"found":         {0, false, nil},
		"silent again":  {0, true, ps4.ErrUnreachable},
		"at a deadline": {3500 * time.Millisecond, false, ps4.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(ctx context.Context, t *testing.T, _ *fake) {
				l := newLAN(t)
				defer l.network.Close()
				l.claim(newAddr)
				c := l.network.Console(testAddr, ps4.Credential{})
				c.SetHostID(hostID)
				if test.gone {
					time.AfterFunc(2*time.Second, func() { l.silence(newAddr) })
				}
				if test.limit > 0 {
					limited, cancel := context.WithTimeout(ctx, test.limit)
					defer cancel()
					ctx = limited
				}
				_, err := c.Status(ctx)
				wantErr(t, err, test.want)
				if c.Addr().Addr() != newAddr {
					t.Errorf("the console is asked at %v", c.Addr())
				}
			})
		})
	}
}

// A question is shared only among callers that hear its answer: without a host
// id, a simulated console is asked from a port of its own.
func TestNetworkSharesAnswersOfOnePort(t *testing.T) {
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		l := newLAN(t)
		defer l.network.Close()
		l.set(oldAddr, hostID)
		simulated := netip.AddrPortFrom(oldAddr, 40001)
		known, unknown := l.network.Console(simulated, ps4.Credential{}), l.network.Console(simulated, ps4.Credential{})
		known.SetHostID(hostID)
		var group sync.WaitGroup
		for _, c := range []*ps4.Console{known, unknown, known, unknown} {
			group.Go(func() {
				_, err := c.Status(ctx)
				ok(t, err)
			})
			synctest.Wait() // its question has left
		}
		group.Wait()
		if took := time.Since(f.start); took > 100*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}
