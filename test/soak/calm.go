package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	web "github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// Bounds of the calm after a storm.
const (
	quietLimit  = 2 * time.Minute  // for the commands that were given before, given up or not
	readyLimit  = 10 * time.Second // for /readyz
	probeLimit  = time.Minute      // for a console to wake and take a key
	findLimit   = 20 * time.Second // for a console that has moved to be found
	arriveLimit = 5 * time.Second  // for a key that was sent to be read by the console
)

// calm waits for the commands that are under way, and sees that all is well: the server
// is ready, every console wakes and takes exactly the key it is sent, and what was
// confirmed is there.
func (s *soak) calm(ctx context.Context) bool {
	before, began := s.failed(), time.Now()
	s.quiet()
	defer s.gate.Unlock()
	quiet := time.Since(began)
	if err := waitReady(ctx); err != nil {
		s.fail("%v", err)
	}
	var probes sync.WaitGroup
	for _, p := range s.places {
		probes.Go(func() { s.probe(ctx, p) })
	}
	probes.Wait()
	s.watch.sample(s.server, s.now)
	fmt.Printf("%8v  %-28s quiet after %v, well after %v\n", time.Since(s.began).Round(100*time.Millisecond), s.now,
		quiet.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	return s.failed() == before
}

// quiet takes the gate: nobody gives commands any more. Those that were given before
// have a while to end, a longer one in a longer soak.
func (s *soak) quiet() {
	began := time.Now()
	giveUp := time.AfterFunc(max(3*time.Second, s.time/120), s.impatience)
	s.gate.Lock()
	giveUp.Stop()
	s.impatience = s.newPatience()
	if took := time.Since(began); took > quietLimit {
		s.fail("the commands before took %v", took)
	}
}

// waitReady waits until /readyz says so.
func waitReady(ctx context.Context) error {
	var why string
	for began := time.Now(); time.Since(began) < readyLimit && ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		status, body, err := fetch(ctx, "/readyz")
		if status == http.StatusOK {
			return nil
		}
		why = fmt.Sprint(status, " ", body, err)
	}
	return fmt.Errorf("not ready within %v: %s", readyLimit, why)
}

// fetch gets a path of the web address.
func fetch(ctx context.Context, path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+webAddress+path, nil)
	if err != nil {
		return 0, "", err //nolint:wrapcheck // a constant
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", fmt.Errorf("%s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, string(b), err
}

// probe wakes a console and presses a key that nobody else presses.
func (s *soak) probe(ctx context.Context, p *place) {
	p.editing.Lock()
	defer p.editing.Unlock()
	s.same(ctx, p, "live")
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if err := s.wake(ctx, p); err != nil {
		s.fail("%s does not wake: %v (it is %v at %v)", p.name, err, p.now().State(), p.now().Addr())
		return
	}
	if state := p.now().State(); state != ps4.StateAwake {
		s.fail("%s is %v after it was woken", p.name, state)
	}
	before := p.pressed("option")
	o, err := s.issue("probe key", func() error {
		return s.bySocket(ctx, func(ctx context.Context, api *web.Client) error { return api.Keys(ctx, p.hostID, []string{"option"}) })
	})
	for wait := time.Now(); p.pressed("option") == before && time.Since(wait) < arriveLimit; {
		pause(ctx, 10*time.Millisecond)
	}
	if got := p.pressed("option") - before; o != done || got != 1 {
		s.fail("%s takes no key: %v, %d presses", p.name, err, got)
	}
}

// wake wakes a console. One that has moved, or is deaf after a standby, is found in a
// moment: until then the server may say that it does not answer.
func (s *soak) wake(ctx context.Context, p *place) error {
	for began := time.Now(); ; pause(ctx, 100*time.Millisecond) {
		o, err := s.issue("probe wake", func() error {
			return s.bySocket(ctx, func(ctx context.Context, api *web.Client) error { return api.Wake(ctx, p.hostID, true) })
		})
		if o == done || time.Since(began) > findLimit || ctx.Err() != nil {
			return err
		}
	}
}

// same compares what was confirmed with what is there.
func (s *soak) same(ctx context.Context, p *place, when string) {
	now, err := s.observe(ctx, p)
	if err != nil {
		s.fail("%s: reading names and pairings: %v", p.name, err)
		return
	}
	for _, wrong := range p.facts.compare(now) {
		s.fail("%s, %s: %s", p.name, when, wrong)
	}
}

// last ends the crowd, kills the server a last time, stops it properly, and compares
// what is there after each start.
func (s *soak) last(ctx context.Context) {
	s.stop()
	s.crowd.Wait()
	s.mu.Lock()
	s.now = "the end"
	s.mu.Unlock()
	if ctx.Err() != nil {
		s.fail("interrupted")
		return
	}
	for _, end := range []func(){s.server.kill, s.server.terminate} {
		end()
		s.server.restart(ctx, s.bin)
		for _, p := range s.places {
			s.same(ctx, p, "after the last restarts")
		}
	}
	s.calm(ctx)
	s.server.terminate()
}
