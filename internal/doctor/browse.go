package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"github.com/ps4kit/ps4kit/internal/mdns"
)

const (
	mdnsPort    = 5353
	mdnsBytes   = 9000 // RFC 6762 §17
	browseTime  = time.Second
	questions   = 3
	maxServices = 1024
	homekitType = "_hap._tcp.local."
)

// Service is an announced HomeKit accessory.
type Service struct {
	Name     string // of the instance
	DeviceID string // A3:FB:3D:4D:2E:AC; empty if unknown
}

// browse asks a port of the interfaces, of all if there are no names, for HomeKit
// accessories. It is a one-shot resolver: it asks from a port of its own, which
// needs no privileges and leaves port 5353 to others (RFC 6762 §6.7).
func browse(ctx context.Context, names []string, port int, wait time.Duration) ([]Service, error) {
	links, err := mdns.Addresses(names)
	switch {
	case err != nil:
		return nil, err
	case len(links) == 0:
		return nil, errors.New("no network interface supports multicast with IPv4")
	}
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, "udp4", "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	var found []Service
	for range questions { // a datagram may be lost
		if err := ask(ipv4.NewPacketConn(conn), links, port); err != nil {
			return nil, err
		}
		found = listen(ctx, conn, time.Now().Add(wait/questions), found)
		if ctx.Err() != nil {
			return found, context.Cause(ctx)
		}
	}
	return found, nil
}

// ask sends the question to every link, from its own address: the kernel may
// choose that of another interface, and responders drop queries from off the link
// (RFC 6762 §11). It fails if no link accepts the question.
func ask(conn *ipv4.PacketConn, links map[int]netip.Addr, port int) error {
	var question dns.Msg
	question.SetQuestion(homekitType, dns.TypePTR)
	question.RecursionDesired = false
	packet, err := question.Pack()
	if err != nil {
		return err
	}
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: port}
	if err := errors.Join(conn.SetMulticastTTL(255), conn.SetMulticastLoopback(true)); err != nil {
		return err
	}
	sent := false
	for index, from := range links {
		_, e := conn.WriteTo(packet, &ipv4.ControlMessage{IfIndex: index, Src: from.AsSlice()}, group)
		err = errors.Join(err, e)
		sent = sent || e == nil
	}
	if sent {
		return nil
	}
	return err
}

// listen adds the services that answer before the deadline or the end of ctx.
func listen(ctx context.Context, conn net.PacketConn, until time.Time, found []Service) []Service {
	_ = conn.SetReadDeadline(until)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, mdnsBytes)
	for len(found) < maxServices {
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			return found
		}
		for _, s := range services(buf[:n]) {
			if !slices.Contains(found, s) {
				found = append(found, s)
			}
		}
	}
	return found
}

// services parses an answer: a PTR record for each accessory, and the device id
// from its TXT record.
func services(packet []byte) []Service {
	var m dns.Msg
	if m.Unpack(packet) != nil || !m.Response {
		return nil
	}
	ids := map[string]string{}
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		if txt, ok := rr.(*dns.TXT); ok {
			ids[strings.ToLower(txt.Hdr.Name)] = deviceID(txt.Txt)
		}
	}
	var list []Service
	for _, rr := range m.Answer {
		if ptr, ok := rr.(*dns.PTR); ok && strings.EqualFold(ptr.Hdr.Name, homekitType) {
			list = append(list, Service{strings.TrimSuffix(ptr.Ptr, "."+homekitType), ids[strings.ToLower(ptr.Ptr)]})
		}
	}
	return list
}

func deviceID(texts []string) string {
	for _, t := range texts {
		if key, value, _ := strings.Cut(t, "="); strings.EqualFold(key, "id") {
			return value
		}
	}
	return ""
}
