// Package mdns publishes services on the local network by multicast DNS (RFC
// 6762) and DNS-SD (RFC 6763).
//
// A service is the following records, here "Den" of type _hap._tcp:
//
//	_services._dns-sd._udp.local.  PTR  _hap._tcp.local.
//	_hap._tcp.local.               PTR  Den._hap._tcp.local.
//	Den._hap._tcp.local.           SRV  0 0 20001 hap-a3fb3d4d2eac.local.
//	Den._hap._tcp.local.           TXT  "md=PS4" "sf=1" ...
//	hap-a3fb3d4d2eac.local.        A, AAAA
//
// A Responder probes for the name three times, announces the records, answers
// questions about them, and says goodbye, which is an announcement with a TTL
// of 0.
//
//	now  +250 ms  +500 ms  +750 ms   +1.75 s   +3.75 s        Close
//	probe probe   probe    announce  announce  announce  ...  goodbye
//
// docs/adr/0002-announcing.md explains why this is not
// github.com/brutella/dnssd.
package mdns

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const (
	numProbes     = 3
	probeGap      = 250 * time.Millisecond // RFC 6762 §8.1
	numAnnounces  = 3                      // RFC 6762 §8.3 asks for 2; a new IPv6 address or switch port may miss one
	announceGap   = time.Second            // doubles with each announcement
	lostTieWait   = time.Second            // RFC 6762 §8.2
	goodbyeRepeat = 100 * time.Millisecond

	pollGap        = 2 * time.Second // so that a late network is announced on within 3 s
	watchedPollGap = time.Minute     // where the system reports changes
	changeWait     = 100 * time.Millisecond
)

// ErrClosed is returned by Publish once the Responder is closed.
var ErrClosed = errors.New("mdns: responder closed")

