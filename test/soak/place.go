package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/hapclient"
)

// titles are installed on every console and configured.
var titles = []ps4test.Title{
	{ID: "CUSA00129", Name: "Netflix"},
	{ID: "CUSA01116", Name: "YouTube"},
	{ID: "CUSA01780", Name: "Spotify"},
	{ID: "CUSA04529", Name: "Uncharted"},
}

// place is one console, whatever its address is now, and what is known of it.
type place struct {
	name, hostID string
	addrs        []string // it lives at one of these

	mu      sync.Mutex
	rng     *rand.Rand
	at      int
	console *ps4test.Console
	gone    traffic        // of consoles that moved away
	presses map[string]int // accepted, by button
	counted time.Time      // the presses up to here are in presses

	// set by pair, and constant
	port      int
	accessory hapclient.Accessory
	phones    []*hapclient.Controller
	iids      iids

	editing sync.Mutex // an edit and its fact, or a comparison
	facts   facts
}

// traffic is what a console saw.
type traffic struct {
	Datagrams, Packets, Connections, Logins, Keys, Boots, Standbys, ProtocolErrors int
}

func newPlace(i int, rng *rand.Rand) (*place, error) {
	p := &place{name: fmt.Sprintf("Den%d", i+1), hostID: fmt.Sprintf("0253504B00%02X", i+1), rng: rng, presses: map[string]int{}, facts: facts{}}
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
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// move takes the console to another address.
func (p *place) move() error {
	p.count()
	p.mu.Lock()
	defer p.mu.Unlock()
	awake := p.console.State() == ps4.StateAwake
	p.gone = p.traffic()
	_ = p.console.Close()
	p.at = (p.at + 1 + p.rng.IntN(len(p.addrs)-1)) % len(p.addrs)
	return p.appear(!awake)
}

// now returns the console that is there.
func (p *place) now() *ps4test.Console {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.console
}

// traffic adds up what all the consoles of the place saw; mu is held.
func (p *place) traffic() traffic {
	c, t := p.console.Counters(), p.gone
	t.Datagrams += c.Datagrams
	t.Packets += c.Packets
	t.Connections += c.Connections
	t.Logins += c.Logins
	t.Keys += c.Operations
	t.Boots += c.Boots
	t.Standbys += c.Standbys
	t.ProtocolErrors += c.ProtocolErrors
	return t
}

// count takes in the presses since the last time; a console remembers a thousand.
func (p *place) count() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.console.Keys() {
		if k.At.After(p.counted) && k.Accepted && k.Hold == 0 {
			p.presses[k.Op.String()]++
			p.counted = k.At
		}
	}
}

// pressed returns how often a button was pressed so far.
func (p *place) pressed(button string) int {
	p.count()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.presses[button]
}
