package mdns

import (
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Fault: "dnssd joins multicast groups once: started before the network is up,
// it never answers" (docs/homekit.md §6).
func TestPublishLateNetwork(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(), func(t *testing.T, r *Responder, n *fakeNet) {
		publish(t, r, den())
		after(time.Minute)
		if sent := n.take(); len(sent) != 0 || n.opens != 0 {
			t.Fatalf("%d packets, %d opens without a network", len(sent), n.opens)
		}
		n.set(eth0())
		after(5 * time.Second)
		if r := responses(n.take()); len(r) == 0 {
			t.Error("not announced within 5 s of the network coming up")
		}
	})
}

func TestPublishSocketsFailAtFirst(t *testing.T) {
	t.Parallel()
	n := newFakeNet(eth0())
	n.openErr = errNoSocket
	inBubble(t, n, func(t *testing.T, r *Responder, n *fakeNet) {
		publish(t, r, den())
		after(9 * time.Second)
		n.mu.Lock()
		opens := n.opens
		n.openErr = nil
		n.mu.Unlock()
		if opens != 5 {
			t.Errorf("%d attempts in 9 s, want one each 2 s", opens)
		}
		after(5 * time.Second)
		if r := responses(n.take()); len(r) == 0 {
			t.Error("not announced after the sockets could be opened")
		}
	})
}

// Fault: "A records of a renumbered host wait 120 s" (docs/homekit.md §6). The
// flush bit makes readers forget the old address.
func TestPublishRenumbered(t *testing.T) {
	t.Parallel()
	for name, changed := range map[string][]link{
		"renumbered":      {newTestLink(2, "eth0", "198.51.100.7/24")},
		"replaced":        {newTestLink(3, "eth0", "198.51.100.7/24")},
		"another network": {eth0(), newTestLink(3, "wlan0", "198.51.100.7/24")},
		"IPv6 added":      {newTestLink(2, "eth0", "192.0.2.5/24", "2001:db8::7/64")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
				publish(t, r, den())
				after(time.Minute)
				n.take()
				n.set(changed...)
				after(5 * time.Second)
				checkAddresses(t, responses(n.take()), changed)
			})
		})
	}
}

// checkAddresses checks that there is an announcement on each link and family
// with exactly the link's addresses.
func checkAddresses(t *testing.T, sent []sentMessage, links []link) {
	t.Helper()
	for _, l := range links {
		for _, v6 := range l.families() {
			i := slices.IndexFunc(sent, func(m sentMessage) bool { return m.route.link == l.Index && m.route.to.Addr().Is6() == v6 })
			if i < 0 {
				t.Fatalf("nothing announced on %v, IPv6 %v", l, v6)
			}
			var got, want []string
			for _, rr := range sent[i].Answer {
				switch rr := rr.(type) {
				case *dns.A:
					got = append(got, rr.A.String())
				case *dns.AAAA:
					got = append(got, rr.AAAA.String())
				}
			}
			for _, p := range l.Prefixes {
				want = append(want, p.Addr().String())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v: addresses %v, want %v", l, got, want)
			}
		}
	}
}

func TestPublishUnchangedNetwork(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		publish(t, r, den())
		after(time.Minute)
		n.take()
		after(time.Hour)
		if sent := n.take(); len(sent) != 0 || n.opens != 1 {
			t.Errorf("%d packets and %d opens in an hour with no change", len(sent), n.opens)
		}
	})
}

// TestPublishWatchedNetwork reports changes of the network, which is polled
// once a minute besides.
func TestPublishWatchedNetwork(t *testing.T) {
	t.Parallel()
	inBubble(t, newFakeNet(eth0()), func(t *testing.T, r *Responder, n *fakeNet) {
		n.changed = make(chan struct{})
		publish(t, r, den())
		after(time.Minute)
		n.takeLooks()
		after(time.Hour)
		if looks := n.takeLooks(); looks > 60 {
			t.Errorf("%d looks in an hour with no change", looks)
		}
		n.take()
		n.set(newTestLink(2, "eth0", "198.51.100.7/24"))
		for range 5 {
			n.changed <- struct{}{}
		}
		after(1200 * time.Millisecond)
		checkAddresses(t, responses(n.take()), n.now)
		if n.opens != 2 {
			t.Errorf("%d opens for one change", n.opens-1)
		}
		after(time.Minute)
		n.take()
		n.set(eth0()) // unreported
		after(time.Minute + 2*time.Second)
		checkAddresses(t, responses(n.take()), n.now)
	})
}

// A family that failed to open is retried without disturbing the other, warned
// about once, and announced on.
func TestPublishPartFails(t *testing.T) {
	t.Parallel()
	n := newFakeNet(eth0())
	n.partErr = errNoSocket
	inBubble(t, n, func(t *testing.T, r *Responder, n *fakeNet) {
		var warned countingLog
		r.do(func() { r.log = &warned })
		publish(t, r, den())
		after(time.Minute)
		if len(responses(n.take())) == 0 {
			t.Error("not announced on what could be opened")
		}
		n.mu.Lock()
		if n.opens != 1 || n.joins < 26 || n.joins > 32 {
			t.Errorf("%d opens, %d retries in a minute", n.opens, n.joins)
		}
		n.partErr = nil
		n.mu.Unlock()
		after(5 * time.Second)
		if len(responses(n.take())) == 0 {
			t.Error("not announced on what was opened later")
		}
		if warned != 1 {
			t.Errorf("%d warnings", warned)
		}
	})
}

// countingLog counts warnings.
type countingLog int

func (*countingLog) Debugf(string, ...any)  {}
func (*countingLog) Infof(string, ...any)   {}
func (*countingLog) Errorf(string, ...any)  {}
func (c *countingLog) Warnf(string, ...any) { *c++ }
