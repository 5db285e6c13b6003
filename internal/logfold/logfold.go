// Package logfold keeps the log of a server that runs for months short. What is said
// again and again is said once, and then how often:
//
//	10:00:00 warn  the disk is full
//	10:05:00 warn  the disk is full (repeated 12 times in 5m0s)
//	10:15:00 warn  the disk is full (repeated 24 times in 10m0s)
//
// The first of equal lines is never held back. Lines are equal when level, message and
// fields are.
package logfold

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	firstWindow = 5 * time.Minute // in which equal lines are counted
	lastWindow  = time.Hour       // each window is twice as long as the one before, up to this
	maxRuns     = 256             // different lines that are remembered; the oldest gives way
)

// New returns a logger whose lines come out of to, with to's formatter and hooks,
// repeated ones folded. Debug lines are not: who asks for them wants all. Close stops
// folding and tells the counts that were not told yet.
func New(to *logrus.Logger) (log *logrus.Logger, closeLog func()) {
	f := &folder{to: to, runs: map[string]*run{}}
	log = logrus.New()
	log.SetLevel(to.GetLevel())
	log.SetOutput(io.Discard)
	log.SetFormatter(nothing{})
	log.AddHook(f)
	return log, f.close
}

// nothing is the formatter of a logger whose lines are its hook's business.
type nothing struct{}

// Format implements logrus.Formatter.
func (nothing) Format(*logrus.Entry) ([]byte, error) { return nil, nil }

// folder is the hook that decides what goes on.
type folder struct {
	to *logrus.Logger

	mu     sync.Mutex
	closed bool
	runs   map[string]*run // by level, message and fields
}

// run is equal lines.
type run struct {
	first  *logrus.Entry
	since  time.Time // when its window began
	window time.Duration
	again  int // lines since then
	timer  *time.Timer
}

// Levels implements logrus.Hook.
func (*folder) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (f *folder) Fire(entry *logrus.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if entry.Level >= logrus.DebugLevel || f.closed {
		f.pass(entry, entry.Time, entry.Message)
		return nil
	}
	key := fmt.Sprint(entry.Level, entry.Message, entry.Data)
	if r := f.runs[key]; r != nil {
		r.again++
		return nil
	}
	f.makeRoom()
	f.begin(key, entry)
	f.pass(entry, entry.Time, entry.Message)
	return nil
}

// pass lets a line out.
func (f *folder) pass(entry *logrus.Entry, at time.Time, message string) {
	f.to.WithFields(entry.Data).WithTime(at).Log(entry.Level, message)
}

func (f *folder) begin(key string, entry *logrus.Entry) {
	r := &run{first: entry.Dup(), since: time.Now(), window: firstWindow}
	r.first.Level, r.first.Message = entry.Level, entry.Message
	r.timer = time.AfterFunc(r.window, func() { f.windowEnds(key, r) })
	f.runs[key] = r
}

// windowEnds tells a count and begins a longer window, or forgets a line that was not
// repeated.
func (f *folder) windowEnds(key string, r *run) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.runs[key] != r: // it gave way meanwhile
	case r.again == 0:
		delete(f.runs, key)
	default:
		f.tell(r)
		r.window = min(2*r.window, lastWindow)
		r.since, r.again = time.Now(), 0
		r.timer.Reset(r.window)
	}
}

func (f *folder) tell(r *run) {
	if r.again > 0 {
		f.pass(r.first, time.Now(), fmt.Sprintf("%s (repeated %s in %v)", r.first.Message, times(r.again), time.Since(r.since).Round(time.Second)))
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// makeRoom ends the run whose window began first, if there are too many.
func (f *folder) makeRoom() {
	if len(f.runs) < maxRuns {
		return
	}
	oldest := ""
	for key, r := range f.runs {
		if oldest == "" || r.since.Before(f.runs[oldest].since) {
			oldest = key
		}
	}
	f.end(oldest)
}

func (f *folder) end(key string) {
	r := f.runs[key]
	r.timer.Stop()
	delete(f.runs, key)
	f.tell(r)
}

func (f *folder) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for key := range f.runs {
		f.end(key)
	}
}
