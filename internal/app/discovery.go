package app

import (
	"context"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4"
)

// Times of discovery.
const (
	searchTime  = 2 * time.Second        // how long one search waits for answers
	firstAnswer = 500 * time.Millisecond // how long a start waits for consoles that it does not know
)

// discover searches the networks for consoles until ctx is done: at once, then
// every discovery.interval, and right away once more if a search found a
// console for the first time. With simulated consoles it searches none.
func (s *server) discover(ctx context.Context) {
	if !s.Config.Discovery.Enabled || s.Simulate > 0 {
		return
	}
	for {
		fresh := s.searchOnce(ctx)
		wait := s.Config.Discovery.Interval
		if fresh {
			wait = min(wait, searchTime)
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// searchOnce takes in the PS4s that a search finds. It reports whether one was
// seen for the first time. A PS5 is not offered to HomeKit.
func (s *server) searchOnce(ctx context.Context) (fresh bool) {
	found, err := s.network.Discover(ctx, searchTime)
	if err != nil && ctx.Err() == nil {
		s.Log.WithError(err).Debug("searching for consoles")
	}
	s.sightings.next()
	for _, st := range found {
		if st.HostType == hostTypePS4 {
			s.meet(st, false)
			fresh = fresh || s.sightings.first(st.HostID)
		}
	}
	return fresh
}

// await asks a configured console, whose host id is not known yet, until it
// answers. It calls asked when the first try is over.
func (s *server) await(ctx context.Context, c config.Console, asked func()) {
	console := s.network.Console(c.Address, ps4.Credential{})
	for {
		st, err := console.Status(ctx)
		if err == nil && st.HostType == hostTypePS4 {
			s.meet(st, false)
		}
		asked()
		if err == nil || !pause(ctx, s.Config.Poll.Interval) {
			return
		}
	}
}

// awaitFirst starts await for each configured console that has no unit, and
// gives them a moment to answer: one that is on is then there when the server is
// ready.
func (s *server) awaitFirst(ctx context.Context) {
	var first sync.WaitGroup
	for _, c := range s.Config.Consoles {
		if c.HostID != "" || s.hasEntry(c) {
			continue
		}
		first.Add(1)
		asked := sync.OnceFunc(first.Done)
		s.group.Go(func() error { s.await(ctx, c, asked); return nil })
	}
	all := make(chan struct{})
	go func() { first.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(firstAnswer):
	case <-ctx.Done():
	}
}

// hasEntry reports whether an entry of config.yaml has its unit.
func (s *server) hasEntry(c config.Console) bool {
	for _, u := range s.list() {
		if u.config.Address == c.Address && u.config.HostID == c.HostID {
			return true
		}
	}
	return false
}

// sightings counts in how many searches strangers were found at the same
// address: one that answered only once leaves nothing behind.
type sightings struct {
	mu     sync.Mutex
	search int
	byHost map[string]sighting
}

type sighting struct {
	st     ps4.Status
	search int // the last one
	times  int
}

const (
	maxSightings = 1024 // bounds what strangers can make the server hold
	enoughTimes  = 2
)

// next begins another search, and forgets who was missing in the last ones.
func (s *sightings) next() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.search++
	for host, seen := range s.byHost {
		if s.search-seen.search > 2*enoughTimes {
			delete(s.byHost, host)
		}
	}
}

// repeated notes a sighting and reports whether there were enough.
func (s *sightings) repeated(st ps4.Status) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, known := s.byHost[st.HostID]
	if !known && len(s.byHost) >= maxSightings {
		return false
	}
	if seen.st.Addr != st.Addr {
		seen.times = 0
	}
	if seen.times == 0 || seen.search != s.search {
		seen.times++
	}
	seen.st, seen.search = st, s.search
	if s.byHost == nil {
		s.byHost = map[string]sighting{}
	}
	s.byHost[st.HostID] = seen
	return seen.times >= enoughTimes
}

// first reports whether a console was seen only once so far.
func (s *sightings) first(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byHost[host].times == 1
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
