package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4"
)

// searchTime is how long one search waits for answers.
const searchTime = 2 * time.Second

// discover searches the networks for consoles until ctx is done: at once, then
// every discovery.interval. With simulated consoles it searches none: they are known.
func (s *server) discover(ctx context.Context) {
	if !s.Config.Discovery.Enabled || s.Simulate > 0 {
		return
	}
	for {
		found, err := s.network.Discover(ctx, searchTime)
		if err != nil && ctx.Err() == nil {
			s.Log.WithError(err).Debug("searching for consoles")
		}
		for _, st := range found {
			s.seen(ctx, st)
		}
		if !pause(ctx, s.Config.Discovery.Interval) {
			return
		}
	}
}

// await asks a configured console, whose host id is not known yet, until it answers.
// It calls asked when the first try is over.
func (s *server) await(ctx context.Context, c config.Console, asked func()) {
	console := s.network.Console(c.Address, ps4.Credential{})
	for {
		st, err := console.Status(ctx)
		if err == nil {
			s.seen(ctx, st)
		}
		asked()
		if err == nil || !pause(ctx, s.Config.Poll.Interval) {
			return
		}
	}
}

// awaitFirst starts await for each configured console that has no unit, and gives
// them a moment to answer: one that is on is then there when the server is ready.
func (s *server) awaitFirst(ctx context.Context) {
	var first sync.WaitGroup
	for _, c := range s.Config.Consoles {
		if c.HostID != "" || s.serves(c.Address) {
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

// firstAnswer is how long a start waits for consoles that it does not know.
const firstAnswer = 500 * time.Millisecond

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

// seen takes in a console that answered a search: its unit learns of its address, or
// it gets one. A PS5 is not offered to HomeKit.
func (s *server) seen(ctx context.Context, st ps4.Status) {
	if st.HostType != hostTypePS4 {
		return
	}
	s.meeting.Lock()
	defer s.meeting.Unlock()
	if u := s.unit(st.HostID); u != nil {
		s.files.remember(st)
		return
	}
	k := s.fromStatus(st)
	if !s.hasRoom(k) {
		return
	}
	s.files.remember(st)
	if slices.Contains(s.refusals(), st.HostID) {
		return // it was said once; `homekit reset` tries again
	}
	s.startUnit(ctx, k)
}

// hasRoom says whether a console that is new may get a unit: anybody in the network can
// answer as any number of consoles. One that the configuration names always may.
func (s *server) hasRoom(k known) bool {
	if !k.found || len(s.list())+len(s.refusals()) < maxConsoles {
		return true
	}
	s.crowded.Do(func() {
		s.Log.Warnf("too many consoles answer: those beyond %d are left out, unless config.yaml names them", maxConsoles)
	})
	return false
}

const hostTypePS4 = "PS4"
