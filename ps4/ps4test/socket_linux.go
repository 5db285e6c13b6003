package ps4test

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"
)

// reservePort binds a TCP port without listening: the port refuses connections
// and no other program can take it while the door is closed. A listener can
// still bind it, because both set SO_REUSEADDR.
func reservePort(at netip.AddrPort) (netip.AddrPort, func(), error) {
	family, address := sockaddr(at)
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return at, nil, os.NewSyscallError("socket", err)
	}
	free := func() { _ = syscall.Close(fd) }
	err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	if err == nil {
		err = os.NewSyscallError("bind", syscall.Bind(fd, address))
	}
	var bound syscall.Sockaddr
	if err == nil {
		bound, err = syscall.Getsockname(fd)
	}
	if err != nil {
		free()
		return at, nil, fmt.Errorf("listen tcp %v: %w", at, err)
	}
	return netip.AddrPortFrom(at.Addr(), port(bound)), free, nil
}

func sockaddr(at netip.AddrPort) (family int, address syscall.Sockaddr) {
	if at.Addr().Is4() {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	return syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
}

func port(address syscall.Sockaddr) uint16 {
	switch a := address.(type) {
	case *syscall.SockaddrInet4:
		return uint16(a.Port)
	case *syscall.SockaddrInet6:
		return uint16(a.Port)
	}
	return 0
}

// reuseAddress lets several consoles receive on one broadcast address.
func reuseAddress(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt", err)
}
