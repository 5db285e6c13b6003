package hapserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	mdnsPort         = 5353
	mdnsHops         = 255  // RFC 6762 §11
	mdnsPacketBytes  = 9000 // RFC 6762 §17
	mdnsWriteLimit   = 250 * time.Millisecond
	mdnsReadErrPause = 100 * time.Millisecond
)

// mdnsLink is a network interface as far as announcing goes. Links that are equal need no new sockets.
type mdnsLink struct {
	Index    int
	Name     string
	Prefixes []netip.Prefix // its addresses, sorted; at least one
}

func (l mdnsLink) equal(o mdnsLink) bool {
	return l.Index == o.Index && l.Name == o.Name && slices.Equal(l.Prefixes, o.Prefixes)
}

func (l mdnsLink) String() string {
	addrs := make([]string, len(l.Prefixes))
	for i, p := range l.Prefixes {
		addrs[i] = p.Addr().String()
	}
	return l.Name + " (" + strings.Join(addrs, " ") + ")"
}

// ips are the addresses in the form that package dnssd wants.
func (l mdnsLink) ips() []net.IP {
	ips := make([]net.IP, len(l.Prefixes))
	for i, p := range l.Prefixes {
		ips[i] = p.Addr().AsSlice()
	}
	return ips
}

// families tells which of IPv4 (false) and IPv6 (true) the link has addresses of.
func (l mdnsLink) families() []bool {
	var out []bool
	for _, p := range l.Prefixes {
		if v6 := p.Addr().Is6(); !slices.Contains(out, v6) {
			out = append(out, v6)
		}
	}
	return out
}

func (l mdnsLink) owns(a netip.Addr) bool {
	return slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Addr() == a })
}

// reaches tells whether an address lies on the link: others are none of multicast DNS's business.
func (l mdnsLink) reaches(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// mdnsPacket is a datagram and the link on which it came.
type mdnsPacket struct {
	link int
	from netip.AddrPort
	data []byte
}

// mdnsNetwork is the host's network as the announcer sees it; tests have one of their own.
type mdnsNetwork interface {
	links() ([]mdnsLink, error)
	// watch leaves a token when links may have changed, until end is called. nil: nobody tells.
	watch() (changed <-chan struct{}, end func())
	// open joins the multicast groups on the links and hands over what is received until the wire is closed. A wire beside an error
	// works in part.
	open(links []mdnsLink, received chan<- mdnsPacket) (mdnsWire, error)
	port() uint16
}

type mdnsWire interface {
	send(data []byte, r mdnsRoute) error
	close() // waits until nothing is handed over any more
}

// mdnsSockets is this host's network.
type mdnsSockets struct {
	names   []string // empty: every suitable interface
	udpPort uint16
}

func (n *mdnsSockets) port() uint16 { return n.udpPort }

func (n *mdnsSockets) links() ([]mdnsLink, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var links []mdnsLink
	for _, ifi := range interfaces {
		if !n.chosen(ifi) {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it has just gone
		}
		if l := newMDNSLink(ifi, addrs); len(l.Prefixes) > 0 {
			links = append(links, l)
		}
	}
	return links, nil
}

func (n *mdnsSockets) chosen(ifi net.Interface) bool {
	if ifi.Flags&net.FlagUp == 0 {
		return false
	}
	if len(n.names) > 0 {
		return slices.Contains(n.names, ifi.Name)
	}
	return ifi.Flags&net.FlagMulticast != 0 && ifi.Flags&(net.FlagLoopback|net.FlagPointToPoint) == 0
}

func newMDNSLink(ifi net.Interface, addrs []net.Addr) mdnsLink {
	l := mdnsLink{Index: ifi.Index, Name: ifi.Name}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsUnspecified() {
			l.Prefixes = append(l.Prefixes, p)
		}
	}
	slices.SortFunc(l.Prefixes, netip.Prefix.Compare)
	return l
}

// mdnsConns are the two sockets of an open network; one is nil when the host does not have its family.
type mdnsConns struct {
	v4     *ipv4.PacketConn
	v6     *ipv6.PacketConn
	closed chan struct{}
	wait   sync.WaitGroup
}

func (n *mdnsSockets) open(links []mdnsLink, received chan<- mdnsPacket) (mdnsWire, error) {
	c := &mdnsConns{closed: make(chan struct{})}
	err := errors.Join(c.open4(int(n.udpPort), links), c.open6(int(n.udpPort), links))
	if c.v4 == nil && c.v6 == nil {
		return nil, err
	}
	if c.v4 != nil {
		c.wait.Go(func() { c.receive(c.read4, received) })
	}
	if c.v6 != nil {
		c.wait.Go(func() { c.receive(c.read6, received) })
	}
	return c, err
}

