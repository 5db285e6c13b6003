package mdns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	mdnsPort     = 5353
	hops         = 255  // RFC 6762 §11
	maxPacket    = 9000 // RFC 6762 §17
	maxControl   = 256
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
	// open returns a wire that delivers packets from links, once it has joined
	// them.
	open(links []link, received chan<- packet) wire
	port() uint16
}

type wire interface {
	// join joins the multicast groups on the links, except those that it joined
	// before. It reports whether it joined any, and returns an error while some
	// fail.
	join() (some bool, err error)
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
		l := link{Index: ifi.Index, Name: ifi.Name}
		addrs, _ := ifi.Addrs() // fails if the interface was just removed
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsUnspecified() {
				l.Prefixes = append(l.Prefixes, p)
			}
		}
		if len(l.Prefixes) > 0 {
			slices.SortFunc(l.Prefixes, netip.Prefix.Compare)
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

// Addresses returns an IPv4 address of each link that a Responder would use, by
// the index of the interface.
func Addresses(interfaces []string) (map[int]netip.Addr, error) {
	links, err := (&sockets{names: interfaces}).links()
	found := map[int]netip.Addr{}
	for _, l := range links {
		if i := slices.IndexFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() }); i >= 0 {
			found[l.Index] = l.Prefixes[i].Addr()
		}
	}
	return found, err
}

// socket is a UDP socket of one address family.
type socket struct {
	*net.UDPConn
	join    func(*net.Interface) error // the multicast group
	control func(link int) []byte      // message to send on a link
	link    func(control []byte) int   // that a packet came from; 0: unknown
	joined  map[int]bool               // links
}

// groupAddress returns the multicast group of an address family.
func groupAddress(v6 bool, port uint16) netip.AddrPort {
	if v6 {
		return netip.AddrPortFrom(netip.MustParseAddr("ff02::fb"), port)
	}
	return netip.AddrPortFrom(netip.MustParseAddr("224.0.0.251"), port)
}

// listen opens a socket. Package net lets several programs share the port of a
// multicast address.
func listen(v6 bool, port uint16) (*socket, error) {
	s := &socket{joined: map[int]bool{}}
	group := net.UDPAddrFromAddrPort(groupAddress(v6, port))
	network := "udp4"
	if v6 {
		network = "udp6"
	}
	var err error
	if s.UDPConn, err = net.ListenUDP(network, group); err != nil {
		return nil, err
	}
	if v6 {
		p := ipv6.NewPacketConn(s)
		s.join = func(ifi *net.Interface) error { return p.JoinGroup(ifi, group) }
		s.control = func(link int) []byte { return (&ipv6.ControlMessage{IfIndex: link}).Marshal() }
		s.link = func(control []byte) int {
			var m ipv6.ControlMessage
			_ = m.Parse(control) // leaves 0
			return m.IfIndex
		}
		err = errors.Join(p.SetControlMessage(ipv6.FlagInterface, true), p.SetMulticastLoopback(true),
			p.SetMulticastHopLimit(hops), p.SetHopLimit(hops))
	} else {
		p := ipv4.NewPacketConn(s)
		s.join = func(ifi *net.Interface) error { return p.JoinGroup(ifi, group) }
		s.control = func(link int) []byte { return (&ipv4.ControlMessage{IfIndex: link}).Marshal() }
		s.link = func(control []byte) int {
			var m ipv4.ControlMessage
			_ = m.Parse(control) // leaves 0
			return m.IfIndex
		}
		err = errors.Join(p.SetControlMessage(ipv4.FlagInterface, true), p.SetMulticastLoopback(true),
			p.SetMulticastTTL(hops), p.SetTTL(hops))
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// CheckPort returns an error if this process cannot open the port of multicast
// DNS, because another program has it and doesn't share it.
func CheckPort() error { return checkPort(mdnsPort) }

func checkPort(port uint16) (err error) {
	for _, v6 := range []bool{false, true} {
		s, e := listen(v6, port)
		switch {
		case e == nil:
			_ = s.Close()
		case !errors.Is(e, syscall.EAFNOSUPPORT) && !errors.Is(e, syscall.EADDRNOTAVAIL): // a machine without IPv6
			err = errors.Join(err, e)
		}
	}
	return err
}

// conns are the open sockets.
type conns struct {
	links    []link
	port     uint16
	sockets  map[bool]*socket // IPv6 or not; those that could be opened
	received chan<- packet
	closed   chan struct{}
	wait     sync.WaitGroup
}

func (n *sockets) open(links []link, received chan<- packet) wire {
	return &conns{links: links, port: n.udpPort, sockets: map[bool]*socket{}, received: received, closed: make(chan struct{})}
}

// join joins the multicast group of each family on every link that has the
// family and has not joined yet. It opens the family's socket first.
func (c *conns) join() (some bool, err error) {
	for _, v6 := range []bool{false, true} {
		for _, l := range c.links {
			if !slices.Contains(l.families(), v6) {
				continue
			}
			s := c.sockets[v6]
			if s == nil {
				var e error
				if s, e = listen(v6, c.port); e != nil {
					err = errors.Join(err, e)
					break
				}
				c.sockets[v6] = s
				c.wait.Go(func() { c.receive(s) })
			}
			if s.joined[l.Index] {
				continue
			}
			if e := s.join(&net.Interface{Index: l.Index, Name: l.Name}); e != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", l.Name, e))
				continue
			}
			s.joined[l.Index], some = true, true
		}
	}
	return some, err
}

// receive delivers packets until the sockets are closed.
func (c *conns) receive(s *socket) {
	buf, control := make([]byte, maxPacket), make([]byte, maxControl)
	for {
		n, size, _, from, err := s.ReadMsgUDPAddrPort(buf, control)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // don't spin on a broken socket
			select {
			case <-time.After(readRetry):
			case <-c.closed:
			}
			continue
		}
		source := netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port())
		select {
		case c.received <- packet{link: s.link(control[:size]), from: source, data: slices.Clone(buf[:n])}:
		case <-c.closed:
			return
		}
	}
}

func (c *conns) send(data []byte, r route) error {
	s := c.sockets[r.to.Addr().Is6()]
	if s == nil {
		return nil
	}
	_ = s.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails only on a closed socket
	_, _, err := s.WriteMsgUDPAddrPort(data, s.control(r.link), r.to)
	return err
}

func (c *conns) close() {
	close(c.closed)
	for _, s := range c.sockets {
		_ = s.Close()
	}
	c.wait.Wait()
}
