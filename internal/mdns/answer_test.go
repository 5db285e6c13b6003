package mdns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const (
	ptrLine  = "_hap._tcp.local. 450 IN PTR " + denInstance
	srvLine  = denInstance + " 120 IN SRV 0 0 20001 " + denHost
	txtLine  = denInstance + ` 450 IN TXT "c#=7" "md=PS4" "sf=1"`
	aLine    = denHost + " 120 IN A 192.0.2.5"
	aaaaLine = denHost + " 120 IN AAAA 2001:db8::5"
)

// settled runs a test with an announced service on a link with both address
// families.
func settled(t *testing.T, test func(*testing.T, *Responder, *fakeNet)) {
	t.Helper()
	inBubble(t, newFakeNet(newTestLink(2, "eth0", "192.0.2.5/24", "2001:db8::5/64")), func(t *testing.T, r *Responder, n *fakeNet) {
		publish(t, r, den())
		after(time.Minute)
		n.take()
		test(t, r, n)
	})
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		typ    uint16
		answer []string
		extra  []string
	}{
		{"_hap._tcp.local.", dns.TypePTR, []string{ptrLine}, []string{srvLine, txtLine, aLine, aaaaLine}},
		{"_HAP._TCP.LOCAL.", dns.TypeANY, []string{ptrLine}, []string{srvLine, txtLine, aLine, aaaaLine}},
		{"_services._dns-sd._udp.local.", dns.TypePTR, []string{"_services._dns-sd._udp.local. 450 IN PTR _hap._tcp.local."}, nil},
		{denInstance, dns.TypeSRV, []string{srvLine}, []string{aLine, aaaaLine}},
		{"dEN._hap._tcp.local.", dns.TypeTXT, []string{txtLine}, []string{aLine, aaaaLine}},
		{denInstance, dns.TypeANY, []string{srvLine, txtLine}, []string{aLine, aaaaLine}},
		{denInstance, dns.TypeA, []string{denInstance + " 450 IN NSEC " + denInstance + " TXT SRV"}, []string{aLine, aaaaLine}},
		{denHost, dns.TypeA, []string{aLine}, nil},
		{denHost, dns.TypeAAAA, []string{aaaaLine}, nil},
		{denHost, dns.TypeANY, []string{aLine, aaaaLine}, nil},
		{denHost, dns.TypeTXT, []string{denHost + " 450 IN NSEC " + denHost + " A AAAA"}, nil},
	} {
		t.Run(c.name+" "+dns.TypeToString[c.typ], func(t *testing.T) {
			t.Parallel()
			settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
				n.hear(t, 2, neighbour, question(c.name, c.typ))
				after(125 * time.Millisecond)
				sent := n.take()
				if len(sent) != 1 {
					t.Fatalf("%d responses, want 1", len(sent))
				}
				if got, extra := sent[0].lines(), recordLines(sent[0].Extra); !slices.Equal(got, c.answer) || !slices.Equal(extra, c.extra) {
					t.Errorf("answers %q\nextra %q\nwant %q\nextra %q", got, extra, c.answer, c.extra)
				}
				if sent[0].Id != 0 || len(sent[0].Question) != 0 || sent[0].route.to != netip.MustParseAddrPort("224.0.0.251:5353") {
					t.Errorf("header or route: %v to %v", sent[0].Msg, sent[0].route)
				}
			})
		})
	}
}

func TestNotAnswered(t *testing.T) {
	t.Parallel()
	class := question(denHost, dns.TypeA)
	class.Question[0].Qclass = dns.ClassCHAOS
	opcode := question(denHost, dns.TypeA)
	opcode.Opcode = dns.OpcodeUpdate
	for name, c := range map[string]struct {
		link int
		from string
		m    *dns.Msg
	}{
		"another name":         {2, neighbour, question("Attic._hap._tcp.local.", dns.TypeANY)},
		"another service":      {2, neighbour, question("_http._tcp.local.", dns.TypePTR)},
		"our PTR's other type": {2, neighbour, question("_hap._tcp.local.", dns.TypeSRV)},
		"another class":        {2, neighbour, class},
		"another operation":    {2, neighbour, opcode},
		"no question":          {2, neighbour, new(dns.Msg)},
		"off the link":         {2, "203.0.113.9:5353", question(denHost, dns.TypeA)},
		"a link not chosen":    {3, neighbour, question(denHost, dns.TypeA)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
				n.hear(t, c.link, c.from, c.m)
				after(time.Second)
				if sent := n.take(); len(sent) != 0 {
					t.Errorf("answered: %v", sent[0].Msg)
				}
				n.hear(t, 2, neighbour, question(denHost, dns.TypeA))
				after(time.Second)
				if len(n.take()) != 1 {
					t.Error("the next good question is not answered")
				}
			})
		})
	}
}

