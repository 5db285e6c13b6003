//go:build !linux

package ps4test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
)

// reservePort finds a free TCP port. Other systems do not let a port be held
// without listening, so another program may take it while the door is closed.
func reservePort(at netip.AddrPort) (netip.AddrPort, io.Closer, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", at.String())
	if err != nil {
		return at, nil, fmt.Errorf("reserving: %w", err)
	}
	bound := addrPort(listener.Addr())
	return bound, nil, listener.Close()
}

// reuseAddress leaves the system's default: one console for one broadcast port.
func reuseAddress(_, _ string, _ syscall.RawConn) error { return nil }
