package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/hapclient"
)

// titles are installed on every console, and configured.
var titles = []ps4test.Title{
	{ID: "CUSA00129", Name: "Netflix"},
	{ID: "CUSA01116", Name: "YouTube"},
	{ID: "CUSA01780", Name: "Spotify"},
	{ID: "CUSA04529", Name: "Uncharted"},
}

// place is one console, whatever its address.
type place struct {
	name, hostID string
	addrs        []string // where it may be

	mu      sync.Mutex
	rng     *rand.Rand
	at      int
	console *ps4test.Console
	options int       // accepted presses of the option button
	counted time.Time // presses until then are in options

	// Constant after pair.
	address   string // of its HAP server
	accessory hapclient.Accessory
	phones    []*hapclient.Controller
	iids      iids

	editing sync.Mutex // held for an edit and its fact, or for a comparison
	facts   facts
}

func newPlace(i int, rng *rand.Rand) (*place, error) {
	p := &place{name: fmt.Sprintf("Den%d", i+1), hostID: fmt.Sprintf("0253504B00%02X", i+1), rng: rng, facts: facts{}}
	for n := range 3 {
		p.addrs = append(p.addrs, fmt.Sprintf("127.0.%d.%d", 10+i, n+1))
	}
	return p, p.appear(false)
}

// appear switches a console on at the place's address.
func (p *place) appear(standby bool) (err error) {
	timing := ps4test.FastTiming()
	timing.Wake, timing.Silence = 300*time.Millisecond, time.Second
	timing.StandbyDelay, timing.Heartbeat, timing.Grace = 100*time.Millisecond, time.Second, 5*time.Second
	p.console, err = ps4test.New(ps4test.Config{
		Name: p.name, HostID: p.hostID, Addr: p.addrs[p.at], DDPPort: 987, TCPPort: 997,
		Standby: standby, Linked: true, Titles: titles, Timing: timing,
	})
	return err
}

// move takes the console to another address.
func (p *place) move() error {
	p.pressed()
	p.mu.Lock()
	defer p.mu.Unlock()
	awake := p.console.State() == ps4.StateAwake
	_ = p.console.Close()
	p.at = (p.at + 1 + p.rng.IntN(len(p.addrs)-1)) % len(p.addrs)
	return p.appear(!awake)
}

func (p *place) now() *ps4test.Console {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.console
}

// pressed returns how often the option button was pressed so far.
func (p *place) pressed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.console.Keys() { // the last thousand
		if k.At.After(p.counted) && k.Accepted && k.Hold == 0 && k.Op == ps4test.Option {
			p.options++
			p.counted = k.At
		}
	}
	return p.options
}

// facts is what was confirmed of a console's names, order and pairings. What was
// neither confirmed nor refused may be true or not.
type facts map[string]fact

type fact struct {
	value string
	maybe []string
}

func (f facts) set(key, value string) { f[key] = fact{value: value} }

func (f facts) doubt(key, value string) {
	f[key] = fact{f[key].value, append(f[key].maybe, value)}
}

// compare returns what is not as confirmed, and takes over what is.
func (f facts) compare(now map[string]string) (wrong []string) {
	for key, was := range f {
		is := now[key]
		if is != was.value && !slices.Contains(was.maybe, is) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, and %q was confirmed", key, is, was.value))
		}
		f.set(key, is)
	}
	return wrong
}
