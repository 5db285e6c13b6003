package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// healthLimit is how long /healthz may take: much longer, and a watchdog would be right.
const healthLimit = 4 * time.Second

// sample is what the server had in use while it was calm.
type sample struct {
	At         time.Duration `json:"at_ns"`
	Life       int64         `json:"life"`
	After      string        `json:"after"`
	RSS        int           `json:"rss_kb"`
	Threads    int           `json:"threads"`
	Files      int           `json:"files"`
	Goroutines int           `json:"goroutines"` // -1: /metrics does not tell
}

// watch keeps samples and how fast the server answered.
type watch struct {
	mu      sync.Mutex
	samples []sample
	checks  int
	slowest time.Duration // /healthz
	hungry  time.Duration // the longest time without feeding the watchdog
}

// watchHealth asks for life, as a monitor would, until ctx is done.
func (s *soak) watchHealth(ctx context.Context) {
	for s.server.await(ctx) {
		life, _ := s.server.isUp()
		began := time.Now()
		_, _, err := fetch(ctx, "/healthz")
		took := time.Since(began)
		if now, _ := s.server.isUp(); err != nil && now == life && ctx.Err() == nil {
			s.fail("/healthz after %v: %v", took, err)
		}
		hungry := s.server.hungry()
		if now, up := s.server.isUp(); hungry > watchdogLimit && now == life && up {
			s.fail("the watchdog was not fed for %v", hungry)
		}
		s.watch.note(took, hungry)
		pause(ctx, 200*time.Millisecond)
	}
}

func (w *watch) note(took, hungry time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checks++
	w.slowest, w.hungry = max(w.slowest, took), max(w.hungry, hungry)
}

// sample reads what the server has in use.
func (w *watch) sample(v *server, after string) {
	life, up := v.isUp()
	if !up {
		return
	}
	proc := filepath.Join("/proc", strconv.Itoa(v.cmd.Process.Pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		v.s.fail("reading the server's memory: %v", err)
		return
	}
	files, _ := os.ReadDir(filepath.Join(proc, "fd"))
	_, metrics, _ := fetch(context.Background(), "/metrics")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = append(w.samples, sample{
		At: time.Since(v.s.began), Life: life, After: after, Files: len(files),
		RSS: number(string(status), "VmRSS:"), Threads: number(string(status), "Threads:"), Goroutines: number(metrics, "go_goroutines "),
	})
}

// number finds the number behind a name at the begin of a line; -1: there is none.
func number(text, name string) int {
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, name); found {
			if n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64); err == nil {
				return int(n)
			}
		}
	}
	return -1
}

// longest returns the samples of the longest life.
func (w *watch) longest() []sample {
	lives := map[int64][]sample{}
	var best []sample
	for _, x := range w.samples {
		lives[x.Life] = append(lives[x.Life], x)
		if len(lives[x.Life]) > len(best) {
			best = lives[x.Life]
		}
	}
	return best
}

// enough samples for growth: with fewer, which phones are connected decides.
const enough = 12

// growth compares the end of the longest life with its begin, and says what grew by
// more than may be: medians of a third each, so that no single sample decides.
func (w *watch) growth() (first, final sample, grew []string) {
	life := w.longest()
	third := len(life) / 3
	if third == 0 {
		return first, final, nil
	}
	first, final = median(life[:third]), median(life[len(life)-third:])
	if len(life) < enough {
		return first, final, nil
	}
	for _, x := range []struct {
		name           string
		before, after  int
		slack, percent int
	}{
		{"resident kB", first.RSS, final.RSS, 4096, 15},
		{"goroutines", first.Goroutines, final.Goroutines, 10, 10},
		{"open files", first.Files, final.Files, 6, 10},
		{"threads", first.Threads, final.Threads, 6, 20},
	} {
		if x.after > x.before+x.slack+x.before*x.percent/100 {
			grew = append(grew, fmt.Sprintf("%s grew from %d to %d", x.name, x.before, x.after))
		}
	}
	return first, final, grew
}

// median is the median of each figure by itself.
func median(list []sample) sample {
	of := func(field func(sample) int) int {
		var all []int
		for _, x := range list {
			all = append(all, field(x))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return sample{
		RSS: of(func(x sample) int { return x.RSS }), Goroutines: of(func(x sample) int { return x.Goroutines }),
		Files: of(func(x sample) int { return x.Files }), Threads: of(func(x sample) int { return x.Threads }),
	}
}
