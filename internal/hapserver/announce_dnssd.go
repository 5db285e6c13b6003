package hapserver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Times of RFC 6762, and how often we look at the network.
const (
	mdnsProbes        = 3
	mdnsProbeGap      = 250 * time.Millisecond // §8.1
	mdnsAnnounces     = 3                      // §8.3 asks for 2; the third helps when an IPv6 address or a switch port is slow to come up
	mdnsAnnounceGap   = time.Second            // doubled after each announcement
	mdnsLostTie       = time.Second            // §8.2: how long the loser of a simultaneous probe waits
	mdnsPoll          = 2 * time.Second        // a late or renumbered network is used within 2 s and announced within 3 s
	mdnsPollWatched   = time.Minute            // where the system tells of changes
	mdnsChangeWait    = 100 * time.Millisecond // changes come several together
	mdnsGoodbyeRepeat = 100 * time.Millisecond
	mdnsManyRenames   = 10
	mdnsRenameWait    = 5 * time.Second // after mdnsManyRenames, as §8.1 asks for after 15 conflicts
)

var errAnnouncerClosed = errors.New("the announcer is closed")

// DNSSDOptions are the options of NewDNSSD; the zero value is usable.
type DNSSDOptions struct {
	// Interfaces names the network interfaces to announce on, and no others; they may be missing at first. Empty: every interface
	// that is up, speaks multicast, has an address and is neither loopback nor point-to-point.
	Interfaces []string
	// Logf receives what an owner may want to know: the interfaces in use, a renamed service. nil discards.
	Logf func(format string, args ...any)

	network mdnsNetwork // nil: this host's
}

// DNSSD announces any number of servers by multicast DNS (RFC 6762, 6763) through one pair of sockets. The records are dnssd's,
// the responder is ours; docs/adr/0002-announcing.md says why.
//
// From the first server on it looks at the network when the system tells that it has changed (Linux), else every 2 s: when
// interfaces or addresses are others, the sockets are opened anew and every server is probed for and announced again. One goroutine
// owns all state; NewDNSSD starts it and Close ends it.
type DNSSD struct {
	logf    func(format string, args ...any)
	network mdnsNetwork
	calls   chan func()
	quit    chan struct{}
	done    chan struct{}
	once    sync.Once

	// What follows belongs to the goroutine.
	services []*mdnsService
	links    []mdnsLink
	changed  <-chan struct{} // tokens of the network; nil: it does not tell
	wire     mdnsWire        // nil: no network
	packets  chan mdnsPacket
	replies  []mdnsReply
	sent     map[mdnsSent]time.Time
	nextPoll time.Time
	problem  string // the last trouble that was logged
	unsent   bool   // a failure to send was logged since the sockets were opened
}

