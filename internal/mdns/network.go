package mdns

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
	mdnsPort     = 5353
	hops         = 255  // RFC 6762 §11
	maxPacket    = 9000 // RFC 6762 §17
	writeTimeout = 250 * time.Millisecond
	readRetry    = 100 * time.Millisecond
)

// network is what a Responder needs of the host's network. Tests have their
// own.
type network interface {
	links() ([]link, error)
	// watch signals when links may have changed, until end is called. It
	// returns a nil channel if the system doesn't report changes.
	watch() (changed <-chan struct{}, end func())
	// open joins the multicast groups on the links, and delivers packets until
	// the wire is closed. It may return both a wire and an error if part of it
	// failed.
	open(links []link, received chan<- packet) (wire, error)
	port() uint16
}

type wire interface {
	send(data []byte, r route) error
	close() // returns once nothing is delivered any more
}

// packet is a datagram, and the link that it came from.
type packet struct {
	link int
	from netip.AddrPort
	data []byte
}

// link is a network interface with at least one address.
type link struct {
	Index    int
	Name     string
	Prefixes []netip.Prefix // sorted
}

func newLink(ifi net.Interface, addrs []net.Addr) link {
	l := link{Index: ifi.Index, Name: ifi.Name}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsUnspecified() {
			l.Prefixes = append(l.Prefixes, p)
		}
	}
	slices.SortFunc(l.Prefixes, netip.Prefix.Compare)
	return l
}

func (l link) equal(o link) bool {
	return l.Index == o.Index && l.Name == o.Name && slices.Equal(l.Prefixes, o.Prefixes)
}

func (l link) String() string {
	addrs := make([]string, len(l.Prefixes))
	for i, p := range l.Prefixes {
		addrs[i] = p.Addr().String()
	}
	return l.Name + " (" + strings.Join(addrs, " ") + ")"
}

// families returns false for IPv4, true for IPv6, or both.
func (l link) families() []bool {
	var out []bool
	for _, p := range l.Prefixes {
		if v6 := p.Addr().Is6(); !slices.Contains(out, v6) {
			out = append(out, v6)
		}
	}
	return out
}

func (l link) owns(a netip.Addr) bool {
	return slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Addr() == a })
}

// reaches reports whether an address is on the link.
func (l link) reaches(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// sockets is this host's network.
type sockets struct {
	names   []string // empty: every suitable interface
	udpPort uint16
}

func (n *sockets) port() uint16 { return n.udpPort }

func (n *sockets) links() ([]link, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var links []link
	for _, ifi := range interfaces {
		if !n.uses(ifi) {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // just removed
		}
		if l := newLink(ifi, addrs); len(l.Prefixes) > 0 {
			links = append(links, l)
		}
	}
	return links, nil
}

func (n *sockets) uses(ifi net.Interface) bool {
	if ifi.Flags&net.FlagUp == 0 {
		return false
	}
	if len(n.names) > 0 {
		return slices.Contains(n.names, ifi.Name)
	}
	return ifi.Flags&net.FlagMulticast != 0 && ifi.Flags&(net.FlagLoopback|net.FlagPointToPoint) == 0
}

// socket is a UDP socket of one address family.
type socket struct {
	*net.UDPConn
	join  func(*net.Interface) error // the multicast group
	read  func(buf []byte) (n, link int, from net.Addr, err error)
	write func(data []byte, link int, to net.Addr) error
}

// listen4 opens the IPv4 socket. Package net lets several programs share the
// port of a multicast address.
func listen4(port uint16) (*socket, error) {
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: int(port)}
	conn, err := net.ListenUDP("udp4", group)
	if err != nil {
		return nil, err
	}
	p := ipv4.NewPacketConn(conn)
	err = errors.Join(p.SetControlMessage(ipv4.FlagInterface, true), p.SetMulticastLoopback(true),
		p.SetMulticastTTL(hops), p.SetTTL(hops))
	return &socket{
		UDPConn: conn,
		join:    func(ifi *net.Interface) error { return p.JoinGroup(ifi, group) },
		read: func(buf []byte) (n, link int, from net.Addr, err error) {
			n, cm, from, err := p.ReadFrom(buf)
			if cm != nil {
				link = cm.IfIndex
			}
			return n, link, from, err
		},
		write: func(data []byte, link int, to net.Addr) error {
			_, err := p.WriteTo(data, &ipv4.ControlMessage{IfIndex: link}, to)
			return err
		},
	}, err
}

