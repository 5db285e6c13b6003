package ps4_test

import (
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

// lan is an in-memory network whose hosts answer SRCH with the host id that they
// are given, and whose link can fail.
type lan struct {
	network *ps4.Network

	mu        sync.Mutex
	hosts     map[netip.Addr]string // host ids
	conns     []*socket
	taken     bool // UDP port 1987
	noRoute   bool // sending fails
	noCarrier bool // datagrams vanish, and the link is down
	deaf      bool // datagrams vanish
	sent      []string
	warned    []string
}

var (
	oldAddr   = testAddr.Addr()
	newAddr   = netip.MustParseAddr("192.0.2.77")
	thirdAddr = netip.MustParseAddr("192.0.2.78")
	farAddr   = netip.MustParseAddr("198.51.100.7")
)

// inLAN runs a test on a network with the console hostID at oldAddr, 1.5 s after
// a Watch of it began. Only 192.0.2.0/24 is on the link.
func inLAN(t *testing.T, do func(t *testing.T, l *lan, c *ps4.Console, s *story)) {
	t.Helper()
	inBubble(t, func(ctx context.Context, t *testing.T, f *fake) {
		l := newLAN(t)
		defer l.network.Close()
		l.set(oldAddr, hostID)
		c := l.network.Console(testAddr, ps4.Credential{})
		c.SetHostID(hostID)
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
	network, err := ps4.Listen(t.Context(), &ps4.Options{
		ListenPacket: l.listenPacket,
		Interfaces:   []string{"none"}, // of this machine
		Broadcast:    []netip.AddrPort{netip.MustParseAddrPort("192.0.2.255:987")},
		OnLink:       netip.MustParsePrefix("192.0.2.0/24").Contains,
		LinkUp: func(netip.Addr) bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return !l.noCarrier
		},
		Warnf: func(format string, args ...any) {
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
	c := newSocket(at)
	c.send = func(b []byte, to netip.AddrPort) error { return l.send(c, b, to) }
	l.conns = append(l.conns, c)
	return c, nil
}

// send answers a SRCH.
func (l *lan) send(c *socket, b []byte, to netip.AddrPort) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := ddp.ParseRequest(b)
	if err != nil {
		return err
	}
	if l.noRoute {
		return syscall.ENETUNREACH
	}
	l.sent = append(l.sent, fmt.Sprintf("%s %v from %d", r.Method, to, c.at.Port()))
	for host, id := range l.hosts {
		if l.noCarrier || l.deaf || to.Addr() != host && !to.Addr().IsMulticast() && to.Addr().As4()[3] != 255 {
			continue
		}
		reply := ddp.Reply{Code: ddp.CodeAwake, HostID: id, HostType: "PS4", HostName: "Den", RequestPort: 997, Version: ddp.Version}
		l.deliver(c, host, reply.Marshal())
	}
	return nil
}

func (l *lan) deliver(c *socket, from netip.Addr, b []byte) {
	time.AfterFunc(5*time.Millisecond, func() { c.receive(b, netip.AddrPortFrom(from, 54572)) })
}

// forge sends an unsolicited reply to every socket.
func (l *lan) forge(from netip.Addr, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		l.deliver(c, from, ddp.Reply{Code: ddp.CodeAwake, HostID: id, HostType: "PS4", Version: ddp.Version}.Marshal())
	}
}

// Concurrent status queries share one SRCH, sent from one port.
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

func TestNetworkLimitsQueries(t *testing.T) {
	inLAN(t, func(t *testing.T, l *lan, c *ps4.Console, _ *story) {
		l.takeSent()
		began := time.Now()
		for range 20 {
			_, err := c.Status(t.Context())
			ok(t, err)
		}
		sent := len(l.takeSent())
		if limit := 3 + 3*int(time.Since(began).Seconds()); sent > limit {
			t.Errorf("%d queries in %v", sent, time.Since(began))
		}
	})
}

func TestNetworkReclaimsItsPort(t *testing.T) {
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

func TestNetworkIgnoresRepliesFromOtherNetworks(t *testing.T) {
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

// A console that was queried by address may be on another network.
func TestNetworkQueriesAcrossARouter(t *testing.T) {
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