// open4 joins the IPv4 group. Listening on a multicast address, package net lets several programs share the port.
func (c *mdnsConns) open4(port int, links []mdnsLink) error {
	if !anyHas(links, false) {
		return nil
	}
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: port}
	conn, err := net.ListenUDP("udp4", group)
	if err != nil {
		return err
	}
	p := ipv4.NewPacketConn(conn)
	joined, err := joinAll(links, false, func(ifi *net.Interface) error { return p.JoinGroup(ifi, group) })
	if !joined {
		return errors.Join(err, conn.Close())
	}
	c.v4 = p
	return errors.Join(err, p.SetControlMessage(ipv4.FlagInterface, true), p.SetMulticastLoopback(true),
		p.SetMulticastTTL(mdnsHops), p.SetTTL(mdnsHops))
}

func (c *mdnsConns) open6(port int, links []mdnsLink) error {
	if !anyHas(links, true) {
		return nil
	}
	group := &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: port}
	conn, err := net.ListenUDP("udp6", group)
	if err != nil {
		return err
	}
	p := ipv6.NewPacketConn(conn)
	joined, err := joinAll(links, true, func(ifi *net.Interface) error { return p.JoinGroup(ifi, group) })
	if !joined {
		return errors.Join(err, conn.Close())
	}
	c.v6 = p
	return errors.Join(err, p.SetControlMessage(ipv6.FlagInterface, true), p.SetMulticastLoopback(true),
		p.SetMulticastHopLimit(mdnsHops), p.SetHopLimit(mdnsHops))
}

func anyHas(links []mdnsLink, v6 bool) bool {
	return slices.ContainsFunc(links, func(l mdnsLink) bool { return slices.Contains(l.families(), v6) })
}

// joinAll joins a group on every link that has the family; true when that was at least one.
func joinAll(links []mdnsLink, v6 bool, join func(*net.Interface) error) (joined bool, err error) {
	for _, l := range links {
		if !slices.Contains(l.families(), v6) {
			continue
		}
		if e := join(&net.Interface{Index: l.Index, Name: l.Name}); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", l.Name, e))
		} else {
			joined = true
		}
	}
	return joined, err
}

func (c *mdnsConns) read4(buf []byte) (n, link int, from net.Addr, err error) {
	n, cm, from, err := c.v4.ReadFrom(buf)
	if cm != nil {
		link = cm.IfIndex
	}
	return n, link, from, err
}

func (c *mdnsConns) read6(buf []byte) (n, link int, from net.Addr, err error) {
	n, cm, from, err := c.v6.ReadFrom(buf)
	if cm != nil {
		link = cm.IfIndex
	}
	return n, link, from, err
}

// receive hands packets over until the sockets are closed.
func (c *mdnsConns) receive(read func([]byte) (int, int, net.Addr, error), received chan<- mdnsPacket) {
	buf := make([]byte, mdnsPacketBytes)
	for {
		n, link, from, err := read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		udp, ok := from.(*net.UDPAddr)
		if err != nil || !ok {
			c.pause(mdnsReadErrPause)
			continue
		}
		addr := udp.AddrPort()
		p := mdnsPacket{link: link, from: netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port()), data: slices.Clone(buf[:n])}
		select {
		case received <- p:
		case <-c.closed:
			return
		}
	}
}

// pause keeps a socket that fails from using a whole core.
func (c *mdnsConns) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.closed:
	}
}

func (c *mdnsConns) send(data []byte, r mdnsRoute) error {
	to, limit := net.UDPAddrFromAddrPort(r.to), time.Now().Add(mdnsWriteLimit)
	var err error
	switch {
	case r.to.Addr().Is4() && c.v4 != nil:
		_ = c.v4.SetWriteDeadline(limit) // fails only on a closed socket
		_, err = c.v4.WriteTo(data, &ipv4.ControlMessage{IfIndex: r.link}, to)
	case r.to.Addr().Is6() && c.v6 != nil:
		_ = c.v6.SetWriteDeadline(limit)
		_, err = c.v6.WriteTo(data, &ipv6.ControlMessage{IfIndex: r.link}, to)
	}
	return err
}

func (c *mdnsConns) close() {
	close(c.closed)
	if c.v4 != nil {
		_ = c.v4.Close()
	}
	if c.v6 != nil {
		_ = c.v6.Close()
	}
	c.wait.Wait()
}
