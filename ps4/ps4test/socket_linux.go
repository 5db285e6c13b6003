package ps4test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// reserve binds a TCP port without listening: the port refuses connections and no
// other program can take it while the door is closed. A listener can still bind
// it, because both set SO_REUSEADDR. Another simulated console could, too, so
// reserve also binds an abstract Unix socket, which vanishes with the process.
func (realNetwork) reserve(at netip.AddrPort) (netip.AddrPort, func(), error) {
	for try := 0; ; try++ {
		bound, free, err := bindPort(at)
		if err != nil {
			return at, nil, fmt.Errorf("listen tcp %v: %w", at, err)
		}
		lock, err := (&net.ListenConfig{}).ListenPacket(context.Background(), "unixgram", "@ps4test/"+bound.String())
		if err == nil {
			return bound, func() { free(); _ = lock.Close() }, nil
		}
		free()
		if at.Port() != 0 || try == portTries {
			return at, nil, fmt.Errorf("listen tcp %v: %w", bound, errors.Unwrap(err)) // without the name of the Unix socket
		}
	}
}

// bindPort binds a TCP port without listening.
func bindPort(at netip.AddrPort) (netip.AddrPort, func(), error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return at, nil, os.NewSyscallError("socket", err)
	}
	free := func() { _ = syscall.Close(fd) }
	err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	if err == nil {
		err = os.NewSyscallError("bind", syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}))
	}
	var bound syscall.Sockaddr
	if err == nil {
		bound, err = syscall.Getsockname(fd)
	}
	if err != nil {
		free()
		return at, nil, err
	}
	port := bound.(*syscall.SockaddrInet4).Port //nolint:forcetypeassert // of an IPv4 socket
	return netip.AddrPortFrom(at.Addr(), uint16(port)), free, nil
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
