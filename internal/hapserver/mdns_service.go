package hapserver

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brutella/dnssd"
	"github.com/miekg/dns"
)

const (
	mdnsType     = "_hap._tcp"
	mdnsDomain   = "local"
	mdnsTypeKey  = "_hap._tcp.local."
	mdnsMetaKey  = "_services._dns-sd._udp.local." // RFC 6763 §9
	mdnsMaxLabel = 63
)

// mdnsService is one announced server. It goes through mdnsProbes probes and mdnsAnnounces announcements, one for each step; every
// change of the network, of the text or of the name sends it back.
type mdnsService struct {
	a       Announcement
	name    string // the announced instance name
	renames int    // 0: name is as asked for
	key     string // the full instance name as dns.Msg reads it, in lower case
	hostKey string
	claimed bool // probed for with success: queries are answered
	leaving bool // the goodbye has been said once
	step    int
	due     time.Time // of the next step; zero when none is left
}

// probe starts again at the first probe. A service that is claimed goes on answering meanwhile.
func (s *mdnsService) probe(at time.Time) {
	if s.leaving {
		return
	}
	s.step, s.due = 0, at
}

func (s *mdnsService) probing() bool { return s.step < mdnsProbes }

// update takes a new text over, and announces it if the service is past its probes.
func (s *mdnsService) update(a Announcement, now time.Time) {
	a.Name, a.Port, a.DeviceID = s.a.Name, s.a.Port, s.a.DeviceID
	s.a = a
	if !s.leaving && !s.probing() {
		s.step, s.due = mdnsProbes, now
	}
}

// host is unique for each server, as its device id is: another program on this machine (avahi) owns the machine's own name, and
// its addresses would contradict ours where not all interfaces are chosen.
func (s *mdnsService) host() string {
	return "hap-" + strings.ToLower(strings.ReplaceAll(s.a.DeviceID, ":", ""))
}

// setName makes the n-th candidate the service's name: "Den", "Den (2)", and so on.
func (s *mdnsService) setName(n int) {
	suffix := ""
	if n > 0 {
		suffix = fmt.Sprintf(" (%d)", n+1)
	}
	s.name = cutLabel(s.a.Name, mdnsMaxLabel-len(suffix)) + suffix
	r := s.records(mdnsLink{})
	s.key, s.hostKey = strings.ToLower(r.srv.Header().Name), strings.ToLower(r.srv.Target)
}

// cutLabel cuts a name at a rune. An empty name cannot be announced.
func cutLabel(name string, limit int) string {
	name = strings.ToValidUTF8(name, "")
	for len(name) > limit {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name = strings.TrimSpace(name); name == "" {
		return "HAP"
	}
	return name
}

// mdnsRecords are a service's records on one link.
type mdnsRecords struct {
	ptr, meta  *dns.PTR
	srv        *dns.SRV
	txt        *dns.TXT
	hosts      []dns.RR // A and AAAA
	noInstance dns.RR   // says which types the instance name has; nil when that is not known
	noHost     dns.RR
}

// records builds a service's records for a link. They are new ones: the caller may change them.
func (s *mdnsService) records(l mdnsLink) mdnsRecords {
	svc := dnssd.Service{Name: s.name, Type: mdnsType, Domain: mdnsDomain, Host: s.host(), Port: s.a.Port, Text: s.a.text(), IPs: l.ips()}
	r := mdnsRecords{
		ptr:  wireForm(dnssd.PTR(svc)),
		meta: wireForm(dnssd.DNSSDServicesPTR(svc)),
		srv:  wireForm(dnssd.SRV(svc)),
		txt:  wireForm(dnssd.TXT(svc)),
	}
	if len(svc.IPs) == 0 {
		return r
	}
	ifi := &net.Interface{Index: l.Index, Name: l.Name}
	for _, a := range dnssd.A(svc, ifi) {
		r.hosts = append(r.hosts, a)
	}
	for _, aaaa := range dnssd.AAAA(svc, ifi) {
		r.hosts = append(r.hosts, aaaa)
	}
	r.noInstance, r.noHost = wireForm(dnssd.NSEC(r.ptr, svc, ifi)), wireForm(dnssd.NSEC(r.srv, svc, ifi))
	return r
}

// all are the records that an announcement and a goodbye carry.
func (r mdnsRecords) all() []dns.RR {
	return append([]dns.RR{r.ptr, r.srv, r.txt}, r.hosts...)
}

// wireForm returns a record as it reads after a trip over the network. dnssd writes names as they are, package dns reads bytes
// outside ASCII as \ddd: without this no question for "Küche" would find its service.
func wireForm[T dns.RR](rr T) T {
	buf := make([]byte, dns.Len(rr)+1)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return rr
	}
	read, _, err := dns.UnpackRR(buf[:end], 0)
	if err != nil {
		return rr
	}
	return read.(T)
}

// rename gives a service the next name that no other service here has.
func (d *DNSSD) rename(s *mdnsService) {
	for ; ; s.renames++ {
		s.setName(s.renames)
		if !slices.ContainsFunc(d.services, func(o *mdnsService) bool { return o != s && !o.leaving && o.key == s.key }) {
			return
		}
	}
}

// conflict is what another host's SRV record for our name means: while probing the name is taken, later it has to be probed for
// again (RFC 6762 §9).
func (d *DNSSD) conflict(s *mdnsService, now time.Time) {
	wasProbing := s.probing()
	s.claimed = false
	if !wasProbing {
		s.probe(now)
		return
	}
	taken := s.name
	s.renames++
	d.rename(s)
	d.logf("mdns: the name %q is taken on this network; announcing %q", taken, s.name)
	if s.renames >= mdnsManyRenames {
		now = now.Add(mdnsRenameWait)
	}
	s.probe(now)
}

// losesTo tells whether our SRV record comes before another's, which then wins a simultaneous probe (RFC 6762 §8.2.1).
func (s *mdnsService) losesTo(other *dns.SRV) bool {
	return bytes.Compare(srvData(s.records(mdnsLink{}).srv), srvData(other)) < 0
}

// contradicts tells whether an SRV record under our name is somebody else's.
func (s *mdnsService) contradicts(other *dns.SRV) bool {
	return int(other.Port) != s.a.Port || strings.ToLower(other.Target) != s.hostKey
}

// srvData is a record's data as it is compared: uncompressed.
func srvData(rr *dns.SRV) []byte {
	buf := make([]byte, 6+256)
	copy(buf, []byte{byte(rr.Priority >> 8), byte(rr.Priority), byte(rr.Weight >> 8), byte(rr.Weight), byte(rr.Port >> 8), byte(rr.Port)})
	end, err := dns.PackDomainName(strings.ToLower(rr.Target), buf, 6, nil, false)
	if err != nil {
		return buf[:6]
	}
	return buf[:end]
}

// randomDuration is between low and high: it keeps hosts that were switched on together from speaking together.
func randomDuration(low, high time.Duration) time.Duration {
	return low + rand.N(high-low)
}
