package hapserver

import (
	"errors"
	"os"
	"syscall"
)

// watch leaves a token whenever interfaces or addresses may have changed, as the kernel tells (rtnetlink(7)), until end is called.
// No channel: it cannot be had, and links must be asked often.
func (n *mdnsSockets) watch() (changed <-chan struct{}, end func()) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, syscall.NETLINK_ROUTE)
	if err != nil {
		return nil, func() {}
	}
	socket := os.NewFile(uintptr(fd), "rtnetlink")
	const groups = 1<<(syscall.RTNLGRP_LINK-1) | 1<<(syscall.RTNLGRP_IPV4_IFADDR-1) | 1<<(syscall.RTNLGRP_IPV6_IFADDR-1)
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groups}); err != nil {
		_ = socket.Close()
		return nil, func() {}
	}
	tokens, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		news := make([]byte, 64) // what has changed is asked for anew: the rest of a message is lost
		for {
			_, err := socket.Read(news)
			if err != nil && !errors.Is(err, syscall.ENOBUFS) { // which says that some were lost
				return
			}
			select {
			case tokens <- struct{}{}:
			default:
			}
		}
	}()
	return tokens, func() { _ = socket.Close(); <-ended }
}
