package main

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
)

// announcements notes when each port was first announced by multicast DNS.
type announcements struct {
	conn *ipv4.PacketConn
	mu   sync.Mutex
	seen map[uint16]time.Time
	came chan struct{} // a token: something was added
	done chan struct{}
}

func listenAnnouncements() (*announcements, error) {
	ifi, err := net.InterfaceByName(mdnsInterface)
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
	a := &announcements{conn: p, seen: map[uint16]time.Time{}, came: make(chan struct{}, 1), done: make(chan struct{})}
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
		now := time.Now()
		var m dns.Msg
		if m.Unpack(buf[:n]) == nil && m.Response {
			a.note(m.Answer, now)
			a.note(m.Extra, now)
		}
	}
}

// note takes SRV records; one with a lifetime of 0 says goodbye.
func (a *announcements) note(records []dns.RR, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range records {
		srv, ok := r.(*dns.SRV)
		if !ok || srv.Hdr.Ttl == 0 {
			continue
		}
		if _, known := a.seen[srv.Port]; !known {
			a.seen[srv.Port] = now
			select {
			case a.came <- struct{}{}:
			default:
			}
		}
	}
}

// forget begins anew, before a server starts.
func (a *announcements) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.seen)
}

// last waits until every port is announced and returns when the last one was.
func (a *announcements) last(ctx context.Context, ports []uint16) (time.Time, error) {
	for {
		if at, all := a.latest(ports); all {
			return at, nil
		}
		select {
		case <-a.came:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}

func (a *announcements) latest(ports []uint16) (at time.Time, all bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range ports {
		seen, ok := a.seen[p]
		if !ok {
			return at, false
		}
		if seen.After(at) {
			at = seen
		}
	}
	return at, true
}