// NewDNSSD starts an announcer. A network that is not there is no error: it is waited for.
func NewDNSSD(o *DNSSDOptions) (*DNSSD, error) {
	if o == nil {
		o = &DNSSDOptions{}
	}
	d := &DNSSD{logf: o.Logf, network: o.network, calls: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	if d.logf == nil {
		d.logf = func(string, ...any) {}
	}
	if d.network == nil {
		d.network = &mdnsSockets{names: slices.Clone(o.Interfaces), udpPort: mdnsPort}
	}
	go d.run()
	return d, nil
}

// Announce begins to announce a server: it is known after about a second of probing, or when the network comes. It fails only when
// ctx is done or the announcer is closed.
func (d *DNSSD) Announce(ctx context.Context, a Announcement) (Announced, error) {
	s := &mdnsService{a: a}
	err := d.call(ctx, func() {
		d.rename(s)
		s.probe(time.Now().Add(randomDuration(0, mdnsProbeGap)))
		d.services = append(d.services, s)
	})
	if err != nil {
		return nil, err
	}
	return &dnssdAnnounced{d: d, s: s}, nil
}

// Close says goodbye for every server that is still announced, and waits for the goroutine. It may be called more than once.
func (d *DNSSD) Close() error {
	d.once.Do(func() { close(d.quit) })
	<-d.done
	return nil
}

// call runs f in the announcer's goroutine and waits for it.
func (d *DNSSD) call(ctx context.Context, f func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ran := make(chan struct{})
	select {
	case d.calls <- func() { f(); close(ran) }:
		<-ran
		return nil
	case <-d.done:
		return errAnnouncerClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

type dnssdAnnounced struct {
	d *DNSSD
	s *mdnsService
}

func (h *dnssdAnnounced) Update(a Announcement) {
	// An announcer that is closed has nothing left to change.
	_ = h.d.call(context.Background(), func() { h.s.update(a, time.Now()) })
}

func (h *dnssdAnnounced) Known() (known bool) {
	// An announcer that is closed announces nothing.
	_ = h.d.call(context.Background(), func() { known = h.s.claimed && !h.s.leaving && h.d.wire != nil })
	return known
}

func (h *dnssdAnnounced) Close() error {
	err := h.d.call(context.Background(), func() { h.d.goodbye(h.s) })
	if errors.Is(err, errAnnouncerClosed) {
		return nil // it has said goodbye for all
	}
	return err
}

// run is the announcer's goroutine.
func (d *DNSSD) run() {
	defer close(d.done)
	defer d.closeWire()
	select { // without a server there is nothing to look at the network for
	case f := <-d.calls:
		f()
	case <-d.quit:
		return
	}
	changed, end := d.network.watch()
	defer end()
	d.changed = changed
	for {
		now := time.Now()
		d.poll(now)
		d.advance(now)
		d.reply(now)
		timer := time.NewTimer(time.Until(d.next()))
		select {
		case f := <-d.calls:
			f()
		case <-d.changed:
			d.nextPoll = earlier(d.nextPoll, time.Now().Add(mdnsChangeWait))
		case p := <-d.packets:
			d.receive(p, time.Now())
		case <-timer.C:
		case <-d.quit:
			timer.Stop()
			d.farewell()
			return
		}
		timer.Stop()
	}
}

// next is when there is something to do without being asked.
func (d *DNSSD) next() time.Time {
	next := d.nextPoll
	for _, r := range d.replies {
		next = earlier(next, r.due)
	}
	if d.wire == nil {
		return next
	}
	for _, s := range d.services {
		if !s.due.IsZero() {
			next = earlier(next, s.due)
		}
	}
	return next
}

// poll looks at the network when it is time, and opens the sockets anew when it has changed or when they could not be opened before.
func (d *DNSSD) poll(now time.Time) {
	if now.Before(d.nextPoll) {
		return
	}
	d.nextPoll = now.Add(mdnsPoll)
	links, err := d.network.links()
	if err != nil {
		d.trouble("reading the network interfaces: " + err.Error())
		return
	}
	if d.wire != nil && slices.EqualFunc(links, d.links, mdnsLink.equal) {
		if d.changed != nil {
			d.nextPoll = now.Add(mdnsPollWatched)
		}
		return
	}
	d.closeWire()
	d.links = links
	if len(links) == 0 {
		d.trouble("no network to announce on; waiting for one")
		return
	}
	d.openWire(now)
}

func (d *DNSSD) openWire(now time.Time) {
	packets := make(chan mdnsPacket)
	wire, err := d.network.open(d.links, packets)
	if err != nil {
		d.trouble("multicast sockets: " + err.Error())
	}
	if wire == nil {
		return
	}
	d.wire, d.packets, d.sent, d.unsent = wire, packets, map[mdnsSent]time.Time{}, false
	names := make([]string, len(d.links))
	for i, l := range d.links {
		names[i] = l.String()
	}
	d.trouble("announcing on " + strings.Join(names, ", "))
	for _, s := range d.services {
		s.probe(now.Add(randomDuration(0, mdnsProbeGap)))
	}
}

func (d *DNSSD) closeWire() {
	if d.wire != nil {
		d.wire.close()
	}
	d.wire, d.packets, d.replies = nil, nil, nil
}

// trouble logs a message when it is not the one before: what fails, fails at every poll.
func (d *DNSSD) trouble(message string) {
	if message != d.problem {
		d.problem = message
		d.logf("mdns: %s", message)
	}
}

// goodbye takes a service off the network, once.
func (d *DNSSD) goodbye(s *mdnsService) {
	i := slices.Index(d.services, s)
	if i < 0 || s.leaving {
		return
	}
	if !s.claimed || d.wire == nil {
		d.services = slices.Delete(d.services, i, i+1)
		return
	}
	s.leaving, s.due = true, time.Now().Add(mdnsGoodbyeRepeat)
	d.tell([]*mdnsService{s})
}

// farewell says goodbye for all, twice as RFC 6762 has no answer to a lost packet.
func (d *DNSSD) farewell() {
	var claimed []*mdnsService
	for _, s := range d.services {
		s.leaving = true
		if s.claimed {
			claimed = append(claimed, s)
		}
	}
	d.tell(claimed)
	d.tell(claimed)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
