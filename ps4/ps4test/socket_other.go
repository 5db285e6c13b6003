//go:build !linux

package ps4test

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// reserve finds a free TCP port. These systems cannot hold a port without
// listening, so another program can take it while the door is closed.
func (realNetwork) reserve(at netip.AddrPort) (netip.AddrPort, func(), error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", at.String())
	if err != nil {
		return at, nil, err
	}
	bound := addrPort(listener.Addr())
	return bound, func() {}, listener.Close()
}

// reuseAddress does nothing: these systems cannot bind broadcast addresses.
func reuseAddress(_, _ string, _ syscall.RawConn) error { return nil }
