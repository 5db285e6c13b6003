package ps4

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// linkTable knows the networks of this machine. It asks the operating system at
// most once a second, because any machine can send replies by the thousand.
type linkTable struct {
	mu    sync.Mutex
	at    time.Time
	links []link
}

// link is an IPv4 network of an interface that is up.
type link struct {
	name   string
	flags  net.Flags
	prefix netip.Prefix // with this machine's address
}

// load returns the networks of this machine.
func (t *linkTable) load() []link {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.at) < time.Second {
		return t.links
	}
	t.at, t.links = time.Now(), nil
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil || i.Flags&net.FlagUp == 0 {
			continue
		}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
				t.links = append(t.links, link{i.Name, i.Flags, prefix})
			}
		}
	}
	return t.links
}

// onLink reports whether an address is on a network of this machine, without a
// router in between.
func (t *linkTable) onLink(addr netip.Addr) bool {
	return slices.ContainsFunc(t.load(), func(l link) bool { return l.prefix.Contains(addr) })
}

// linkUp reports whether this machine has a working link to an address: a
// route, and an interface with a carrier.
func (t *linkTable) linkUp(addr netip.Addr) bool {
	const discard = 9 // a port; dialing sends nothing
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, discard)))
	if err != nil {
		return false
	}
	local := addrOf(conn.LocalAddr()).Addr()
	_ = conn.Close()
	return slices.ContainsFunc(t.load(), func(l link) bool {
		return l.prefix.Addr() == local && l.flags&net.FlagRunning != 0
	})
}
