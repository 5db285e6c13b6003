package mdns

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

const (
	denInstance = `Den._hap._tcp.local.`
	denHost     = "hap-a3fb3d4d2eac.local."
	neighbour   = "192.0.2.9:5353"
)

func den() Service {
	return Service{Name: "Den", Type: "_hap._tcp", Host: "hap-A3FB3D4D2EAC", Port: 20001, Text: map[string]string{"md": "PS4", "c#": "7", "sf": "1"}}
}

func eth0() link { return newTestLink(2, "eth0", "192.0.2.5/24") }

// inBubble runs a test on a fake clock with a responder on a fake network.
func inBubble(t *testing.T, n *fakeNet, test func(*testing.T, *Responder, *fakeNet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n.start = time.Now()
		r := New(&Options{network: n, Log: testLog{t}})
		defer func() {
			r.Close()
			r.Close()
		}()
		test(t, r, n)
	})
}

// testLog writes to a test's log.
type testLog struct{ t *testing.T }

func (l testLog) Debugf(format string, args ...any) { l.t.Logf("debug: "+format, args...) }
func (l testLog) Infof(format string, args ...any)  { l.t.Logf("info: "+format, args...) }
func (l testLog) Warnf(format string, args ...any)  { l.t.Logf("warn: "+format, args...) }
func (l testLog) Errorf(format string, args ...any) { l.t.Logf("error: "+format, args...) }

func publish(t *testing.T, r *Responder, s Service) Publication {
	t.Helper()
	p, err := r.Publish(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// after lets fake time pass and everything that it brings happen.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestPublishProbesThenAnnounces(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		den := publish(t, r, den())
		if den.Published() {
			t.Error("published before it is announced")
		}
		after(10 * time.Second)
		if !den.Published() {
			t.Error("not published after it was announced")
		}
		sent := n.take()
		p, a := probes(sent), responses(sent)
		if len(p) != 3 || len(a) != 3 {
			t.Fatalf("%d probes and %d announcements, want 3 and 3", len(p), len(a))
		}
		for i, m := range p {
			if m.Question[0].Name != denInstance || m.Question[0].Qtype != dns.TypeANY || len(m.Ns) != 1 || m.Id != 0 {
				t.Errorf("probe %d: %v", i, m.Msg)
			}
			if gap := m.at - p[0].at; gap != time.Duration(i)*250*time.Millisecond {
				t.Errorf("probe %d comes %v after the first", i, gap)
			}
		}
		for i, want := range []time.Duration{0, time.Second, 3 * time.Second} {
			if gap := a[i].at - p[2].at - 250*time.Millisecond; gap != want {
				t.Errorf("announcement %d comes %v after the first, want %v", i, gap, want)
			}
		}
		if a[0].at > time.Second {
			t.Errorf("announced only after %v", a[0].at)
		}
		checkAnnouncement(t, a[0])
	})
}

func checkAnnouncement(t *testing.T, m sentMessage) {
	t.Helper()
	want := []string{
		"_hap._tcp.local. 450 IN PTR " + denInstance,
		denInstance + " 120 IN SRV 0 0 20001 " + denHost,
		denInstance + ` 450 IN TXT "c#=7" "md=PS4" "sf=1"`,
		denHost + " 120 IN A 192.0.2.5",
	}
	if got := m.lines(); !slices.Equal(got, want) {
		t.Errorf("announced\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !m.Authoritative || m.Id != 0 || len(m.Question) != 0 || m.route.to.String() != "224.0.0.251:5353" || m.route.link != 2 {
		t.Errorf("header or route: %v %v", m.Msg, m.route)
	}
	for _, rr := range m.Answer {
		if flush := rr.Header().Class&topBit != 0; flush == (rr.Header().Rrtype == dns.TypePTR) {
			t.Errorf("cache flush bit is %v: %v", flush, rr)
		}
	}
}

func TestPublishUpdate(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		h := publish(t, r, den())
		after(time.Minute)
		n.take()
		h.Update(map[string]string{"c#": "8", "sf": "0"})
		after(time.Millisecond)
		sent := n.take()
		if len(sent) != 1 || !sent[0].Response {
			t.Fatalf("%d packets right after the update, want the announcement", len(sent))
		}
		text := strings.Join(sent[0].lines(), "\n")
		for _, want := range []string{`"sf=0"`, `"c#=8"`, denInstance, "SRV 0 0 20001 " + denHost} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		after(10 * time.Second)
		for _, m := range n.take() {
			if strings.Contains(strings.Join(m.lines(), "\n"), "sf=1") || len(m.Answer) == 0 || m.Answer[0].Header().Ttl == 0 {
				t.Errorf("after the update: %v", m.Msg)
			}
		}
	})
}

// An update must not cut the probes short.
func TestPublishUpdateWhileProbing(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		h := publish(t, r, den())
		h.Update(map[string]string{"sf": "0"})
		after(10 * time.Second)
		sent := n.take()
		if len(probes(sent)) != 3 || !strings.Contains(strings.Join(responses(sent)[0].lines(), " "), `"sf=0"`) {
			t.Errorf("%d probes, then %v", len(probes(sent)), responses(sent)[0].lines())
		}
	})
}

func goodbyes(sent []sentMessage, instance string) int {
	count := 0
	for _, m := range sent {
		for _, rr := range m.Answer {
			if ptr, ok := rr.(*dns.PTR); ok && ptr.Ptr == instance && ptr.Hdr.Ttl == 0 {
				count++
			}
		}
	}
	return count
}

func TestPublishGoodbye(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0(), newTestLink(3, "eth1", "198.51.100.7/24")), func(t *testing.T, r *Responder, n *fakeNet) {
		h := publish(t, r, den())
		after(time.Minute)
		n.take()
		before := time.Now()
		h.Close()
		if got := goodbyes(n.take(), denInstance); got != 2 || time.Since(before) != 0 {
			t.Errorf("%d goodbyes when Close returned after %v, want one on each link at once", got, time.Since(before))
		}
		h.Close()
		after(time.Second)
		if got := goodbyes(n.take(), denInstance); got != 2 {
			t.Errorf("%d repeated goodbyes, want 2", got)
		}
		n.hear(t, 2, neighbour, question("_hap._tcp.local.", dns.TypePTR))
		h.Update(den().Text)
		after(time.Minute)
		if sent := n.take(); len(sent) != 0 {
			t.Errorf("after the goodbye: %v", sent[0].Msg)
		}
	})
}

func TestPublishrClose(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		other := den()
		other.Name, other.Host = "Attic", "hap-a3fb3d4d2ead"
		handles := []Publication{publish(t, r, den()), publish(t, r, other)}
		after(time.Minute)
		n.take()
		r.Close()
		sent := n.take()
		for _, name := range []string{denInstance, "Attic._hap._tcp.local."} {
			if got := goodbyes(sent, name); got != 2 {
				t.Errorf("%d goodbyes for %s, want 2", got, name)
			}
		}
		for _, h := range handles {
			h.Update(den().Text)
			h.Close()
			if h.Published() {
				t.Error("published after the responder is closed")
			}
		}
		if _, err := r.Publish(den()); !errors.Is(err, ErrClosed) {
			t.Errorf("Publish after Close: %v", err)
		}
	})
}

// A service that was not announced yet needs no goodbye.
func TestPublishCloseWhileProbing(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		h := publish(t, r, den())
		after(600 * time.Millisecond)
		h.Close()
		after(time.Minute)
		if r := responses(n.take()); len(r) != 0 {
			t.Errorf("sent %v", r[0].Msg)
		}
	})
}
