package hapserver

import (
	"context"
	"errors"
	"fmt"
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

func den() Announcement {
	return Announcement{Name: "Den", DeviceID: "A3:FB:3D:4D:2E:AC", Model: "PS4", Port: 20001, Category: 31, ConfigNumber: 7, SetupID: "7OSX"}
}

func eth0() mdnsLink { return link(2, "eth0", "192.0.2.5/24") }

// inBubble runs a test on a fake clock with an announcer on a fake network.
func inBubble(t *testing.T, n *fakeNet, test func(*testing.T, *DNSSD, *fakeNet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n.start = time.Now()
		d, err := NewDNSSD(&DNSSDOptions{network: n, Logf: t.Logf})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := errors.Join(d.Close(), d.Close()); err != nil {
				t.Error(err)
			}
		}()
		test(t, d, n)
	})
}

func announce(t *testing.T, d *DNSSD, a Announcement) Announced {
	t.Helper()
	h, err := d.Announce(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// after lets fake time pass and everything that it brings happen.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAnnouncementText(t *testing.T) {
	t.Parallel()
	a := den()
	want := map[string]string{"c#": "7", "ci": "31", "ff": "0", "id": "A3:FB:3D:4D:2E:AC", "md": "PS4", "pv": "1.1", "s#": "1", "sf": "1",
		"sh": "Rnp7Mg=="}
	if got := a.text(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	a.Paired, a.ConfigNumber = true, 0
	if got := a.text(); got["sf"] != "0" || got["c#"] != "1" {
		t.Errorf("paired: sf=%s, c#=%s", got["sf"], got["c#"])
	}
}

func TestAnnounceProbesThenAnnounces(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, d *DNSSD, n *fakeNet) {
		den := announce(t, d, den())
		if den.Known() {
			t.Error("known before it is announced")
		}
		after(10 * time.Second)
		if !den.Known() {
			t.Error("not known after it was announced")
		}
		sent := n.take()
		p, r := probes(sent), responses(sent)
		if len(p) != 3 || len(r) != 3 {
			t.Fatalf("%d probes and %d announcements, want 3 and 3", len(p), len(r))
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
			if gap := r[i].at - p[2].at - 250*time.Millisecond; gap != want {
				t.Errorf("announcement %d comes %v after the first, want %v", i, gap, want)
			}
		}
		if r[0].at > time.Second {
			t.Errorf("announced only after %v", r[0].at)
		}
		checkAnnouncement(t, r[0])
	})
}

func checkAnnouncement(t *testing.T, m sentMessage) {
	t.Helper()
	want := []string{
		"_hap._tcp.local. 450 IN PTR " + denInstance,
		denInstance + " 120 IN SRV 0 0 20001 " + denHost,
		denInstance + ` 450 IN TXT "c#=7" "ci=31" "ff=0" "id=A3:FB:3D:4D:2E:AC" "md=PS4" "pv=1.1" "s#=1" "sf=1" "sh=Rnp7Mg=="`,
		denHost + " 120 IN A 192.0.2.5",
	}
	if got := m.lines(); !slices.Equal(got, want) {
		t.Errorf("announced\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !m.Authoritative || m.Id != 0 || len(m.Question) != 0 || m.route.to.String() != "224.0.0.251:5353" || m.route.link != 2 {
		t.Errorf("header or route: %v %v", m.Msg, m.route)
	}
	for _, rr := range m.Answer {
		if flush := rr.Header().Class&mdnsCacheFlush != 0; flush == (rr.Header().Rrtype == dns.TypePTR) {
			t.Errorf("cache flush bit is %v: %v", flush, rr)
		}
	}
}

func TestAnnounceUpdate(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, d *DNSSD, n *fakeNet) {
		h := announce(t, d, den())
		after(time.Minute)
		n.take()
		a := den()
		a.Name, a.Port, a.Paired, a.ConfigNumber = "Other", 9, true, 8
		h.Update(a)
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

// An update before the probes are through must not cut them short.
func TestAnnounceUpdateWhileProbing(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, d *DNSSD, n *fakeNet) {
		h := announce(t, d, den())
		a := den()
		a.Paired = true
		h.Update(a)
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

func TestAnnounceGoodbye(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0(), link(3, "eth1", "198.51.100.7/24")), func(t *testing.T, d *DNSSD, n *fakeNet) {
		h := announce(t, d, den())
		after(time.Minute)
		n.take()
		before := time.Now()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if got := goodbyes(n.take(), denInstance); got != 2 || time.Since(before) != 0 {
			t.Errorf("%d goodbyes when Close returned after %v, want one on each link at once", got, time.Since(before))
		}
		if err := h.Close(); err != nil {
			t.Error("second Close:", err)
		}
		after(time.Second)
		if got := goodbyes(n.take(), denInstance); got != 2 {
			t.Errorf("%d repeated goodbyes, want 2", got)
		}
		n.hear(t, 2, neighbour, question("_hap._tcp.local.", dns.TypePTR))
		h.Update(den())
		after(time.Minute)
		if sent := n.take(); len(sent) != 0 {
			t.Errorf("after the goodbye: %v", sent[0].Msg)
		}
	})
}

func TestAnnouncerClose(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, d *DNSSD, n *fakeNet) {
		other := den()
		other.Name, other.DeviceID = "Attic", "A3:FB:3D:4D:2E:AD"
		handles := []Announced{announce(t, d, den()), announce(t, d, other)}
		after(time.Minute)
		n.take()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		sent := n.take()
		for _, name := range []string{denInstance, "Attic._hap._tcp.local."} {
			if got := goodbyes(sent, name); got != 2 {
				t.Errorf("%d goodbyes for %s, want 2", got, name)
			}
		}
		for _, h := range handles {
			h.Update(den())
			if err := h.Close(); err != nil {
				t.Error("Close after the announcer's:", err)
			}
		}
		if _, err := d.Announce(t.Context(), den()); !errors.Is(err, errAnnouncerClosed) {
			t.Errorf("Announce after Close: %v", err)
		}
	})
}

// Nobody was told about a service that has not been announced yet.
func TestAnnounceCloseWhileProbing(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, d *DNSSD, n *fakeNet) {
		h := announce(t, d, den())
		after(600 * time.Millisecond)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		if r := responses(n.take()); len(r) != 0 {
			t.Errorf("told the network: %v", r[0].Msg)
		}
	})
}

func TestAnnounceContext(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, d *DNSSD, n *fakeNet) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.Announce(ctx, den()); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		if _, err := d.Announce(ctx, den()); err != nil {
			t.Fatal(err)
		}
		cancel() // bounds the start only
		after(10 * time.Second)
		if r := responses(n.take()); len(r) != 3 {
			t.Errorf("%d announcements after the start's context ended, want 3", len(r))
		}
	})
}
