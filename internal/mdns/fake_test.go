package mdns

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// fakeNet is a network in memory. It keeps what the responder sends, and hear
// sends it a packet.
type fakeNet struct {
	mu      sync.Mutex
	now     []link
	openErr error
	partErr error // of a part that cannot be joined
	opens   int
	joins   int
	wire    *fakeWire
	sent    []sentMessage
	start   time.Time
	looks   int           // at the links
	changed chan struct{} // nil: changes are not reported
}

type sentMessage struct {
	at    time.Duration // since the network was made
	route route
	size  int
	*dns.Msg
}

type fakeWire struct {
	net      *fakeNet
	received chan<- packet
	closed   chan struct{}
	part     bool // joined
}

var errNoSocket = errors.New("no socket")

func newFakeNet(links ...link) *fakeNet { return &fakeNet{now: links, start: time.Now()} }

func newTestLink(index int, name string, prefixes ...string) link {
	l := link{Index: index, Name: name}
	for _, p := range prefixes {
		l.Prefixes = append(l.Prefixes, netip.MustParsePrefix(p))
	}
	return l
}

func (n *fakeNet) port() uint16 { return mdnsPort }

func (n *fakeNet) links() ([]link, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.looks++
	return slices.Clone(n.now), nil
}

// takeLooks returns the number of looks since the last call.
func (n *fakeNet) takeLooks() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	looks := n.looks
	n.looks = 0
	return looks
}

func (n *fakeNet) watch() (<-chan struct{}, func()) { return n.changed, func() {} }

func (n *fakeNet) set(links ...link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = links
}

func (n *fakeNet) open(_ []link, received chan<- packet) wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens++
	n.wire = &fakeWire{net: n, received: received, closed: make(chan struct{})}
	return n.wire
}

// join joins nothing while the network has an openErr, and only a part while it
// has a partErr.
func (w *fakeWire) join() (some bool, err error) {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	w.net.joins++
	if w.net.openErr != nil {
		return false, w.net.openErr
	}
	some = !w.part || w.net.partErr == nil
	w.part = true
	return some, w.net.partErr
}

func (w *fakeWire) send(data []byte, r route) error {
	m := new(dns.Msg)
	if err := m.Unpack(data); err != nil {
		return err
	}
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	w.net.sent = append(w.net.sent, sentMessage{time.Since(w.net.start), r, len(data), m})
	return nil
}

func (w *fakeWire) close() { close(w.closed) }

// hear delivers a message and returns once the responder has it.
func (n *fakeNet) hear(t *testing.T, linkIndex int, from string, m *dns.Msg) {
	t.Helper()
	data, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	n.hearBytes(t, linkIndex, from, data)
}

func (n *fakeNet) hearBytes(t *testing.T, linkIndex int, from string, data []byte) {
	t.Helper()
	n.mu.Lock()
	w := n.wire
	n.mu.Unlock()
	select {
	case w.received <- packet{link: linkIndex, from: netip.MustParseAddrPort(from), data: data}:
	case <-w.closed:
		t.Fatal("the wire is closed")
	}
}

// take returns what was sent since the last call.
func (n *fakeNet) take() []sentMessage {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.sent
	n.sent = nil
	return out
}

// lines returns the answers of a message as text, without tabs and the
// cache-flush bit.
func (m sentMessage) lines() []string { return recordLines(m.Answer) }

func recordLines(records []dns.RR) []string {
	var out []string
	for _, rr := range records {
		rr := dns.Copy(rr)
		rr.Header().Class &^= topBit
		out = append(out, strings.Join(strings.Fields(rr.String()), " "))
	}
	return out
}

func responses(sent []sentMessage) []sentMessage {
	return slices.DeleteFunc(slices.Clone(sent), func(m sentMessage) bool { return !m.Response })
}

func probes(sent []sentMessage) []sentMessage {
	return slices.DeleteFunc(slices.Clone(sent), func(m sentMessage) bool { return m.Response })
}

func question(name string, typ uint16) *dns.Msg {
	return &dns.Msg{Question: []dns.Question{{Name: name, Qtype: typ, Qclass: dns.ClassINET}}}
}

// foreignSRV returns another host's claim to an instance name.
func foreignSRV(instance, target string, port uint16) *dns.SRV {
	return &dns.SRV{Hdr: dns.RR_Header{Name: instance, Rrtype: dns.TypeSRV, Class: dns.ClassINET, Ttl: 120}, Port: port, Target: target}
}
