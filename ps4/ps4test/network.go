package ps4test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// Network is an in-memory network for consoles ([Config.Network]) and clients
// ([Network.Dial], [Network.ListenPacket]). Its waits are durably blocking in
// the sense of testing/synctest, so create it inside the bubble that uses it.
//
// A socket on the unspecified address gets 127.0.0.1. A datagram to
// 255.255.255.255 reaches every console with Config.Broadcast on its port.
type Network struct {
	mu   sync.Mutex
	udp  map[netip.AddrPort][]*memoryPacketConn
	tcp  map[netip.AddrPort]func(net.Conn) // accepts connections; nil: reserved, refuses them
	last uint16
	post func(packet []byte, to netip.AddrPort) (arrivals []time.Duration)
}

// NewNetwork returns an empty network.
func NewNetwork() *Network {
	return &Network{
		udp: map[netip.AddrPort][]*memoryPacketConn{},
		tcp: map[netip.AddrPort]func(net.Conn){},
	}
}

// OnDatagram calls f for each datagram, which f may change. f returns the delay of
// each copy that arrives, or none to lose the datagram. f must not use the
// network. A nil f delivers everything.
func (n *Network) OnDatagram(f func(packet []byte, to netip.AddrPort) (arrivals []time.Duration)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.post = f
}

// assign returns at with an unused port if it has none. The lock is held.
func (n *Network) assign(at netip.AddrPort) netip.AddrPort {
	for at.Port() == 0 {
		n.last = max(n.last+1, 32768)
		free := netip.AddrPortFrom(at.Addr(), n.last)
		if _, used := n.tcp[free]; !used && len(n.udp[free]) == 0 {
			at = free
		}
	}
	return at
}

// ListenPacket opens a UDP socket like net.ListenConfig, for
// ps4.Options.ListenPacket.
func (n *Network) ListenPacket(_ context.Context, _, address string) (net.PacketConn, error) {
	at, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	return n.packet(at, false)
}

func (n *Network) packet(at netip.AddrPort, shared bool) (net.PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at = n.assign(at)
	if len(n.udp[at]) > 0 && !shared {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(at), Err: syscall.EADDRINUSE}
	}
	conn := &memoryPacketConn{
		network: n, at: at,
		unread: make(chan datagram, 256), closed: make(chan struct{}), changed: make(chan struct{}),
	}
	n.udp[at] = append(n.udp[at], conn)
	return conn, nil
}

func (*Network) broadcasts(netip.Addr) ([]netip.Addr, error) {
	return []netip.Addr{ddp.LimitedBroadcast}, nil
}

// Dial opens a TCP connection like net.Dialer, for ps4.Options.Dial. A port
// without a listener refuses with syscall.ECONNREFUSED.
func (n *Network) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	at, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	failed := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: err}
	}
	n.mu.Lock()
	admit := n.tcp[at]
	from := n.assign(netip.AddrPortFrom(localhost, 0))
	n.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, failed(ctx.Err())
	case admit == nil:
		return nil, failed(syscall.ECONNREFUSED)
	}
	client, server := net.Pipe()
	local, remote, broken := net.TCPAddrFromAddrPort(from), net.TCPAddrFromAddrPort(at), &atomic.Bool{}
	admit(&memoryConn{Conn: server, local: remote, remote: local, broken: broken})
	return &memoryConn{Conn: client, local: local, remote: remote, broken: broken}, nil
}

func (n *Network) reserve(at netip.AddrPort) (netip.AddrPort, func(), error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at = n.assign(at)
	if _, used := n.tcp[at]; used {
		return at, nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: syscall.EADDRINUSE}
	}
	n.tcp[at] = nil
	return at, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.tcp, at)
	}, nil
}

func (n *Network) listen(at netip.AddrPort, _ *sync.WaitGroup, admit func(net.Conn)) (stop func(), err error) {
	set := func(admit func(net.Conn)) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.tcp[at] = admit
	}
	set(admit)
	return func() { set(nil) }, nil
}

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// parseAddress parses "host:port". An empty or unspecified host is localhost.
func parseAddress(address string) (netip.AddrPort, error) {
	if strings.HasPrefix(address, ":") {
		address = localhost.String() + address
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return at, err
	}
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(localhost, at.Port())
	}
	return at, nil
}
