package main

import (
	"net"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"github.com/ps4kit/ps4kit/test/netns"
)

// announcements records when each port was first announced by multicast DNS.
type announcements struct {
	conn *ipv4.PacketConn
	done chan struct{}

	mu    sync.Mutex
	ports []uint16
	at    time.Time // when the last of ports was added
}

func listenAnnouncements() (*announcements, error) {
	ifi, err := net.InterfaceByName(netns.Interface)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenMulticastUDP("udp4", ifi, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353})
	if err != nil {
		return nil, err
	}
	p := ipv4.NewPacketConn(conn)
	if err := p.SetMulticastLoopback(true); err != nil {
		return nil, err
	}
	a := &announcements{conn: p, done: make(chan struct{})}
	go a.read()
	return a, nil
}

func (a *announcements) close() {
	_ = a.conn.Close()
	<-a.done
}

func (a *announcements) read() {
	defer close(a.done)
	buf := make([]byte, 9000)
	for {
		n, _, _, err := a.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dns.Msg
		if m.Unpack(buf[:n]) != nil || !m.Response {
			continue
		}
		a.mu.Lock()
		for _, r := range slices.Concat(m.Answer, m.Extra) {
			srv, ok := r.(*dns.SRV)
			if ok && srv.Hdr.Ttl > 0 && !slices.Contains(a.ports, srv.Port) { // TTL 0 is a goodbye
				a.ports, a.at = append(a.ports, srv.Port), time.Now()
			}
		}
		a.mu.Unlock()
	}
}

// forget starts over, before a server starts.
func (a *announcements) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ports = nil
}

// has reports whether every port is announced.
func (a *announcements) has(ports []uint16) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !slices.ContainsFunc(ports, func(p uint16) bool { return !slices.Contains(a.ports, p) })
}

// last returns when the last port was announced.
func (a *announcements) last() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}
