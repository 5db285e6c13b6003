package ps4test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
)

// broadcastAddr is the limited broadcast address, to which peers send SRCH.
var broadcastAddr = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// transport is the network of a console: real sockets or memory.
type transport interface {
	// packet opens a UDP socket; shared ones may be several on one address.
	packet(at netip.AddrPort, shared bool) (net.PacketConn, error)
	// reserve takes a TCP port that refuses connections until listen.
	reserve(at netip.AddrPort) (netip.AddrPort, io.Closer, error)
	// listen accepts on a port that was reserved.
	listen(at netip.AddrPort) (net.Listener, error)
}

// realNetwork is the transport of real sockets.
type realNetwork struct{}

func (realNetwork) packet(at netip.AddrPort, shared bool) (net.PacketConn, error) {
	lc := net.ListenConfig{}
	if shared {
		lc.Control = reuseAddress
	}
	conn, err := lc.ListenPacket(context.Background(), "udp", at.String())
	if err != nil {
		return nil, fmt.Errorf("binding: %w", err)
	}
	return conn, nil
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
