package mdns

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// instances returns the announced instance names in order of appearance.
func instances(sent []sentMessage) []string {
	var out []string
	for _, m := range responses(sent) {
		for _, rr := range m.Answer {
			if ptr, ok := rr.(*dns.PTR); ok && ptr.Hdr.Ttl > 0 && !slices.Contains(out, ptr.Ptr) {
				out = append(out, ptr.Ptr)
			}
		}
	}
	return out
}

func answerMessage(records ...dns.RR) *dns.Msg {
	return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Answer: records}
}

func TestPublishNameTaken(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		publish(t, r, den())
		after(400 * time.Millisecond)
		n.hear(t, 2, neighbour, answerMessage(foreignSRV("DEN._hap._tcp.local.", "other.local.", 20001)))
		after(10 * time.Second)
		if got := instances(n.take()); !slices.Equal(got, []string{`Den\ \(2\)._hap._tcp.local.`}) {
			t.Errorf("announced %v, want Den (2) only", got)
		}
	})
}

func TestPublishNoConflict(t *testing.T) {
	t.Parallel()
	gone := foreignSRV(denInstance, "other.local.", 1)
	gone.Hdr.Ttl = 0
	for name, m := range map[string]*dns.Msg{
		"our own packet":         answerMessage(foreignSRV(denInstance, strings.ToUpper(denHost), 20001)),
		"another name":           answerMessage(foreignSRV("Attic._hap._tcp.local.", "other.local.", 20001)),
		"another host's goodbye": answerMessage(gone),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
				publish(t, r, den())
				after(400 * time.Millisecond)
				n.hear(t, 2, neighbour, m)
				after(10 * time.Second)
				if got := instances(n.take()); !slices.Equal(got, []string{denInstance}) {
					t.Errorf("announced %v, want Den", got)
				}
			})
		})
	}
}

// RFC 6762 §9: after the announcement, a conflict leads to new probes, and to a
// new name only if the other host defends it.
func TestPublishConflictLater(t *testing.T) {
	t.Parallel()
	for name, defended := range map[string]bool{"defended": true, "not defended": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
				publish(t, r, den())
				after(time.Minute)
				n.take()
				foreign := answerMessage(foreignSRV(denInstance, "other.local.", 1))
				n.hear(t, 2, neighbour, foreign)
				after(time.Millisecond)
				if sent := n.take(); len(probes(sent)) != 1 || len(responses(sent)) != 0 {
					t.Errorf("%d probes and %d responses right after the conflict, want one probe", len(probes(sent)), len(responses(sent)))
				}
				want := denInstance
				if defended {
					want = `Den\ \(2\)._hap._tcp.local.`
					n.hear(t, 2, neighbour, foreign)
				}
				after(10 * time.Second)
				if got := instances(n.take()); !slices.Equal(got, []string{want}) {
					t.Errorf("announced %v, want %s", got, want)
				}
			})
		})
	}
}

// RFC 6762 §8.2: of two hosts that probe together, the one with the lesser
// record waits a second.
func TestPublishSimultaneousProbe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		port uint16
		lost bool
	}{"lost": {20002, true}, "won": {20000, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
				publish(t, r, den())
				after(400 * time.Millisecond)
				n.take()
				probe := question(denInstance, dns.TypeANY)
				probe.Ns = []dns.RR{foreignSRV(denInstance, "other.local.", c.port)}
				n.hear(t, 2, neighbour, probe)
				after(900 * time.Millisecond)
				if quiet := len(n.take()) == 0; quiet != c.lost {
					t.Errorf("quiet for a second: %v, want %v", quiet, c.lost)
				}
				after(10 * time.Second)
				if got := instances(n.take()); !slices.Equal(got, []string{denInstance}) {
					t.Errorf("announced %v, want Den, as no host defends it", got)
				}
			})
		})
	}
}

func TestPublishEqualNamesHere(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		var handles []Publication
		for _, id := range []string{"01", "02", "03"} {
			a := den()
			a.Host = "hap-" + id
			handles = append(handles, publish(t, r, a))
		}
		after(10 * time.Second)
		got := instances(n.take())
		slices.Sort(got)
		if want := []string{denInstance, `Den\ \(2\)._hap._tcp.local.`, `Den\ \(3\)._hap._tcp.local.`}; len(got) != 3 || !subset(want, got) {
			t.Errorf("announced %v, want %v", got, want)
		}
		// The name is free again at once, so a restarted service keeps it.
		handles[0].Close()
		n.take()
		publish(t, r, den())
		after(10 * time.Second)
		if got := instances(n.take()); !slices.Equal(got, []string{denInstance}) {
			t.Errorf("announced %v, want Den again", got)
		}
	})
}

