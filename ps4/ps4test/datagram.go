package ps4test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
)

// serveUDP calls handle, with the lock held, for each datagram that arrives on
// a socket until it is closed. handle returns the datagram for the trace, or ""
// to leave it out, and how it was treated if not as its client wanted.
func (c *Console) serveUDP(socket net.PacketConn, handle func(netip.AddrPort, []byte) (what, outcome string)) {
	buf := make([]byte, ddp.MaxDatagram+1) // more than a packet of a stream has
	for {
		n, from, err := socket.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // an ICMP error about an earlier reply
			continue
		}
		var what, outcome string
		c.update(func() { what, outcome = handle(addrPort(from), buf[:n]) })
		if what != "" {
			c.trace(from, socket.LocalAddr(), what, outcome)
		}
	}
}

// requestLocked handles a request of the discovery protocol.
func (c *Console) requestLocked(from netip.AddrPort, datagram []byte) (what, outcome string) {
	n := &c.log.counters
	n.Datagrams++
	request, err := ddp.ParseRequest(datagram)
	what = fields(request.Method, "credential", request.Credential, "client-type", request.ClientType,
		"auth-type", request.AuthType, "version", request.Version)
	if err != nil {
		what = fmt.Sprintf("datagram of %d bytes", len(datagram))
	}
	switch {
	case c.power.deaf || use(&c.faults.LoseRequests):
		n.DatagramsLost++
		return what, "lost"
	case err != nil:
		n.BadDatagrams++
		return what, err.Error()
	case request.Method == ddp.Search:
		n.Searches++
		c.answerLocked(from)
	case request.Method == ddp.Wakeup:
		n.Wakeups++
		if !c.accepts(request) && !c.acceptsRemotePlay(request) || !c.wakeLocked() {
			n.WakeupsIgnored++
			return what, "ignored"
		}
	case request.Method == ddp.Launch:
		n.Launches++
		if !c.accepts(request) || !c.launchLocked() {
			n.LaunchesIgnored++
			return what, "ignored"
		}
	}
	return what, ""
}

// accepts reports whether a WAKEUP or LAUNCH carries the credential of an
// account on this PS4. ps4-waker's LAUNCH has neither client-type nor
// auth-type, and consoles obey it; Remote Play's auth-type is R
// (docs/protocol.md §2).
func (c *Console) accepts(r ddp.Request) bool {
	return c.cfg.HostType == ps4.TypePS4 && (r.AuthType == ddp.AuthCode || r.AuthType == "") && c.knows(credentialOf(r.Credential))
}

// answerLocked sends the status, after the delay of the faults.
func (c *Console) answerLocked(to netip.AddrPort) {
	if use(&c.faults.LoseReplies) {
		c.log.counters.RepliesLost++
		return
	}
	datagrams := [][]byte{c.reply().Marshal()}
	if c.faults.GarbageDDP {
		datagrams = append([][]byte{ // that clients must drop (docs/protocol.md §1)
			{},
			{0xff, 0xfe, 0x00},
			[]byte("HTTP/1.1 200 Ok\nhost-type:PS4\n"),
			[]byte("HTTP/1.1 500 No\nhost-id:000000000000\n"),
			make([]byte, 4096),
		}, datagrams...)
	}
	c.afterLocked(c.faults.Delay, func() {
		c.log.counters.Replies++
		// Real consoles send every reply from a fresh port (docs/protocol.md §1).
		socket, err := c.net.packet(netip.AddrPortFrom(c.udpAddr.Addr(), 0), false)
		if err == nil {
			defer socket.Close()
			for _, datagram := range datagrams { // the last one is the status
				_, err = socket.WriteTo(datagram, net.UDPAddrFromAddrPort(to))
			}
		}
		if err != nil {
			c.cfg.Logf("simulated console %s: reply: %v", c.cfg.Name, err)
		}
	})
}

// reply returns the console's status.
func (c *Console) reply() ddp.Reply {
	r := ddp.Reply{
		Code:          ddp.CodeStandby,
		HostID:        c.cfg.HostID,
		HostType:      c.cfg.HostType,
		HostName:      c.cfg.Name,
		RequestPort:   c.tcpAddr.Port(),
		Version:       ddp.Version,
		SystemVersion: c.cfg.SystemVersion,
	}
	if c.power.awake {
		r.Code = ddp.CodeAwake
		r.AppName, r.TitleID = c.titles.running.Name, c.titles.running.ID
	}
	if c.cfg.HostType == ps4.TypePS5 {
		r.Version, r.AppName, r.TitleID = ddp.VersionPS5, "", ""
	}
	return r
}
