package mdns

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	domain     = ".local."
	metaName   = "_services._dns-sd._udp" + domain // RFC 6763 §9
	maxLabel   = 63
	renameWait = 5 * time.Second // between two renames of a service, as RFC 6762 §8.1 asks after 15 of them
	returnWait = time.Minute     // before each attempt to return to the original name

	// RFC 6762 §10 suggests 4500 s for records without a host; less lets
	// readers forget a server that died sooner.
	ttl     = 450
	hostTTL = 120
)

// service is a published service. It takes one step for each probe and
// announcement. Every change of network, name or text sends it back.
type service struct {
	Service
	r        *Responder
	instance string // full names as package dns reads them from a packet
	typeName string
	hostName string
	renames  int
	claimed  bool // the probes succeeded: questions are answered
	leaving  bool // the first goodbye is sent
	step     int
	due      time.Time // of the next step; zero if there is none
	renamed  time.Time // last
	returns  *service  // not nil: this one only probes for the original name of that service
}

// Update implements Publication.
func (s *service) Update(text map[string]string) {
	s.r.do(func() {
		s.Text = text
		if !s.leaving && !s.probing() {
			s.step, s.due = numProbes, time.Now() // announce again
		}
	})
}

// Published implements Publication.
func (s *service) Published() (published bool) {
	s.r.do(func() { published = s.claimed && !s.leaving && s.r.wire != nil })
	return published
}

// Close implements Publication.
func (s *service) Close() {
	s.r.do(func() {
		r := s.r
		r.services = slices.DeleteFunc(r.services, func(o *service) bool { return o.returns == s })
		i := slices.Index(r.services, s)
		switch {
		case i < 0 || s.leaving:
		case s.claimed && r.wire != nil:
			s.leaving, s.due = true, time.Now().Add(goodbyeRepeat)
			r.announce([]*service{s})
		default:
			r.services = slices.Delete(r.services, i, i+1)
		}
	})
}

// probe starts over with the first probe. A claimed service still answers
// meanwhile.
func (s *service) probe(at time.Time) {
	if !s.leaving {
		s.step, s.due = 0, at
	}
}

func (s *service) probing() bool { return s.step < numProbes }

// setName sets the name for the number of renames: "Den", "Den (2)", and so on.
func (s *service) setName() {
	suffix := ""
	if s.renames > 0 {
		suffix = fmt.Sprintf(" (%d)", s.renames+1)
	}
	name := strings.ToValidUTF8(s.Name[:min(len(s.Name), maxLabel-len(suffix))], "") // without half a rune at the end
	name = cmp.Or(strings.TrimSpace(name), "Unnamed") + suffix                       // an empty name cannot be published
	// Escape the name as package dns does when it reads a packet: "Küche" is
	// `K\195\188che.`.
	label, _, _ := dns.UnpackDomainName(slices.Concat([]byte{byte(len(name))}, []byte(name), []byte{0}), 0) // cannot fail
	s.typeName = s.Type + domain
	s.hostName = strings.ToLower(s.Host) + domain
	s.instance = label + s.typeName
}

func header(name string, typ uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: typ, Class: dns.ClassINET, Ttl: ttl}
}

// The methods that make records make new ones, which the caller may change.

func (s *service) ptr() dns.RR {
	return &dns.PTR{Hdr: header(s.typeName, dns.TypePTR, ttl), Ptr: s.instance}
}

func (s *service) meta() dns.RR {
	return &dns.PTR{Hdr: header(metaName, dns.TypePTR, ttl), Ptr: s.typeName}
}

func (s *service) srv() *dns.SRV {
	return &dns.SRV{Hdr: header(s.instance, dns.TypeSRV, hostTTL), Port: s.Port, Target: s.hostName}
}

