package ps4test

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"syscall"
)

// reservePort binds a TCP port without listening: the port refuses connections
// and no other program can take it while the door is closed. Because both set
// SO_REUSEADDR, a listener can be opened beside it.
func reservePort(at netip.AddrPort) (netip.AddrPort, io.Closer, error) {
	family, address := sockaddr(at)
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return at, nil, os.NewSyscallError("socket", err)
	}
	held := descriptor(fd)
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		_ = held.Close()
		return at, nil, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, address); err != nil {
		_ = held.Close()
		return at, nil, fmt.Errorf("%v: %w", at, os.NewSyscallError("bind", err))
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		_ = held.Close()
		return at, nil, os.NewSyscallError("getsockname", err)
	}
	return netip.AddrPortFrom(at.Addr(), port(bound)), held, nil
}

// descriptor is an open socket.
type descriptor int

// Close implements [io.Closer].
func (d descriptor) Close() error { return os.NewSyscallError("close", syscall.Close(int(d))) }

func sockaddr(at netip.AddrPort) (family int, address syscall.Sockaddr) {
	if at.Addr().Is4() {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	return syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
}

func port(address syscall.Sockaddr) uint16 {
	switch a := address.(type) {
	case *syscall.SockaddrInet4:
		return uint16(a.Port) //nolint:gosec // a port
	case *syscall.SockaddrInet6:
		return uint16(a.Port) //nolint:gosec // a port
	}
	return 0
}

// reuseAddress lets several consoles receive on one broadcast address.
func reuseAddress(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}); e != nil {
		return e //nolint:wrapcheck // net wraps it
	}
	return os.NewSyscallError("setsockopt", err)
}
