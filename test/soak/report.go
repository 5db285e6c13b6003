package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

// summary is what a run found, for programs.
type summary struct {
	Seed       uint64              `json:"seed"`
	Took       time.Duration       `json:"took_ns"`
	Consoles   int                 `json:"consoles"`
	Storms     map[string]int      `json:"storms"`
	Starts     int                 `json:"starts"`
	SlowStart  time.Duration       `json:"slowest_start_ns"`
	Commands   map[string]*account `json:"commands"`
	Total      account             `json:"total"`
	Refusals   map[string]int      `json:"refusals"`
	Facts      int                 `json:"facts_kept"`
	Traffic    traffic             `json:"traffic"`
	Presses    map[string]int      `json:"presses"`
	Checks     int                 `json:"health_checks"`
	SlowHealth time.Duration       `json:"slowest_health_ns"`
	Hungry     time.Duration       `json:"watchdog_unfed_ns"`
	Samples    []sample            `json:"samples"`
	First      sample              `json:"longest_life_first"`
	Final      sample              `json:"longest_life_final"`
	LogLines   int                 `json:"log_lines"`
	Log        map[string]int      `json:"log"`
	Repeated   map[string]int      `json:"log_repeated"`
	Failures   []string            `json:"failures"`
}

// report holds everything together, prints it, and fails if anything was wrong.
func (s *soak) report() error {
	first, final, grew := s.watch.growth()
	for _, what := range grew {
		s.fail("%s", what)
	}
	sum := summary{
		Seed: s.seed, Took: time.Since(s.began), Consoles: s.consoles, Storms: s.counts, Starts: s.server.starts, SlowStart: s.server.slow,
		Commands: s.ledger.accounts, Refusals: s.ledger.refusals, Presses: map[string]int{},
		Checks: s.watch.checks, SlowHealth: s.watch.slowest, Hungry: s.watch.hungry, Samples: s.watch.samples, First: first, Final: final,
		LogLines: s.server.log.lines, Log: s.server.log.counts, Repeated: s.server.log.again,
	}
	for _, p := range s.places {
		sum.Facts += len(p.facts)
		sum.Traffic.add(p.traffic())
		for button, n := range p.presses {
			sum.Presses[button] += n
		}
	}
	for kind, a := range s.ledger.accounts {
		sum.Total.add(*a)
		if a.Issued != a.Done+a.Refused+a.Cut+a.GivenUp {
			s.fail("%s: %d issued, but %d done, %d refused, %d cut by a kill and %d given up", kind, a.Issued, a.Done, a.Refused, a.Cut, a.GivenUp)
		}
	}
	for line, n := range sum.Repeated {
		s.fail("the log says again, %d times: %s", n, line)
	}
	sum.Failures = s.failures
	sum.print()
	if err := sum.write(s.json); err != nil {
		return err
	}
	if len(s.failures) > 0 {
		return fmt.Errorf("%d failures, seed %d", len(s.failures), s.seed)
	}
	return nil
}

func (a *account) add(b account) {
	a.Issued += b.Issued
	a.Done += b.Done
	a.Refused += b.Refused
	a.Cut += b.Cut
	a.GivenUp += b.GivenUp
	a.Lost += b.Lost
	a.Slowest = max(a.Slowest, b.Slowest)
}

func (t *traffic) add(u traffic) {
	t.Datagrams += u.Datagrams
	t.Packets += u.Packets
	t.Connections += u.Connections
	t.Logins += u.Logins
	t.Keys += u.Keys
	t.Boots += u.Boots
	t.Standbys += u.Standbys
	t.ProtocolErrors += u.ProtocolErrors
}

func (s *summary) write(file string) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	return nil
}

// print is the summary for people.
func (s *summary) print() {
	fmt.Printf("\nseed %d, %v, %d consoles, %d starts of the server, the slowest in %v\n",
		s.Seed, s.Took.Round(time.Second), s.Consoles, s.Starts, s.SlowStart.Round(time.Millisecond))
	fmt.Println("\nstorms:")
	for _, name := range slices.Sorted(maps.Keys(s.Storms)) {
		fmt.Printf("  %-28s %4d\n", name, s.Storms[name])
	}
	fmt.Printf("\n%-22s %8s %8s %8s %6s %9s %6s %10s\n", "commands", "issued", "done", "refused", "cut", "given up", "lost", "slowest")
	for _, kind := range slices.Sorted(maps.Keys(s.Commands)) {
		s.Commands[kind].print(kind)
	}
	s.Total.print("all")
	fmt.Println("\nrefusals:")
	top(s.Refusals)
	fmt.Printf("\nconsoles: %+v, presses %v\n", s.Traffic, s.Presses)
	fmt.Printf("kept: %d names, orders and pairings\n", s.Facts)
	fmt.Printf("health: %d checks, the slowest %v; the watchdog unfed for %v at most\n", s.Checks, s.SlowHealth.Round(time.Millisecond), s.Hungry.Round(time.Millisecond))
	fmt.Printf("longest life, first and last third: %d to %d kB, %d to %d goroutines, %d to %d files, %d to %d threads\n",
		s.First.RSS, s.Final.RSS, s.First.Goroutines, s.Final.Goroutines, s.First.Files, s.Final.Files, s.First.Threads, s.Final.Threads)
	fmt.Printf("log: %d lines, the most frequent:\n", s.LogLines)
	top(s.Log)
	if len(s.Failures) == 0 {
		fmt.Println("\nPASS")
		return
	}
	fmt.Printf("\nFAILED, %d:\n", len(s.Failures))
	for _, f := range s.Failures {
		fmt.Println("  " + f)
	}
}

func (a *account) print(kind string) {
	fmt.Printf("%-22s %8d %8d %8d %6d %9d %6d %10v\n", kind, a.Issued, a.Done, a.Refused, a.Cut, a.GivenUp, a.Lost, a.Slowest.Round(time.Millisecond))
}

// top prints the ten most frequent.
func top(counts map[string]int) {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, key := range keys[:min(10, len(keys))] {
		fmt.Printf("  %6d  %.200s\n", counts[key], key)
	}
}
