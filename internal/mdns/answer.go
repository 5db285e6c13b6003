package mdns

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	resendGap      = time.Second // RFC 6762 §6: a record is multicast at most once a second,
	resendProbeGap = probeGap    // but more often to defend it against a probe
	maxReplies     = 128         // waiting; more questions at once are dropped
	legacyTTL      = 10          // RFC 6762 §6.7
)

// reply is an answer that waits for its time.
type reply struct {
	due      time.Time
	route    route
	groups   []group
	id       uint16
	question []dns.Question // to repeat to a legacy resolver (RFC 6762 §6.7)
	resend   time.Duration  // leave out what was sent less than this ago
}

// receive handles one packet. It drops what is malformed or comes from off the
// link (RFC 6762 §11).
func (r *Responder) receive(p packet, now time.Time) {
	i := slices.IndexFunc(r.links, func(l link) bool { return l.Index == p.link })
	if i < 0 || !r.links[i].reaches(p.from.Addr()) {
		return
	}
	var m dns.Msg
	if m.Unpack(p.data) != nil || m.Opcode != dns.OpcodeQuery || m.Rcode != dns.RcodeSuccess {
		return
	}
	if !m.Response {
		// If another host probes for a name that we are probing for, the loser
		// waits and probes again (RFC 6762 §8.2).
		for _, s := range r.services {
			if !s.claimed && slices.ContainsFunc(m.Ns, s.losesTo) {
				s.probe(now.Add(lostTieWait))
			}
		}
		r.answer(&m, r.links[i], p, now)
	} else if p.from.Port() == r.network.port() {
		// Our own packets come back too, and contradict nothing.
		records := slices.Concat(m.Answer, m.Extra)
		for _, s := range r.services {
			if !s.leaving && slices.ContainsFunc(records, s.contradicts) {
				r.conflict(s, now)
			}
		}
	}
}

// answer queues the reply to a query, with each record once. Answers with shared
// records wait 20 to 120 ms, as other hosts may answer too (RFC 6762 §6).
func (r *Responder) answer(m *dns.Msg, l link, p packet, now time.Time) {
	legacy := p.from.Port() != r.network.port()
	if legacy {
		m.Question = m.Question[:min(len(m.Question), 1)] // plain DNS allows one
	}
	everyone := groupAddress(p.from.Addr().Is6(), r.network.port())
	q := reply{due: now, route: route{l.Index, everyone}, resend: resendGap}
	if len(m.Ns) > 0 {
		q.resend = resendProbeGap
	}
	unicast, known := true, m.Answer
	for _, question := range m.Question {
		unicast = unicast && question.Qclass&topBit != 0
		for _, s := range r.services {
			if !s.claimed || s.leaving {
				continue
			}
			// Leave out what the querier has with at least half of its life left
			// (RFC 6762 §7.1), and what this reply has already.
			g := s.answer(question, l)
			g.answers = slices.DeleteFunc(g.answers, func(rr dns.RR) bool {
				return slices.ContainsFunc(known, func(k dns.RR) bool {
					return dns.IsDuplicate(k, rr) && k.Header().Ttl >= rr.Header().Ttl/2
				})
			})
			if len(g.answers) == 0 {
				continue
			}
			known, q.groups = append(known, g.answers...), append(q.groups, g)
			if isShared(g.answers[0]) {
				q.due = now.Add(20*time.Millisecond + rand.N(100*time.Millisecond))
			}
		}
	}
	if len(q.groups) == 0 || len(r.replies) >= maxReplies {
		return
	}
	if legacy {
		q.id, q.question = m.Id, m.Question
	}
	if legacy || unicast && !l.owns(p.from.Addr()) { // a unicast to our port 5353 may reach another program's socket
		q.route.to, q.resend = p.from, 0
	}
	r.replies = append(r.replies, q)
}

// answer returns a service's answers to a question, or none if it is about
// others.
func (s *service) answer(q dns.Question, l link) group {
	asked := func(records ...dns.RR) []dns.RR {
		return slices.DeleteFunc(records, func(rr dns.RR) bool {
			return q.Qtype != rr.Header().Rrtype && q.Qtype != dns.TypeANY
		})
	}
	var g group
	switch class := q.Qclass &^ topBit; {
	case class != dns.ClassINET && class != dns.ClassANY:
	case strings.EqualFold(q.Name, s.typeName):
		g.answers = asked(s.ptr())
		g.extra = s.all(l)[1:]
	case strings.EqualFold(q.Name, metaName):
		g.answers = asked(s.meta())
	case s.named(q.Name):
		g.answers, g.extra = asked(s.srv(), s.txt()), s.addresses(l)
		if len(g.answers) == 0 {
			g.answers = []dns.RR{noOther(s.instance, dns.TypeTXT, dns.TypeSRV)}
		}
	case strings.EqualFold(q.Name, s.hostName):
		g.answers = asked(s.addresses(l)...)
		if len(g.answers) == 0 {
			var types []uint16
			for _, rr := range s.addresses(l) {
				types = append(types, rr.Header().Rrtype)
			}
			g.answers = []dns.RR{noOther(s.hostName, types...)}
		}
	}
	return g
}

// reply sends the replies that are due.
func (r *Responder) reply(now time.Time) {
	var waiting []reply
	for _, q := range r.replies {
		if q.due.After(now) {
			waiting = append(waiting, q)
			continue
		}
		if q.resend > 0 {
			q.groups = r.fresh(q, now)
		}
		for _, m := range messages(q.groups) {
			if q.question != nil {
				m.Id, m.Question = q.id, q.question
				for _, rr := range slices.Concat(m.Answer, m.Extra) {
					rr.Header().Ttl = min(rr.Header().Ttl, legacyTTL)
				}
			} else {
				setCacheFlush(m)
			}
			r.send(m, q.route)
		}
	}
	r.replies = waiting
}

// fresh leaves out what was multicast a moment ago, so that a flood of
// questions makes no flood of answers.
func (r *Responder) fresh(q reply, now time.Time) []group {
	const plenty = 1 << 12
	if len(r.sent) > plenty {
		clear(r.sent)
	}
	for i := range q.groups {
		g := &q.groups[i]
		g.answers = slices.DeleteFunc(g.answers, func(rr dns.RR) bool {
			k := sentRecord{q.route, rr.String()}
			last, ok := r.sent[k]
			if ok && now.Sub(last) < q.resend {
				return true
			}
			r.sent[k] = now
			return false
		})
	}
	return slices.DeleteFunc(q.groups, func(g group) bool { return len(g.answers) == 0 })
}
