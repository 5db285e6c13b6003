package ps4test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// transport is the network of a console, real or in memory.
type transport interface {
	// packet opens a UDP socket; several shared ones may have one address.
	packet(at netip.AddrPort, shared bool) (net.PacketConn, error)
	// broadcasts returns the addresses of broadcasts to an address.
	broadcasts(addr netip.Addr) ([]netip.Addr, error)
	// reserve takes a TCP port, which refuses connections until listen. The
	// function that it returns frees the port.
	reserve(at netip.AddrPort) (netip.AddrPort, func(), error)
	// listen passes the connections to a reserved port to admit, until stop is
	// called. A goroutine that it needs belongs to group.
	listen(at netip.AddrPort, group *sync.WaitGroup, admit func(net.Conn)) (stop func(), err error)
}

// realNetwork opens real sockets.
type realNetwork struct{}

func (realNetwork) packet(at netip.AddrPort, shared bool) (net.PacketConn, error) {
	lc := net.ListenConfig{}
	if shared {
		lc.Control = reuseAddress
	}
	return lc.ListenPacket(context.Background(), "udp4", at.String())
}

// broadcasts returns the limited broadcast address and the directed ones of the
// networks that contain addr.
func (realNetwork) broadcasts(addr netip.Addr) ([]netip.Addr, error) {
	list := []netip.Addr{ddp.LimitedBroadcast}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Contains(addr) {
			continue
		}
		if directed, ok := ddp.Broadcast(prefix); ok && !slices.Contains(list, directed) {
			list = append(list, directed)
		}
	}
	return list, nil
}

func (realNetwork) listen(at netip.AddrPort, group *sync.WaitGroup, admit func(net.Conn)) (stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", at.String())
	if err != nil {
		return nil, err
	}
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			admit(conn)
		}
	})
	return func() { _ = listener.Close() }, nil
}