// Responses must come from port 5353 (RFC 6762 §11), or anyone could take a
// name from us.
func TestForgedResponseIgnored(t *testing.T) {
	t.Parallel()
	settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
		n.hear(t, 2, "192.0.2.9:40000", answerMessage(foreignSRV(denInstance, "other.local.", 1)))
		after(time.Second)
		if sent := n.take(); len(sent) != 0 {
			t.Errorf("reacted: %v", sent[0].Msg)
		}
	})
}

// github.com/brutella/dnssd never answers these: it compares raw bytes with
// escaped ones.
func TestAnswersOddNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Küche", "日本のテレビ", "Kid's Room", "a.b", `back\slash`, "PS4 (2)", "tab\tnewline\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
				a := den()
				a.Name = name
				publish(t, r, a)
				after(10 * time.Second)
				got := instances(n.take())
				if len(got) != 1 {
					t.Fatalf("announced %v", got)
				}
				label := got[0][:len(got[0])-len("._hap._tcp.local.")]
				if plain := unescapeLabel(label); plain != strings.TrimSpace(name) {
					t.Errorf("announced as %q, want %q", plain, name)
				}
				n.hear(t, 2, neighbour, question(got[0], dns.TypeSRV))
				after(time.Second)
				if sent := n.take(); len(sent) != 1 || len(sent[0].Answer) != 1 {
					t.Errorf("%d responses to a question for %s, want 1", len(sent), got[0])
				}
			})
		})
	}
}

// unescapeLabel reads the presentation form of a label (RFC 1035 §5.1).
func unescapeLabel(label string) string {
	var out []byte
	for i := 0; i < len(label); i++ {
		if label[i] != '\\' {
			out = append(out, label[i])
			continue
		}
		var code int
		if n, _ := fmt.Sscanf(label[i+1:min(i+4, len(label))], "%03d", &code); n == 1 && i+3 < len(label) {
			out = append(out, byte(code))
			i += 3
			continue
		}
		i++
		out = append(out, label[i])
	}
	return string(out)
}

func TestAnswerAlone(t *testing.T) {
	t.Parallel()
	settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
		m := question(denInstance, dns.TypeSRV)
		m.Question[0].Qclass |= topBit // "answer me alone"
		n.hear(t, 2, neighbour, m)
		n.hear(t, 2, "192.0.2.5:5353", m) // from this host, where a unicast may reach another program
		after(time.Second)
		sent := n.take()
		if len(sent) != 2 || sent[0].route.to != netip.MustParseAddrPort(neighbour) || sent[1].route.to != netip.MustParseAddrPort("224.0.0.251:5353") {
			t.Errorf("%d responses: %v", len(sent), sent)
		}
	})
}

func TestAnswerLegacyResolver(t *testing.T) {
	t.Parallel()
	settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
		m := question(denInstance, dns.TypeSRV)
		m.Id = 4711
		n.hear(t, 2, "192.0.2.9:40000", m)
		after(time.Second)
		sent := n.take()
		if len(sent) != 1 {
			t.Fatalf("%d responses, want 1", len(sent))
		}
		if r := sent[0]; r.Id != 4711 || len(r.Question) != 1 || r.Question[0] != m.Question[0] || r.route.to.String() != "192.0.2.9:40000" {
			t.Errorf("not a plain DNS answer: %v to %v", r.Msg, r.route)
		}
		for _, rr := range slices.Concat(sent[0].Answer, sent[0].Extra) {
			if h := rr.Header(); h.Ttl > 10 || h.Class != dns.ClassINET {
				t.Errorf("TTL or class: %v", rr)
			}
		}
	})
}

func TestAnswerByFamily(t *testing.T) {
	t.Parallel()
	settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
		n.hear(t, 2, "[fe80::9]:5353", question(denHost, dns.TypeA))
		after(time.Second)
		if sent := n.take(); len(sent) != 1 || sent[0].route.to.String() != "[ff02::fb]:5353" {
			t.Errorf("answered a question over IPv6 with %v", sent)
		}
	})
}

func TestKnownAnswers(t *testing.T) {
	t.Parallel()
	for ttl, answered := range map[uint32]bool{450: false, 225: false, 224: true, 0: true} {
		t.Run(fmt.Sprint(ttl), func(t *testing.T) {
			t.Parallel()
			settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
				m := question("_hap._tcp.local.", dns.TypePTR)
				m.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: "_hap._tcp.local.", Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: ttl}, Ptr: denInstance}}
				n.hear(t, 2, neighbour, m)
				after(time.Second)
				if got := len(n.take()) == 1; got != answered {
					t.Errorf("answered: %v, want %v", got, answered)
				}
			})
		})
	}
}