// Logger is a logger with levels, such as a *logrus.Entry.
type Logger interface {
	Debugf(format string, args ...any)
	Infof(format string, args ...any)
	Warnf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Discard is a Logger that does nothing.
type Discard struct{}

func (Discard) Debugf(string, ...any) {}
func (Discard) Infof(string, ...any)  {}
func (Discard) Warnf(string, ...any)  {}
func (Discard) Errorf(string, ...any) {}

// Options configure a Responder. The zero value is usable.
type Options struct {
	// Interfaces names the only network interfaces to use; they may appear
	// later. If empty, the responder uses every interface that is up, supports
	// multicast and is neither loopback nor point-to-point.
	Interfaces []string
	Log        Logger // nil discards

	network network // nil: this host's
}

// Service is a service to publish.
type Service struct {
	Name string // of the instance; cut to 63 bytes, and "Name (2)" if taken
	Type string // _hap._tcp
	Host string // host name without domain; must be unique, as it is not probed for
	Port uint16
	Text map[string]string // of the TXT record
}

// Publication is a published service.
type Publication interface {
	// Update replaces the TXT record, and returns without waiting for the
	// network. It keeps the map.
	Update(text map[string]string)
	// Published reports whether the service is announced on a network now.
	Published() bool
	// Close says goodbye. Further calls do nothing.
	Close()
}

// Responder publishes any number of services through one pair of sockets, which
// it reopens when interfaces or addresses change. One goroutine owns all state.
type Responder struct {
	log     Logger
	network network
	calls   chan func()
	packets chan packet
	done    chan struct{}

	// The goroutine's own:
	closed   bool
	services []*service
	links    []link
	changed  <-chan struct{} // signals changes of the network; nil if the system doesn't
	wire     wire            // nil without a network
	replies  []reply
	sent     map[sentRecord]time.Time
	nextPoll time.Time
	status   string // as last logged
	failing  bool   // a link or a family failed to open
	unsent   bool   // a send error was logged since the sockets were opened
}

// New starts a Responder, which must be closed. It waits for a network if there
// is none.
func New(o *Options) *Responder {
	r := &Responder{
		log: o.Log, network: o.network,
		calls: make(chan func()), packets: make(chan packet), done: make(chan struct{}),
	}
	if r.log == nil {
		r.log = Discard{}
	}
	if r.network == nil {
		r.network = &sockets{names: slices.Clone(o.Interfaces), udpPort: mdnsPort}
	}
	go r.run()
	return r
}

// Publish starts to publish a service and returns at once. The service is
// announced after about a second of probing. The only error is ErrClosed.
func (r *Responder) Publish(s Service) (Publication, error) {
	p := &service{Service: s, r: r}
	if !r.do(func() {
		r.rename(p)
		p.probe(time.Now().Add(rand.N(probeGap)))
		r.services = append(r.services, p)
	}) {
		return nil, ErrClosed
	}
	return p, nil
}

// Close says goodbye for all services, twice in case one is lost, and waits for
// the goroutine to end. Further calls do nothing.
func (r *Responder) Close() {
	r.do(func() {
		r.closed = true
		var claimed []*service
		for _, s := range r.services {
			s.leaving = true
			if s.claimed {
				claimed = append(claimed, s)
			}
		}
		r.announce(claimed)
		r.announce(claimed)
	})
	<-r.done
}

// do runs f in the goroutine and waits for it. It returns false after Close.
func (r *Responder) do(f func()) bool {
	ran := make(chan struct{})
	select {
	case r.calls <- func() { f(); close(ran) }:
		<-ran
		return true
	case <-r.done:
		return false
	}
}

func (r *Responder) run() {
	defer close(r.done)
	defer r.closeWire()
	(<-r.calls)() // leave the network alone until there is a service
	changed, end := r.network.watch()
	defer end()
	r.changed = changed
	for !r.closed {
		now := time.Now()
		r.poll(now)
		r.advance(now)
		r.reply(now)
		select {
		case f := <-r.calls:
			f()
		case <-r.changed:
			r.nextPoll = earlier(r.nextPoll, time.Now().Add(changeWait)) // changes come in groups
		case p := <-r.packets:
			r.receive(p, time.Now())
		case <-time.After(time.Until(r.next())):
		}
	}
}

// next returns the time of the next step that is due without an event.
func (r *Responder) next() time.Time {
	next := r.nextPoll
	for _, p := range r.replies {
		next = earlier(next, p.due)
	}
	if r.wire == nil {
		return next
	}
	for _, s := range r.services {
		if !s.due.IsZero() {
			next = earlier(next, s.due)
		}
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// poll reopens the sockets if the network has changed or they failed to open
// before.
func (r *Responder) poll(now time.Time) {
	if now.Before(r.nextPoll) {
		return
	}
	r.nextPoll = now.Add(pollGap)
	links, err := r.network.links()
	if err != nil {
		r.setStatus(r.log.Warnf, "cannot read the network interfaces: "+err.Error())
		return
	}
	changed := r.wire == nil || !slices.EqualFunc(links, r.links, link.equal)
	if changed {
		r.closeWire()
		r.links = links
		if len(links) == 0 {
			r.setStatus(r.log.Infof, "waiting for a network")
			return
		}
		r.wire, r.sent, r.unsent = r.network.open(links, r.packets), map[sentRecord]time.Time{}, false
	}
	if changed || r.failing {
		joined, err := r.wire.join()
		r.failing = err != nil
		if err != nil {
			r.setStatus(r.log.Warnf, "cannot open all multicast sockets, retrying (ps4kit doctor names a program that holds the port): "+
				strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		if joined {
			for _, s := range r.services { // at random, as other hosts may have started together with this one
				s.probe(now.Add(rand.N(probeGap)))
			}
		} else if changed {
			r.closeWire()
		}
	}
	if r.failing {
		return
	}
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.String()
	}
	r.setStatus(r.log.Infof, "announcing on "+strings.Join(names, ", "))
	if r.changed != nil {
		r.nextPoll = now.Add(watchedPollGap)
	}
}

func (r *Responder) closeWire() {
	if r.wire != nil {
		r.wire.close()
	}
	r.wire, r.replies = nil, nil
}

// setStatus logs a message unless it is the last one again: what fails, fails
// at every poll.
func (r *Responder) setStatus(logf func(string, ...any), message string) {
	if message != r.status {
		r.status = message
		logf("mdns: %s", message)
	}
}
