package accessory

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Commands, as [Stats] names them.
const (
	CommandWake    = "wake"
	CommandStandby = "standby"
	CommandStart   = "start"   // a title
	CommandHome    = "home"    // the home screen
	CommandKeys    = "keys"    // keys pressed together; each of HomeKit's by itself
	CommandSession = "session" // what else needs the console's session: text
	CommandLink    = "link"
)

// commandNames returns all of them.
func commandNames() []string {
	return []string{CommandWake, CommandStandby, CommandStart, CommandHome, CommandKeys, CommandSession, CommandLink}
}

// Stats counts what a television did since New. The counts only grow.
type Stats struct {
	Polls    uint64         // answered or not, without those that a write cut short
	Missed   uint64         // those without an answer
	Commands []CommandStats // one for each command
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
	Buckets []uint64 // for each of Bounds, the number that took at most this long
	Sum     time.Duration
}

// Bounds returns the upper bounds of a [Histogram]'s buckets: a key in an open
// session takes a fraction of a second, a title in rest mode up to 90 s.
func Bounds() []time.Duration {
	return []time.Duration{
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
		5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 60 * time.Second, 90 * time.Second,
	}
}

// Stats returns the current counts.
func (t *Television) Stats() Stats {
	t.mu.Lock()
	lost := t.queue.lost
	t.mu.Unlock()
	s := t.counts.stats()
	s.Commands[slices.Index(commandNames(), CommandKeys)].Dropped = lost
	return s
}

// counts are safe for concurrent use; the zero value is usable.
type counts struct {
	mu            sync.Mutex
	polls, missed uint64
	commands      map[string]*CommandStats
}

func (n *counts) polled(answered bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.polls++
	if !answered {
		n.missed++
	}
}

// ended counts a command, unless it ended because the television stopped.
func (n *counts) ended(name string, err error, took time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.command(name)
	switch {
	case err == nil:
		c.Done++
		c.Took.add(took)
	case errors.Is(err, ErrStopped):
	case errors.Is(err, ErrSuperseded), errors.Is(err, context.Canceled):
		c.Cancelled++
	default:
		c.Failed++
	}
}

func (n *counts) command(name string) *CommandStats {
	if n.commands == nil {
		n.commands = map[string]*CommandStats{}
	}
	if n.commands[name] == nil {
		n.commands[name] = &CommandStats{Name: name, Took: Histogram{Buckets: make([]uint64, len(Bounds()))}}
	}
	return n.commands[name]
}

func (h *Histogram) add(took time.Duration) {
	h.Sum += took
	for i, bound := range Bounds() {
		if took <= bound {
			h.Buckets[i]++
		}
	}
}

func (n *counts) stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := Stats{Polls: n.polls, Missed: n.missed}
	for _, name := range commandNames() {
		c := *n.command(name)
		c.Took.Buckets = slices.Clone(c.Took.Buckets)
		s.Commands = append(s.Commands, c)
	}
	return s
}

// commandOf returns the name of a wish.
func commandOf(wish event) string {
	switch w := wish.(type) {
	case setPower:
		if w.power == powerOn {
			return CommandWake
		}
		return CommandStandby
	case selectTitle:
		if w.title != "" {
			return CommandStart
		}
	}
	return CommandHome
}
