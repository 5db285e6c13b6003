package mdns

import (
	"errors"
	"os"
	"syscall"
)

// watch signals changes of interfaces and addresses that the kernel reports
// (rtnetlink(7)).
func (n *sockets) watch() (changed <-chan struct{}, end func()) {
	const flags = syscall.SOCK_CLOEXEC | syscall.SOCK_NONBLOCK
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|flags, syscall.NETLINK_ROUTE)
	if err != nil {
		return nil, func() {}
	}
	socket := os.NewFile(uintptr(fd), "rtnetlink")
	const groups = 1<<(syscall.RTNLGRP_LINK-1) | 1<<(syscall.RTNLGRP_IPV4_IFADDR-1) | 1<<(syscall.RTNLGRP_IPV6_IFADDR-1)
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groups}); err != nil {
		_ = socket.Close()
		return nil, func() {}
	}
	signal, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 64) // the content doesn't matter
		for {
			_, err := socket.Read(buf)
			if err != nil && !errors.Is(err, syscall.ENOBUFS) { // ENOBUFS: some messages were lost
				return
			}
			select {
			case signal <- struct{}{}:
			default:
			}
		}
	}()
	return signal, func() { _ = socket.Close(); <-ended }
}