func listen6(port uint16) (*socket, error) {
	group := &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: int(port)}
	conn, err := net.ListenUDP("udp6", group)
	if err != nil {
		return nil, err
	}
	p := ipv6.NewPacketConn(conn)
	err = errors.Join(p.SetControlMessage(ipv6.FlagInterface, true), p.SetMulticastLoopback(true),
		p.SetMulticastHopLimit(hops), p.SetHopLimit(hops))
	return &socket{
		UDPConn: conn,
		join:    func(ifi *net.Interface) error { return p.JoinGroup(ifi, group) },
		read: func(buf []byte) (n, link int, from net.Addr, err error) {
			n, cm, from, err := p.ReadFrom(buf)
			if cm != nil {
				link = cm.IfIndex
			}
			return n, link, from, err
		},
		write: func(data []byte, link int, to net.Addr) error {
			_, err := p.WriteTo(data, &ipv6.ControlMessage{IfIndex: link}, to)
			return err
		},
	}, err
}

// conns are the open sockets.
type conns struct {
	v4, v6 *socket // nil without a link of the family
	closed chan struct{}
	wait   sync.WaitGroup
}

func (n *sockets) open(links []link, received chan<- packet) (wire, error) {
	c := &conns{closed: make(chan struct{})}
	var err4, err6 error
	c.v4, err4 = n.openFamily(links, false, listen4)
	c.v6, err6 = n.openFamily(links, true, listen6)
	if c.v4 == nil && c.v6 == nil {
		return nil, errors.Join(err4, err6)
	}
	for _, s := range c.all() {
		c.wait.Go(func() { c.receive(s, received) })
	}
	return c, errors.Join(err4, err6)
}

func (c *conns) all() []*socket {
	return slices.DeleteFunc([]*socket{c.v4, c.v6}, func(s *socket) bool { return s == nil })
}

// openFamily opens a socket and joins the multicast group on every link that
// has the family. It returns no socket if it could not join any.
func (n *sockets) openFamily(links []link, v6 bool, listen func(uint16) (*socket, error)) (*socket, error) {
	links = slices.DeleteFunc(slices.Clone(links), func(l link) bool { return !slices.Contains(l.families(), v6) })
	if len(links) == 0 {
		return nil, nil
	}
	s, err := listen(n.udpPort)
	if s == nil {
		return nil, err
	}
	joined := 0
	for _, l := range links {
		if e := s.join(&net.Interface{Index: l.Index, Name: l.Name}); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", l.Name, e))
		} else {
			joined++
		}
	}
	if joined == 0 {
		return nil, errors.Join(err, s.Close())
	}
	return s, err
}

// receive delivers packets until the sockets are closed.
func (c *conns) receive(s *socket, received chan<- packet) {
	buf := make([]byte, maxPacket)
	for {
		n, link, from, err := s.read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		udp, ok := from.(*net.UDPAddr)
		if err != nil || !ok { // don't spin on a broken socket
			select {
			case <-time.After(readRetry):
			case <-c.closed:
			}
			continue
		}
		addr := udp.AddrPort()
		source := netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
		p := packet{link: link, from: source, data: slices.Clone(buf[:n])}
		select {
		case received <- p:
		case <-c.closed:
			return
		}
	}
}

func (c *conns) send(data []byte, r route) error {
	s := c.v4
	if r.to.Addr().Is6() {
		s = c.v6
	}
	if s == nil {
		return nil
	}
	_ = s.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails only on a closed socket
	return s.write(data, r.link, net.UDPAddrFromAddrPort(r.to))
}

func (c *conns) close() {
	close(c.closed)
	for _, s := range c.all() {
		_ = s.Close()
	}
	c.wait.Wait()
}
