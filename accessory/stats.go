package accessory

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Commands, as [Stats] names them.
const (
	CommandWake    = "wake"
	CommandStandby = "standby"
	CommandStart   = "start"   // a title
	CommandHome    = "home"    // the home screen
	CommandKeys    = "keys"    // keys pressed together; HomeKit writes each by itself
	CommandSession = "session" // anything else that uses the console's session: text
	CommandLink    = "link"
)

// Stats counts what a television did since New. The counts only grow.
type Stats struct {
	Polls    uint64 // answered or not, without those that a write cut short
	Missed   uint64 // those without an answer
	Commands [7]CommandStats
}

// CommandStats counts how a command ended. A write from HomeKit that is repeated
// before its end counts once.
type CommandStats struct {
	Name      string
	Done      uint64
	Failed    uint64
	Cancelled uint64 // replaced by another command, or its caller is gone
	Dropped   uint64 // never tried: too many keys waited, or the key before failed
	Took      Histogram
}

// Histogram holds the durations of successful commands, from request to end.
type Histogram struct {
	Buckets [buckets]uint64 // for each of Bounds, the number that took at most this long
	Sum     time.Duration
}

const buckets = 11

// Bounds returns the upper bounds of a [Histogram]'s buckets: a key in an open
// session takes a fraction of a second, a title in rest mode up to 90 s.
func Bounds() [buckets]time.Duration {
	return [buckets]time.Duration{
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
		5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 60 * time.Second, 90 * time.Second,
	}
}

func newStats() Stats {
	var s Stats
	for i, name := range []string{CommandWake, CommandStandby, CommandStart, CommandHome, CommandKeys, CommandSession, CommandLink} {
		s.Commands[i].Name = name
	}
	return s
}

// Stats returns the current counts.
func (t *Television) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

func (s *Stats) command(name string) *CommandStats {
	return &s.Commands[slices.IndexFunc(s.Commands[:], func(c CommandStats) bool { return c.Name == name })]
}

// ended counts a command, unless it ended because the television stopped.
func (s *Stats) ended(name string, err error, began time.Time) {
	c := s.command(name)
	switch {
	case err == nil:
		c.Done++
		took := time.Since(began)
		c.Took.Sum += took
		for i, bound := range Bounds() {
			if took <= bound {
				c.Took.Buckets[i]++
			}
		}
	case errors.Is(err, ErrStopped):
	case errors.Is(err, ErrSuperseded), errors.Is(err, context.Canceled):
		c.Cancelled++
	default:
		c.Failed++
	}
}
