package ps4test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
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
	tcp  map[netip.AddrPort]*memoryListener // nil: reserved
	last uint16
}

// NewNetwork returns an empty network.
func NewNetwork() *Network {
	return &Network{
		udp: map[netip.AddrPort][]*memoryPacketConn{},
		tcp: map[netip.AddrPort]*memoryListener{},
	}
}

// firstPort is the first port assigned to sockets that request port 0.
const firstPort = 32768

// freePort returns an unused port.
func (n *Network) freePort(addr netip.Addr) uint16 {
	for {
		n.last = max(n.last+1, firstPort)
		at := netip.AddrPortFrom(addr, n.last)
		if _, used := n.tcp[at]; !used && len(n.udp[at]) == 0 {
			return n.last
		}
	}
}

// ListenPacket opens a UDP socket like net.ListenConfig, for
// ps4.Options.ListenPacket.
func (n *Network) ListenPacket(_ context.Context, network, address string) (net.PacketConn, error) {
	at, err := parseAddress(address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	return n.packet(at, false)
}

func (n *Network) packet(at netip.AddrPort, shared bool) (net.PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at.Port() == 0 {
		at = netip.AddrPortFrom(at.Addr(), n.freePort(at.Addr()))
	}
	if len(n.udp[at]) > 0 && !shared {
		return nil, opError("listen", "udp", at, "bind", syscall.EADDRINUSE)
	}
	conn := newMemoryPacketConn(n, at)
	n.udp[at] = append(n.udp[at], conn)
	return conn, nil
}

func (*Network) broadcasts(netip.Addr) ([]netip.Addr, error) {
	return []netip.Addr{limitedBroadcast}, nil
}

// deliver hands a datagram to every socket at an address.
func (n *Network) deliver(d datagram, to netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range n.udp[to] {
		conn.take(d)
	}
}

func (n *Network) forget(conn *memoryPacketConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	left := slices.DeleteFunc(n.udp[conn.at], func(other *memoryPacketConn) bool { return other == conn })
	n.udp[conn.at] = left
	if len(left) == 0 {
		delete(n.udp, conn.at)
	}
}

// Dial opens a TCP connection like net.Dialer, for ps4.Options.Dial. A port
// without a listener refuses with syscall.ECONNREFUSED.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	at, err := parseAddress(address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	n.mu.Lock()
	listener := n.tcp[at]
	from := netip.AddrPortFrom(localhost, n.freePort(localhost))
	n.mu.Unlock()
	if listener == nil {
		return nil, opError("dial", network, at, "connect", syscall.ECONNREFUSED)
	}
	client, server := memoryPipe(from, at)
	select {
	case listener.backlog <- server:
		return client, nil
	case <-listener.done:
		return nil, opError("dial", network, at, "connect", syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(at), Err: ctx.Err()}
	}
}

func (n *Network) reserve(at netip.AddrPort) (netip.AddrPort, io.Closer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at.Port() == 0 {
		at = netip.AddrPortFrom(at.Addr(), n.freePort(at.Addr()))
	}
	if _, used := n.tcp[at]; used {
		return at, nil, opError("listen", "tcp", at, "bind", syscall.EADDRINUSE)
	}
	n.tcp[at] = nil
	return at, closer(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.tcp, at)
	}), nil
}

func (n *Network) listen(at netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	listener := &memoryListener{at: at, backlog: make(chan net.Conn), done: make(chan struct{})}
	listener.end = func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.tcp[at] == listener {
			n.tcp[at] = nil
		}
	}
	n.tcp[at] = listener
	return listener, nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// parseAddress parses "host:port". An empty or unspecified host is localhost.
func parseAddress(address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port: %w", err)
	}
	if host == "" {
		return netip.AddrPortFrom(localhost, uint16(number)), nil
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address: %w", err)
	}
	if addr.IsUnspecified() {
		addr = localhost
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(number)), nil
}

func opError(op, network string, at netip.AddrPort, call string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: network, Addr: net.TCPAddrFromAddrPort(at), Err: os.NewSyscallError(call, errno)}
}
