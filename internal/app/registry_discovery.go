package app

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4"
)

// Times of discovery.
const (
	searchTime  = 2 * time.Second // how long one search waits for answers, at most
	firstAnswer = 2 * time.Second // how long a start waits for consoles that it does not know
)

// discover searches the networks for consoles until ctx is done: at once, then
// every discovery.interval, and right away once more if a search found a
// console for the first time. With simulated consoles it searches none.
func (r *registry) discover(ctx context.Context) {
	if !r.config.Discovery.Enabled || r.simulating() {
		return
	}
	for wait := time.Duration(0); pause(ctx, wait); {
		wait = r.config.Discovery.Interval
		found, err := r.network.Discover(ctx, min(searchTime, wait))
		if err != nil && ctx.Err() == nil {
			r.log.WithError(err).Debug("searching for consoles")
		}
		r.sightings.next()
		for _, st := range found {
			r.warnReplaced(st)
			r.meet(st, false)
			if r.sightings.first(st) {
				wait = min(wait, searchTime)
			}
		}
	}
}

// awaitFirst asks each configured console that has no unit until it answers, and
// gives them a moment to do so: one that is on is then there when the server is
// ready.
func (r *registry) awaitFirst(ctx context.Context) {
	entries := r.unmet()
	asked := make(chan struct{}, len(entries))
	for _, c := range entries {
		r.run(func(ctx context.Context) {
			met := r.meetAt(ctx, c.Address)
			asked <- struct{}{}
			for !met && pause(ctx, r.config.Poll.Interval) {
				met = r.meetAt(ctx, c.Address)
			}
		})
	}
	timeout := time.After(firstAnswer)
	for range entries {
		select {
		case <-asked:
		case <-timeout:
			return
		case <-ctx.Done():
			return
		}
	}
}

// meetAt asks the console at a configured address, twice, so that one forged
// reply does not bind the entry to a stranger. It reports whether it answered.
func (r *registry) meetAt(ctx context.Context, addr netip.AddrPort) bool {
	st, err := r.ask(ctx, addr)
	if err != nil {
		return false
	}
	again, err := r.ask(ctx, st.Addr)
	if err != nil || again.HostID != st.HostID {
		return false
	}
	r.meet(st, false)
	return true
}

// unmet lists the entries of config.yaml without a host id whose console has no
// unit, because it has not answered yet.
func (r *registry) unmet() []config.Console {
	units := r.list()
	return pick(r.config.Consoles, func(c config.Console) bool {
		has := func(u *unit) bool { return u.config.Address == c.Address && u.config.HostID == "" }
		return c.HostID == "" && !slices.ContainsFunc(units, has)
	})
}

// sightings counts in how many searches strangers were found: one that
// answered only once leaves nothing behind. An address has room for one.
type sightings struct {
	mu     sync.Mutex
	search int
	byAddr map[netip.AddrPort]sighting
}

type sighting struct {
	hostID string
	search int // the last one
	times  int
}

const (
	maxSightings = 1024 // bounds what strangers can make the server hold
	enoughTimes  = 2
	missable     = 2 // searches in a row
)

// next begins another search, and forgets who was missing in the last ones.
func (s *sightings) next() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.search++
	for addr, seen := range s.byAddr {
		if s.search-seen.search > missable+1 {
			delete(s.byAddr, addr)
		}
	}
}

// repeated notes a sighting and reports whether there were enough.
func (s *sightings) repeated(st ps4.Status) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, taken := s.byAddr[st.Addr]
	switch {
	case !taken && len(s.byAddr) >= maxSightings, taken && seen.hostID != st.HostID:
		return false
	case !taken || seen.search != s.search:
		seen.times++
	}
	seen.hostID, seen.search = st.HostID, s.search
	if s.byAddr == nil {
		s.byAddr = map[netip.AddrPort]sighting{}
	}
	s.byAddr[st.Addr] = seen
	return seen.times >= enoughTimes
}

// first reports whether a console was seen only once so far.
func (s *sightings) first(st ps4.Status) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.byAddr[st.Addr]
	return seen.hostID == st.HostID && seen.times == 1
}

// forget begins the count of a console anew.
func (s *sightings) forget(hostID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for addr, seen := range s.byAddr {
		if seen.hostID == hostID {
			delete(s.byAddr, addr)
		}
	}
}

// pause waits; it returns false when ctx was done first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
