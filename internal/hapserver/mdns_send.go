package hapserver

import (
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

const (
	mdnsCacheFlush   = 1 << 15      // RFC 6762 §10.2: other records of this name and type are old; §18.12: in a question, "answer me alone"
	mdnsMessageBytes = 1200         // records in one message: with headers it fits every link
	mdnsResend       = time.Second  // RFC 6762 §6: a record is multicast at most once a second,
	mdnsResendProbe  = mdnsProbeGap // but to defend it against a probe
	mdnsMaxReplies   = 128          // waiting; a flood of questions is dropped beyond it
	mdnsLegacyTTL    = uint32(10)   // seconds, RFC 6762 §6.7
)

// mdnsUnit is what belongs together in one message: a service's answers and what a reader will ask for next.
type mdnsUnit struct {
	answers, extra []dns.RR
}

// mdnsRoute is where a message goes: a link, and the multicast group of one address family or one host.
type mdnsRoute struct {
	link int
	to   netip.AddrPort
}

// mdnsSent names a record that was multicast on a route.
type mdnsSent struct {
	route  mdnsRoute
	record string
}

// advance does the steps that are due: probes, announcements, second goodbyes.
func (d *DNSSD) advance(now time.Time) {
	if d.wire == nil {
		return
	}
	var probing, announcing, gone []*mdnsService
	for _, s := range d.services {
		switch {
		case s.due.IsZero() || s.due.After(now):
		case s.leaving:
			gone = append(gone, s)
		case s.probing():
			s.step, s.due = s.step+1, now.Add(mdnsProbeGap)
			probing = append(probing, s)
		default:
			s.claimed = true
			s.due = now.Add(mdnsAnnounceGap << (s.step - mdnsProbes))
			if s.step++; s.step == mdnsProbes+mdnsAnnounces {
				s.due = time.Time{}
			}
			announcing = append(announcing, s)
		}
	}
	d.ask(probing)
	d.tell(append(announcing, gone...))
	d.services = slices.DeleteFunc(d.services, func(s *mdnsService) bool { return slices.Contains(gone, s) })
}

// ask sends the probes of services: a question for any record of the name, with the record we mean to have (RFC 6762 §8.1). It asks
// for multicast answers, as a unicast one could land in another program's socket on port 5353. The host name is not probed
// for: it holds the random device id.
func (d *DNSSD) ask(services []*mdnsService) {
	for _, s := range services {
		for _, l := range d.links {
			r := s.records(l)
			m := &dns.Msg{
				Question: []dns.Question{{Name: r.srv.Hdr.Name, Qtype: dns.TypeANY, Qclass: dns.ClassINET}},
				Ns:       []dns.RR{r.srv},
			}
			for _, v6 := range l.families() {
				d.send(m, mdnsRoute{l.Index, d.group(v6)})
			}
		}
	}
}

// tell multicasts all records of services on every link; with a TTL of 0 for those that leave.
func (d *DNSSD) tell(services []*mdnsService) {
	if d.wire == nil {
		return
	}
	for _, l := range d.links {
		var units []mdnsUnit
		for _, s := range services {
			u := mdnsUnit{answers: s.records(l).all()}
			for _, rr := range u.answers {
				if s.leaving {
					rr.Header().Ttl = 0
				}
			}
			units = append(units, u)
		}
		for _, v6 := range l.families() {
			for _, m := range messages(units) {
				flush(m)
				d.send(m, mdnsRoute{l.Index, d.group(v6)})
			}
		}
	}
}

// messages packs units into responses of at most mdnsMessageBytes, or of one unit when that is larger.
func messages(units []mdnsUnit) []*dns.Msg {
	var out []*dns.Msg
	room := 0
	for _, u := range units {
		size := 0
		for _, rr := range slices.Concat(u.answers, u.extra) {
			size += dns.Len(rr)
		}
		if size > room || len(out) == 0 {
			out = append(out, &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Compress: true})
			room = mdnsMessageBytes
		}
		room -= size
		m := out[len(out)-1]
		m.Answer, m.Extra = append(m.Answer, u.answers...), append(m.Extra, u.extra...)
	}
	return out
}

// flush marks the records that are ours alone, so that readers forget older ones. PTR records are shared.
func flush(m *dns.Msg) {
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		if rr.Header().Rrtype != dns.TypePTR {
			rr.Header().Class |= mdnsCacheFlush
		}
	}
}

// send writes a message. A failure is a lost packet, which multicast DNS repeats; the first one is logged. Over IPv6 it is normal:
// an address that has just come up cannot send for a second or two.
func (d *DNSSD) send(m *dns.Msg, r mdnsRoute) {
	b, err := m.Pack()
	if err == nil {
		err = d.wire.send(b, r)
	}
	if err != nil && !d.unsent && r.to.Addr().Is4() {
		d.unsent = true
		d.logf("mdns: sending: %v", err)
	}
}

// group is the multicast group of an address family.
func (d *DNSSD) group(v6 bool) netip.AddrPort {
	group := netip.AddrFrom4([4]byte{224, 0, 0, 251})
	if v6 {
		group = netip.AddrFrom16([16]byte{0: 0xFF, 1: 0x02, 15: 0xFB})
	}
	return netip.AddrPortFrom(group, d.network.port())
}
