package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

const (
	quietLimit  = 2 * time.Minute  // for the commands under way when a calm begins
	readyLimit  = 10 * time.Second // for /readyz
	healthLimit = 4 * time.Second  // for /healthz: a watchdog would act then
	probeLimit  = time.Minute      // for a console to wake and take a key
	findLimit   = 20 * time.Second // for a console that has moved to be found
	arriveLimit = 5 * time.Second  // for a key to reach the console
)

// calm waits for the commands under way, and checks that all is well: the
// server is ready, each console wakes and gets exactly the key that it is sent,
// and what was confirmed is there. It reports whether nothing failed.
func (s *soak) calm(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	before, began := s.failed(), time.Now()
	timer := time.AfterFunc(max(3*time.Second, s.time/120), s.giveUp)
	s.gate.Lock()
	defer s.gate.Unlock()
	timer.Stop()
	s.patience, s.giveUp = context.WithCancel(context.Background())
	quiet := time.Since(began)
	if quiet > quietLimit {
		s.fail("the commands under way took %v", quiet)
	}
	s.waitReady(ctx)
	var probes sync.WaitGroup
	for _, p := range s.places {
		probes.Go(func() { s.probe(ctx, p) })
	}
	probes.Wait()
	s.takeSample(ctx)
	fmt.Printf("%8v  %-28s quiet after %v, well after %v\n", time.Since(s.began).Round(100*time.Millisecond), s.storm,
		quiet.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	return s.failed() == before
}

func (s *soak) waitReady(ctx context.Context) {
	for began := time.Now(); ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		body, err := fetch(ctx, "/readyz")
		if err == nil {
			return
		}
		if time.Since(began) > readyLimit {
			s.fail("not ready within %v: %v %s", readyLimit, err, body)
			return
		}
	}
}

// fetch returns the body of a page, and an error unless the status is 200.
func fetch(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+webAddress+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(b), err
}

// probe wakes a console and presses a button that nothing else presses.
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
	before := p.pressed()
	o, err := s.issue("probe key", func() error {
		return s.api(ctx, http.MethodPost, "consoles/"+p.hostID+"/keys", object{"keys": []string{"option"}}, nil)
	})
	for wait := time.Now(); p.pressed() == before && time.Since(wait) < arriveLimit; {
		pause(ctx, 10*time.Millisecond)
	}
	if got := p.pressed() - before; o != done || got != 1 {
		s.fail("%s takes no key: %v, %d presses", p.name, err, got)
	}
}

