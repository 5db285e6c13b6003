package mdns

import (
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

const (
	// topBit of a class means "flush the cache" in an answer (RFC 6762 §10.2), and
	// "reply to me alone" in a question (§5.4).
	topBit       = 1 << 15
	messageBytes = 1200 // of records; with headers it fits every link
)

// group is what belongs in one message: answers, and what the reader asks for
// next.
type group struct {
	answers, extra []dns.RR
}

// route is a link, and on it the multicast group of an address family or one
// host.
type route struct {
	link int
	to   netip.AddrPort
}

// sentRecord is a record that was multicast.
type sentRecord struct {
	route  route
	record string
}

// advance takes the steps that are due: probes, announcements, second goodbyes.
func (r *Responder) advance(now time.Time) {
	if r.wire == nil {
		return
	}
	var announcing, gone []*service
	for _, s := range r.services {
		switch {
		case s.due.IsZero() || s.due.After(now):
		case s.leaving:
			gone = append(gone, s)
		case s.probing():
			s.step, s.due = s.step+1, now.Add(probeGap)
			r.sendProbe(s)
		case s.returns != nil:
			r.returnName(s, now)
		default:
			s.claimed = true
			s.due = now.Add(announceGap << (s.step - numProbes))
			if s.step++; s.step == numProbes+numAnnounces {
				s.due = time.Time{}
			}
			announcing = append(announcing, s)
		}
	}
	r.announce(append(announcing, gone...))
	r.services = slices.DeleteFunc(r.services, func(s *service) bool { return slices.Contains(gone, s) })
}

// sendProbe asks for any record of a service's name, and includes the record
// that we mean to publish (RFC 6762 §8.1). It asks for multicast answers, as a
// unicast one may reach another program's socket on port 5353.
func (r *Responder) sendProbe(s *service) {
	m := &dns.Msg{
		Question: []dns.Question{{Name: s.instance, Qtype: dns.TypeANY, Qclass: dns.ClassINET}},
		Ns:       []dns.RR{s.srv()},
	}
	for _, l := range r.links {
		r.multicast(m, l)
	}
}

// announce multicasts all records of services on every link, with a TTL of 0
// for those that are leaving.
func (r *Responder) announce(services []*service) {
	if r.wire == nil {
		return
	}
	for _, l := range r.links {
		var groups []group
		for _, s := range services {
			g := group{answers: s.all(l)}
			for _, rr := range g.answers {
				if s.leaving {
					rr.Header().Ttl = 0
				}
			}
			groups = append(groups, g)
		}
		for _, m := range messages(groups) {
			setCacheFlush(m)
			r.multicast(m, l)
		}
	}
}

// messages packs groups into responses of at most messageBytes, or of one group
// that is larger.
func messages(groups []group) []*dns.Msg {
	var out []*dns.Msg
	room := 0
	for _, g := range groups {
		size := 0
		for _, rr := range slices.Concat(g.answers, g.extra) {
			size += dns.Len(rr)
		}
		if size > room || len(out) == 0 {
			out = append(out, &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Compress: true})
			room = messageBytes
		}
		room -= size
		m := out[len(out)-1]
		m.Answer, m.Extra = append(m.Answer, g.answers...), append(m.Extra, g.extra...)
	}
	return out
}

// isShared reports whether other hosts may have the same kind of record for the
// name, too.
func isShared(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypePTR }

// setCacheFlush marks the records that only we have.
func setCacheFlush(m *dns.Msg) {
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		if !isShared(rr) {
			rr.Header().Class |= topBit
		}
	}
}

// send writes a message. An error counts as a lost packet, which is repeated
// anyway; the first one is logged. Over IPv6 errors are normal for a second or
// two after an address has come up.
func (r *Responder) send(m *dns.Msg, to route) {
	b, err := m.Pack()
	if err == nil {
		err = r.wire.send(b, to)
	}
	if err != nil && !r.unsent && to.to.Addr().Is4() {
		r.unsent = true
		r.log.Warnf("mdns: send: %v", err)
	}
}

// multicast sends a message on a link by each of its address families.
func (r *Responder) multicast(m *dns.Msg, l link) {
	for _, v6 := range l.families() {
		r.send(m, route{l.Index, groupAddress(v6, r.network.port())})
	}
}