func TestQuestionFlood(t *testing.T) {
	t.Parallel()
	settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
		for range 2000 {
			n.hear(t, 2, neighbour, question("_hap._tcp.local.", dns.TypePTR))
			after(time.Millisecond)
		}
		after(time.Second)
		if sent := n.take(); len(sent) < 2 || len(sent) > 4 {
			t.Errorf("%d responses to 2,000 questions in 2 s, want one a second", len(sent))
		}
		for range 3 * maxReplies { // all at once, from legacy resolvers, which have no limit of one a second
			n.hear(t, 2, "192.0.2.9:40000", question("_hap._tcp.local.", dns.TypePTR))
		}
		after(time.Second)
		if sent := n.take(); len(sent) == 0 || len(sent) > maxReplies {
			t.Errorf("%d responses to %d questions at once, want at most %d", len(sent), 3*maxReplies, maxReplies)
		}
	})
}

// A packet that asks the same a thousand times gets each record once: an
// attacker could otherwise multiply its traffic, and fill our memory.
func TestRepeatedQuestion(t *testing.T) {
	t.Parallel()
	for from, class := range map[string]uint16{"192.0.2.9:40000": dns.ClassINET, neighbour: dns.ClassINET | topBit} {
		settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
			m := new(dns.Msg)
			for range 500 {
				m.Question = append(m.Question, dns.Question{Name: "_hap._tcp.local.", Qtype: dns.TypePTR, Qclass: class},
					dns.Question{Name: "_HAP._tcp.local.", Qtype: dns.TypeANY, Qclass: class})
			}
			n.hear(t, 2, from, m)
			after(time.Second)
			sent := n.take()
			if len(sent) != 1 || len(sent[0].Answer) != 1 || sent[0].size > messageBytes {
				t.Errorf("%d messages to %s, want one with one answer", len(sent), from)
			}
		})
	}
}

// Probes for our name are answered within their 250 ms, however recent our
// announcement.
func TestProbeIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	settled(t, func(t *testing.T, r *Responder, n *fakeNet) {
		for range 3 {
			m := question(denInstance, dns.TypeANY)
			m.Ns = []dns.RR{foreignSRV(denInstance, "other.local.", 1)}
			n.hear(t, 2, neighbour, m)
			after(time.Millisecond)
			if sent := n.take(); len(sent) != 1 || !slices.Contains(sent[0].lines(), srvLine) {
				t.Errorf("not defended: %v", sent)
			}
			after(249 * time.Millisecond)
		}
	})
}

func TestManyServicesFitPackets(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		const count = 64
		for i := range count {
			a := den()
			a.Name, a.Host, a.Port = fmt.Sprintf("Console %d", i), fmt.Sprintf("hap-%d", i), uint16(20000+i)
			publish(t, r, a)
		}
		after(10 * time.Second)
		all := n.take()
		if got := len(instances(all)); got != count || responses(all)[len(responses(all))-1].at > 6*time.Second {
			t.Errorf("%d services announced", got)
		}
		n.hear(t, 2, neighbour, question("_hap._tcp.local.", dns.TypePTR))
		after(time.Second)
		answers := n.take()
		if got := len(instances(answers)); got != count {
			t.Errorf("%d services answered, want %d", got, count)
		}
		for _, m := range slices.Concat(all, answers) {
			if m.size > 1400 {
				t.Errorf("a message of %d bytes", m.size)
			}
		}
	})
}

// FuzzPacket checks that what goes out is well-formed, small and about our own
// names.
func FuzzPacket(f *testing.F) {
	seed := func(m *dns.Msg) {
		data, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	seed(question("_hap._tcp.local.", dns.TypePTR))
	seed(question(denInstance, dns.TypeANY))
	seed(question("_services._dns-sd._udp.local.", dns.TypePTR))
	seed(answerMessage(foreignSRV(denInstance, "other.local.", 1)))
	probe := question(denInstance, dns.TypeANY)
	probe.Ns = []dns.RR{foreignSRV(denInstance, "other.local.", 1)}
	seed(probe)
	f.Add([]byte{0, 0, 0, 0, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, data []byte) {
		n := newFakeNet(eth0())
		packets := make(chan packet)
		r := &Responder{log: testLog{t}, network: n, links: n.now, wire: n.open(nil, packets), sent: map[sentRecord]time.Time{}}
		s := &service{Service: den(), claimed: true, step: numProbes + numAnnounces}
		r.rename(s)
		r.services = append(r.services, s)
		r.receive(packet{link: 2, from: netip.MustParseAddrPort(neighbour), data: data}, time.Now())
		r.reply(time.Now().Add(time.Hour))
		for _, m := range n.take() {
			if m.size > 1400 || !m.Response || len(m.Answer) == 0 {
				t.Fatalf("sent %d bytes: %v", m.size, m.Msg)
			}
			for _, rr := range m.Answer {
				if name := strings.ToLower(rr.Header().Name); name != strings.ToLower(s.instance) && name != s.hostName && name != "_hap._tcp.local." && name != metaName {
					t.Fatalf("sent a record of %s", name)
				}
			}
		}
	})
}
