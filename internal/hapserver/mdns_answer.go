package hapserver

import (
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// mdnsReply is an answer that waits for its time.
type mdnsReply struct {
	due      time.Time
	route    mdnsRoute
	units    []mdnsUnit
	id       uint16
	question []dns.Question // of a legacy resolver, which wants it back (RFC 6762 §6.7)
	again    time.Duration  // multicast: records that were sent less than this ago are left out
}

// receive handles one packet. What is malformed, or comes from off the link (RFC 6762 §11), is dropped.
func (d *DNSSD) receive(p mdnsPacket, now time.Time) {
	i := slices.IndexFunc(d.links, func(l mdnsLink) bool { return l.Index == p.link })
	if i < 0 || !d.links[i].reaches(p.from.Addr()) {
		return
	}
	var m dns.Msg
	if m.Unpack(p.data) != nil || m.Opcode != dns.OpcodeQuery || m.Rcode != dns.RcodeSuccess {
		return
	}
	if m.Response {
		if p.from.Port() == d.network.port() {
			d.compare(slices.Concat(m.Answer, m.Extra), now)
		}
		return
	}
	d.compareProbe(m.Ns, now)
	d.answer(&m, d.links[i], p, now)
}

// compare looks for somebody else's use of our names. Our own packets come back to us too, and agree.
func (d *DNSSD) compare(records []dns.RR, now time.Time) {
	for _, s := range slices.Clone(d.services) {
		for _, rr := range records {
			srv, ok := rr.(*dns.SRV)
			if ok && srv.Hdr.Ttl > 0 && !s.leaving && strings.ToLower(srv.Hdr.Name) == s.key && s.contradicts(srv) {
				d.conflict(s, now)
				break
			}
		}
	}
}

// compareProbe settles a probe for a name that we are probing for as well: one of the two waits and looks again (RFC 6762 §8.2).
func (d *DNSSD) compareProbe(wanted []dns.RR, now time.Time) {
	for _, s := range d.services {
		for _, rr := range wanted {
			srv, ok := rr.(*dns.SRV)
			if ok && !s.claimed && !s.leaving && strings.ToLower(srv.Hdr.Name) == s.key && s.losesTo(srv) {
				s.probe(now.Add(mdnsLostTie))
			}
		}
	}
}

// answer queues what we know about a query's questions. An answer with shared records waits 20 to 120 ms, as others may answer
// too (RFC 6762 §6); one that asks for it, and every legacy resolver, is answered alone.
func (d *DNSSD) answer(m *dns.Msg, l mdnsLink, p mdnsPacket, now time.Time) {
	r := mdnsReply{due: now, route: mdnsRoute{l.Index, d.group(p.from.Addr().Is6())}, again: mdnsResend}
	if len(m.Ns) > 0 {
		r.again = mdnsResendProbe
	}
	alone := len(m.Question) > 0
	for _, q := range m.Question {
		alone = alone && q.Qclass&mdnsCacheFlush != 0
		units, shared := d.find(q, l, m.Answer)
		r.units = append(r.units, units...)
		if shared {
			r.due = now.Add(randomDuration(20*time.Millisecond, 120*time.Millisecond))
		}
	}
	if len(r.units) == 0 || len(d.replies) >= mdnsMaxReplies {
		return
	}
	legacy := p.from.Port() != d.network.port()
	if legacy {
		r.id, r.question = m.Id, m.Question
	}
	if legacy || alone && !l.owns(p.from.Addr()) { // a unicast to this host's port 5353 could land in another program's socket
		r.route.to, r.again = p.from, 0
	}
	d.replies = append(d.replies, r)
}

// find collects the answers to one question, less those that the asker knows. Shared tells that other hosts may have answers too.
func (d *DNSSD) find(q dns.Question, l mdnsLink, known []dns.RR) (units []mdnsUnit, shared bool) {
	name := strings.ToLower(q.Name)
	if class := q.Qclass &^ mdnsCacheFlush; class != dns.ClassINET && class != dns.ClassANY {
		return nil, false
	}
	for _, s := range d.services {
		if !s.claimed || s.leaving {
			continue
		}
		u := s.answer(name, q.Qtype, l)
		u.answers = slices.DeleteFunc(u.answers, func(rr dns.RR) bool { return isKnown(rr, known) })
		if len(u.answers) == 0 {
			continue
		}
		units = append(units, u)
		if name == mdnsMetaKey {
			break // the same record for every service
		}
	}
	return units, name == mdnsTypeKey || name == mdnsMetaKey
}

// answer is what a service says to a question; no answers when it is not asked.
func (s *mdnsService) answer(name string, typ uint16, l mdnsLink) mdnsUnit {
	if name != mdnsTypeKey && name != mdnsMetaKey && name != s.key && name != s.hostKey {
		return mdnsUnit{} // building the records takes a while, and most questions are about others
	}
	r := s.records(l)
	is := func(rr dns.RR) bool { return typ == rr.Header().Rrtype || typ == dns.TypeANY }
	switch name {
	case mdnsTypeKey:
		return mdnsUnit{answers: filter(is, r.ptr), extra: append([]dns.RR{r.srv, r.txt}, r.hosts...)}
	case mdnsMetaKey:
		return mdnsUnit{answers: filter(is, r.meta)}
	case s.key:
		return mdnsUnit{answers: orElse(filter(is, r.srv, r.txt), r.noInstance), extra: r.hosts}
	default:
		return mdnsUnit{answers: orElse(filter(is, r.hosts...), r.noHost)}
	}
}

func filter(keep func(dns.RR) bool, records ...dns.RR) []dns.RR {
	var kept []dns.RR
	for _, rr := range records {
		if keep(rr) {
			kept = append(kept, rr)
		}
	}
	return kept
}

// orElse answers a question for a type that a name of ours does not have with the record that says so (RFC 6762 §6.1).
func orElse(answers []dns.RR, none dns.RR) []dns.RR {
	if len(answers) == 0 && none != nil {
		return []dns.RR{none}
	}
	return answers
}

// isKnown tells whether the asker has a record with at least half of its life left (RFC 6762 §7.1).
func isKnown(rr dns.RR, known []dns.RR) bool {
	return slices.ContainsFunc(known, func(k dns.RR) bool { return dns.IsDuplicate(k, rr) && k.Header().Ttl >= rr.Header().Ttl/2 })
}

// reply sends the answers whose time has come.
func (d *DNSSD) reply(now time.Time) {
	var due []mdnsReply
	d.replies = slices.DeleteFunc(d.replies, func(r mdnsReply) bool {
		if !r.due.After(now) {
			due = append(due, r)
		}
		return !r.due.After(now)
	})
	for _, r := range due {
		if r.again > 0 {
			r.units = d.fresh(r, now)
		}
		for _, m := range messages(r.units) {
			if r.question != nil {
				legacyForm(m, r)
			} else {
				flush(m)
			}
			d.send(m, r.route)
		}
	}
}

// fresh leaves out what was multicast a moment ago: a flood of questions makes no flood of answers.
func (d *DNSSD) fresh(r mdnsReply, now time.Time) []mdnsUnit {
	const plenty = 1 << 12
	if len(d.sent) > plenty {
		clear(d.sent)
	}
	for i := range r.units {
		u := &r.units[i]
		u.answers = slices.DeleteFunc(u.answers, func(rr dns.RR) bool {
			k := mdnsSent{r.route, rr.String()}
			last, ok := d.sent[k]
			if ok && now.Sub(last) < r.again {
				return true
			}
			d.sent[k] = now
			return false
		})
	}
	return slices.DeleteFunc(r.units, func(u mdnsUnit) bool { return len(u.answers) == 0 })
}

// legacyForm makes a response readable for a resolver that speaks plain DNS (RFC 6762 §6.7).
func legacyForm(m *dns.Msg, r mdnsReply) {
	m.Id, m.Question = r.id, r.question
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		rr.Header().Ttl = min(rr.Header().Ttl, mdnsLegacyTTL)
	}
}