func (s *service) txt() dns.RR {
	txt := []string{}
	for key, value := range s.Text {
		txt = append(txt, strings.ReplaceAll(key+"="+value, `\`, `\\`))
	}
	if len(txt) == 0 {
		txt = []string{""} // RFC 6763 §6.1
	}
	slices.Sort(txt)
	return &dns.TXT{Hdr: header(s.instance, dns.TypeTXT, ttl), Txt: txt}
}

// addresses returns the A and AAAA records for a link.
func (s *service) addresses(l link) (records []dns.RR) {
	for _, p := range l.Prefixes {
		if ip := p.Addr(); ip.Is4() {
			records = append(records, &dns.A{Hdr: header(s.hostName, dns.TypeA, hostTTL), A: ip.AsSlice()})
		} else {
			records = append(records, &dns.AAAA{Hdr: header(s.hostName, dns.TypeAAAA, hostTTL), AAAA: ip.AsSlice()})
		}
	}
	return records
}

// noOther returns the record that denies all other types of a name (RFC 6762
// §6.1).
func noOther(name string, types ...uint16) dns.RR {
	return &dns.NSEC{Hdr: header(name, dns.TypeNSEC, ttl), NextDomain: name, TypeBitMap: types}
}

// all returns the records of an announcement.
func (s *service) all(l link) []dns.RR {
	return append([]dns.RR{s.ptr(), s.srv(), s.txt()}, s.addresses(l)...)
}

// rename gives a service the next name that no other service of ours has.
func (r *Responder) rename(s *service) {
	for ; ; s.renames++ {
		s.setName()
		if !r.taken(s) {
			return
		}
	}
}

// taken reports whether another service of ours has the name of s.
func (r *Responder) taken(s *service) bool {
	return slices.ContainsFunc(r.services, func(o *service) bool {
		return o != s && !o.leaving && o.returns == nil && o.named(s.instance)
	})
}

// returnName gives a service its original name back, which t has probed for.
func (r *Responder) returnName(t *service, now time.Time) {
	s := t.returns
	if !s.claimed || r.taken(t) {
		t.probe(now.Add(returnWait))
		return
	}
	old := *s
	old.leaving = true
	r.announce([]*service{&old})
	s.renames, s.renamed = 0, now
	s.setName()
	s.step, s.due = numProbes, now
	r.services = slices.DeleteFunc(slices.Clone(r.services), func(o *service) bool { return o == t })
	r.log.Infof("mdns: the name %s is free again", s.instance)
}

func (s *service) named(instance string) bool { return strings.EqualFold(s.instance, instance) }

// conflict handles another host's SRV record for our name. While we probe, the
// name is taken; later we probe for it again first (RFC 6762 §9). A service that
// was renamed a moment ago waits and probes for the same name again, so that
// forged conflicts cannot drive its name.
func (r *Responder) conflict(s *service, now time.Time) {
	wasProbing, next := s.probing(), s.renamed.Add(renameWait)
	switch {
	case s.returns != nil:
		s.probe(now.Add(returnWait))
		return
	case wasProbing && now.Before(next):
		now = next
	case wasProbing:
		taken := s.instance
		s.renames++
		r.rename(s)
		s.renamed = now
		r.log.Infof("mdns: the name %s is taken; publishing %s", taken, s.instance)
		if !slices.ContainsFunc(r.services, func(o *service) bool { return o.returns == s }) {
			t := &service{Service: s.Service, returns: s} // probes for the original name
			t.setName()
			t.probe(now.Add(returnWait))
			r.services = append(r.services, t)
		}
	}
	s.claimed = false
	s.probe(now)
}

// contradicts reports whether a record is another host's claim to our name.
func (s *service) contradicts(rr dns.RR) bool {
	srv, ok := rr.(*dns.SRV)
	return ok && srv.Hdr.Ttl > 0 && s.named(srv.Hdr.Name) &&
		(srv.Port != s.Port || !strings.EqualFold(srv.Target, s.hostName))
}

// losesTo reports whether a record of another host's probe beats our own, which
// comes first in order (RFC 6762 §8.2.1).
func (s *service) losesTo(rr dns.RR) bool {
	srv, ok := rr.(*dns.SRV)
	return ok && s.named(srv.Hdr.Name) && bytes.Compare(srvData(s.srv()), srvData(srv)) < 0
}

// srvData returns the uncompressed data of a record.
func srvData(rr *dns.SRV) []byte {
	const rootHeader = 11 // of a record whose name is the root
	data := *rr
	data.Hdr.Name, data.Target = ".", strings.ToLower(rr.Target)
	buf := make([]byte, rootHeader+6+256)
	end, err := dns.PackRR(&data, buf, 0, nil, false)
	if err != nil {
		return nil
	}
	return buf[rootHeader:end]
}