func subset(want, got []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(got, w) })
}

// A host that claims every name we choose must not keep us busy.
func TestPublishEndlessConflicts(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		publish(t, r, den())
		packets := 0
		for range 600 { // a minute
			after(100 * time.Millisecond)
			for _, m := range n.take() {
				packets++
				if !m.Response {
					n.hear(t, 2, neighbour, answerMessage(foreignSRV(m.Question[0].Name, "other.local.", 1)))
				}
			}
		}
		if packets < 10 || packets > 60 {
			t.Errorf("%d packets in a minute against a hostile neighbour", packets)
		}
	})
}

func TestPublishNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Den":                   "Den",
		"":                      "Unnamed",
		" \t ":                  "Unnamed",
		"\xff\xfe":              "Unnamed",
		strings.Repeat("a", 64): strings.Repeat("a", 63),
		strings.Repeat("é", 32): strings.Repeat("é", 31),
		"日本":                    "日本",
	} {
		s := &service{Service: den()}
		s.Name = name
		s.setName()
		if got := unescapeLabel(strings.TrimSuffix(s.instance, "._hap._tcp.local.")); got != want {
			t.Errorf("%q is announced as %q, want %q", name, got, want)
		}
		s.renames = 11
		s.setName()
		if got := unescapeLabel(strings.TrimSuffix(s.instance, "._hap._tcp.local.")); len(got) > maxLabel || !strings.HasSuffix(got, " (12)") {
			t.Errorf("%q renamed to %q (%d bytes)", name, got, len(got))
		}
		if _, ok := dns.IsDomainName(s.instance); !ok {
			t.Errorf("%q gives %q, which is not a domain name", name, s.instance)
		}
	}
}

// A stranger who contests every name drives a service to a new one at most every
// 5 s, and it returns to its own name once the stranger is gone.
func TestPublishForgedConflicts(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		publish(t, r, den())
		var names []string
		var times []time.Duration
		start := time.Now()
		for range 1200 { // a minute
			after(50 * time.Millisecond)
			for _, m := range n.take() {
				if m.Response {
					continue
				}
				name := m.Question[0].Name
				if name != denInstance && !slices.Contains(names, name) {
					names, times = append(names, name), append(times, time.Since(start))
				}
				n.hear(t, 2, neighbour, answerMessage(foreignSRV(name, "other.local.", 1)))
			}
		}
		for i := 1; i < len(times); i++ {
			if gap := times[i] - times[i-1]; gap < renameWait-100*time.Millisecond {
				t.Errorf("%s came %v after the name before", names[i], gap)
			}
		}
		if len(names) < 5 || len(names) > 13 {
			t.Errorf("%d renames in a minute", len(names))
		}
		t.Logf("%d renames in a minute, the last to %s", len(names), names[len(names)-1])
		after(2 * returnWait)
		var last string
		for _, m := range responses(n.take()) {
			if srv, ok := m.Answer[1].(*dns.SRV); ok && srv.Hdr.Ttl > 0 {
				last = srv.Hdr.Name
			}
		}
		if last != denInstance {
			t.Errorf("the name stayed %s", last)
		}
		after(time.Hour)
		if sent := n.take(); len(sent) > 0 {
			t.Errorf("%d packets in an hour with the own name back", len(sent))
		}
	})
}

// While another host has the name, a service keeps its second one and asks for
// its first one once a minute.
func TestPublishNameStaysTaken(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		h := publish(t, r, den())
		probed := 0
		for range 600 {
			after(time.Second / 2)
			for _, m := range n.take() {
				if !m.Response && m.Question[0].Name == denInstance {
					probed++
					n.hear(t, 2, neighbour, answerMessage(foreignSRV(denInstance, "other.local.", 1)))
				}
			}
		}
		if !h.Published() || probed < 4 || probed > 20 {
			t.Errorf("published %v, %d probes for the name in 5 minutes", h.Published(), probed)
		}
		h.Close()
		after(time.Second)
		for _, m := range n.take() {
			for _, rr := range m.Answer {
				if rr.Header().Ttl > 0 || strings.EqualFold(rr.Header().Name, denInstance) {
					t.Errorf("after Close: %v", rr)
				}
			}
		}
		after(time.Hour)
		if sent := n.take(); len(sent) > 0 {
			t.Errorf("%d packets after Close", len(sent))
		}
	})
}