// wake wakes a console. One that has moved, or has just gone to rest, may not
// answer at first.
func (s *soak) wake(ctx context.Context, p *place) error {
	for began := time.Now(); ; pause(ctx, 100*time.Millisecond) {
		o, err := s.issue("probe wake", func() error {
			return s.api(ctx, http.MethodPost, "consoles/"+p.hostID+"/power", object{"state": "awake", "wait": true}, nil)
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

// finish sends the crowd home, kills the server, stops it properly, and
// compares what is there after each start.
func (s *soak) finish(ctx context.Context) {
	s.stopCrowd()
	s.crowd.Wait()
	s.mu.Lock()
	s.storm = "the end"
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

// health is how the server did for a monitor.
type health struct {
	checks          int
	slowest, hungry time.Duration // longest answer of /healthz, longest time without feeding the watchdog
}

// watchHealth asks /healthz, as a monitor would, until ctx ends.
func (s *soak) watchHealth(ctx context.Context) {
	for s.server.await(ctx) {
		life, _ := s.server.isUp()
		began := time.Now()
		_, err := fetch(ctx, "/healthz")
		took, hungry := time.Since(began), s.server.hungry()
		if now, _ := s.server.isUp(); now == life && ctx.Err() == nil {
			if err != nil {
				s.fail("/healthz after %v: %v", took, err)
			}
			if hungry > watchdogLimit {
				s.fail("the watchdog was not fed for %v", hungry)
			}
		}
		s.mu.Lock()
		s.health = health{s.health.checks + 1, max(s.health.slowest, took), max(s.health.hungry, hungry)}
		s.mu.Unlock()
		pause(ctx, 200*time.Millisecond)
	}
}

// sample is what the server uses during a calm.
type sample struct {
	life int64
	uses [len(resources)]int
}

// resources are what must not grow over the longest life of the server: by more
// than slack and percent, from the median of its first third to that of its
// last third.
var resources = [...]struct {
	name           string
	slack, percent int
}{{"kB resident", 4096, 15}, {"goroutines", 10, 10}, {"open files", 6, 10}, {"threads", 6, 20}}

// enough is how many samples are enough to judge growth.
const enough = 12

func (s *soak) takeSample(ctx context.Context) {
	life, up := s.server.isUp()
	if !up {
		return
	}
	proc := filepath.Join("/proc", strconv.Itoa(s.server.cmd.Process.Pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	files, err2 := os.ReadDir(filepath.Join(proc, "fd"))
	metrics, err3 := fetch(ctx, "/metrics")
	if err := errors.Join(err, err2, err3); err != nil {
		s.fail("reading what the server uses: %v", err)
		return
	}
	number := func(text, name string) (n int) {
		_, rest, _ := strings.Cut("\n"+text, "\n"+name)
		_, _ = fmt.Sscan(rest, &n)
		return n
	}
	s.samples = append(s.samples, sample{life, [...]int{
		number(string(status), "VmRSS:"), number(metrics, "go_goroutines "), len(files), number(string(status), "Threads:"),
	}})
}

// growth checks and describes the longest life.
func (s *soak) growth() string {
	lives := map[int64][]sample{}
	var longest []sample
	for _, x := range s.samples {
		lives[x.life] = append(lives[x.life], x)
		if len(lives[x.life]) > len(longest) {
			longest = lives[x.life]
		}
	}
	third := max(1, len(longest)/3)
	if len(longest) == 0 {
		return "none"
	}
	var parts []string
	for i, r := range resources {
		median := func(list []sample) int {
			var all []int
			for _, x := range list {
				all = append(all, x.uses[i])
			}
			slices.Sort(all)
			return all[len(all)/2]
		}
		first, last := median(longest[:third]), median(longest[len(longest)-third:])
		what := fmt.Sprintf("%d to %d %s", first, last, r.name)
		if parts = append(parts, what); len(longest) >= enough && last > first+r.slack+first*r.percent/100 {
			s.fail("growth from %s", what)
		}
	}
	return strings.Join(parts, ", ")
}

// report prints what happened, after the last checks.
func (s *soak) report() {
	growth := s.growth()
	fmt.Printf("\nseed %d, %v, %d consoles, %d starts of the server, the slowest in %v\n",
		s.seed, time.Since(s.began).Round(time.Second), s.consoles, s.server.starts, s.server.slowest.Round(time.Millisecond))
	fmt.Println("\nstorms:")
	top(s.stormed, len(s.stormed))
	fmt.Printf("\n%-22s %8s %8s %8s %6s %9s %6s %10s\n", "commands", "issued", "done", "refused", "cut", "given up", "lost", "slowest")
	all := account{}
	line := func(kind string, a account) {
		fmt.Printf("%-22s %8d %8d %8d %6d %9d %6d %10v\n", kind, a.issued, a.ended[done], a.ended[refused], a.ended[cut], a.ended[givenUp], a.ended[lost],
			a.slowest.Round(time.Millisecond))
	}
	for _, kind := range slices.Sorted(maps.Keys(s.accounts)) {
		a, ended := s.accounts[kind], 0
		for o, n := range a.ended {
			all.ended[o] += n
			ended += n
		}
		all.issued, all.slowest = all.issued+a.issued, max(all.slowest, a.slowest)
		if a.issued != ended {
			s.fail("%s: %d issued, but only %d ended", kind, a.issued, ended)
		}
		line(kind, *a)
	}
	line("all", all)
	fmt.Println("\nmost frequent refusals:")
	top(s.refusals, 10)
	kept := 0
	for _, p := range s.places {
		kept += len(p.facts)
	}
	fmt.Printf("\nkept: %d names, orders and pairings\n", kept)
	fmt.Printf("health: %d checks, the slowest %v; watchdog unfed for at most %v\n", s.health.checks, s.health.slowest.Round(time.Millisecond),
		s.health.hungry.Round(time.Millisecond))
	fmt.Println("longest life, first and last third:", growth)
	fmt.Printf("log: %d lines, the most frequent:\n", s.server.log.lines)
	top(s.server.log.counts, 10)
	if len(s.failures) == 0 {
		fmt.Println("\nPASS")
		return
	}
	fmt.Printf("\nFAILED, %d:\n  %s\n", len(s.failures), strings.Join(s.failures, "\n  "))
}

// top prints the n most frequent.
func top(counts map[string]int, n int) {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, key := range keys[:min(n, len(keys))] {
		fmt.Printf("  %6d  %.200s\n", counts[key], key)
	}
}
