package ps4test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
)

// limitedBroadcast is the address to which ps4-waker and pyps4-2ndscreen send
// SRCH.
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// transport is the network of a console, real or in memory.
type transport interface {
	// packet opens a UDP socket; several shared ones may have one address.
	packet(at netip.AddrPort, shared bool) (net.PacketConn, error)
	// broadcasts returns the addresses of broadcasts to an IPv4 address.
	broadcasts(addr netip.Addr) ([]netip.Addr, error)
	// reserve takes a TCP port, which refuses connections until listen.
	reserve(at netip.AddrPort) (netip.AddrPort, io.Closer, error)
	// listen accepts connections on a reserved port.
	listen(at netip.AddrPort) (net.Listener, error)
}

// realNetwork opens real sockets.
type realNetwork struct{}

func (realNetwork) packet(at netip.AddrPort, shared bool) (net.PacketConn, error) {
	lc := net.ListenConfig{}
	if shared {
		lc.Control = reuseAddress
	}
	network := "udp"
	if at.Addr().Is4() { // else 0.0.0.0 would become ::
		network = "udp4"
	}
	conn, err := lc.ListenPacket(context.Background(), network, at.String())
	if err != nil {
		return nil, fmt.Errorf("binding: %w", err)
	}
	return conn, nil
}

// broadcasts returns the limited broadcast address and the directed ones of the
// networks that contain addr.
func (realNetwork) broadcasts(addr netip.Addr) ([]netip.Addr, error) {
	list := []netip.Addr{limitedBroadcast}
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing interfaces: %w", err)
	}
	for _, ifi := range interfaces {
		if ifi.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			return nil, fmt.Errorf("addresses of %s: %w", ifi.Name, err)
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil || !prefix.Contains(addr) || prefix.Bits() > 30 { // longer ones have no broadcast
				continue
			}
			if directed := lastAddr(prefix); !slices.Contains(list, directed) {
				list = append(list, directed)
			}
		}
	}
	return list, nil
}

// lastAddr returns the last address of an IPv4 prefix.
func lastAddr(prefix netip.Prefix) netip.Addr {
	a := prefix.Addr().As4()
	hosts := uint32(1)<<(32-prefix.Bits()) - 1
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])|hosts)
	return netip.AddrFrom4(a)
}

func (realNetwork) reserve(at netip.AddrPort) (netip.AddrPort, io.Closer, error) {
	return reservePort(at)
}

func (realNetwork) listen(at netip.AddrPort) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return listener, nil
}
