package ps4

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Defaults of WatchOptions.
const (
	defaultInterval = time.Second
	defaultMisses   = 3
)

// WatchOptions configures [Watch]. Nil is valid; a zero field means its
// default.
type WatchOptions struct {
	// Interval is the time between two polls, and how long each waits for its
	// answer. A console that is not awake is polled half as often. A poll may
	// start up to an eighth of the interval early or late, to coincide with
	// those of other consoles. Default: 1 s.
	Interval time.Duration
	// Misses is how many polls in a row must go unanswered before the console
	// is unreachable or may move to another address. Default: 3.
	Misses int
	// Every sends an update after each poll, not only after a change.
	Every bool
	// Busy, if set, reports whether the console is about to change. While it
	// returns true, a console that is not awake is polled as often as one that
	// is.
	Busy func() bool
	// Poke, if set, makes the next poll start at once whenever a value arrives.
	Poke <-chan struct{}
	// Last is the status known from an earlier run. It is not sent, but later
	// updates carry it until polls have been answered or missed.
	Last Status
}

// An Update is the result of one poll.
type Update struct {
	// Status is what the console reported. After a missed poll it is the last
	// report: with StateUnreachable once WatchOptions.Misses polls were missed,
	// or with StateStandby while the silence is that of [DeafTime].
	Status
	Asked   time.Time // when the poll began
	Missed  int       // polls in a row without an answer; 0 after an answer
	Offline bool      // the question could not be sent; only with WatchOptions.Every

	DeafUntil time.Time // see [Console.DeafUntil]
}

// Watch polls a console and sends an update after each change, until ctx is
// done; then it closes the channel. The caller must keep receiving until then.
// The first update comes with the first answer, or when the console turns out
// to be unreachable. Watch learns the console's host id from the first answer,
// if none is set.
//
// Some silences are not a change: fewer missed polls than Misses; a question
// that could not be sent, because this machine has no link or the network is
// closed; all consoles of a network falling silent at the same moment, for 30
// s; and the minute after a console entered rest mode (docs/protocol.md §1).
//
// After a missed poll Watch searches for the console by its host id, every 30 s
// at most. The console moves to the address where it is found if Misses polls
// went unanswered at its own, no third address claims the same host id, and the
// new address is on a network of this machine. Options.Warnf reports it.
func Watch(ctx context.Context, c *Console, o *WatchOptions) <-chan Update {
	w := &watcher{console: c, updates: make(chan Update)}
	if o != nil {
		w.WatchOptions = *o
	}
	w.Interval = cmp.Or(w.Interval, defaultInterval)
	w.Misses = cmp.Or(w.Misses, defaultMisses)
	go w.run(ctx)
	return w.updates
}

// watcher is the state of one Watch.
type watcher struct {
	WatchOptions
	console  *Console
	updates  chan Update
	sent     bool // an update that was certain
	missed   int
	heard    time.Time // the last answer
	silent   time.Time // when the first missed poll began
	searched time.Time
	offline  bool // the last question could not be sent
	outage   bool // all consoles are silent
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.updates)
	w.console.watches.Add(1)
	defer w.console.watches.Add(-1)
	n := w.console.net
	if _, stop, err := n.follow(ctx, w.console, n.shared); err == nil {
		defer stop() // between polls the socket stays open and the console listens
	}
	w.heard = time.Now()
	for ctx.Err() == nil {
		asked := time.Now()
		before := w.Last
		next := w.poll(ctx, asked)
		changed := w.Last != before || !w.sent && w.certain()
		if changed || w.Every {
			select {
			case <-ctx.Done():
				return
			case w.updates <- Update{w.Last, asked, w.missed, w.offline, w.console.DeafUntil()}:
				w.sent = w.sent || w.certain()
			}
		}
		w.pause(ctx, next)
	}
}

// certain reports whether the state is known from this run: from an answer, or
// from enough missed polls.
func (w *watcher) certain() bool {
	return !w.offline && (w.missed == 0 || w.missed >= w.Misses)
}

// pause waits until the given time, or for a poke.
func (w *watcher) pause(ctx context.Context, until time.Time) {
	due := time.After(time.Until(until))
	for {
		select {
		case <-ctx.Done():
			return
		case <-due:
			return
		case _, open := <-w.Poke:
			if open {
				return
			}
			w.Poke = nil // a closed channel would poke all the time
		}
	}
}

// poll asks once, updates Last, and returns when to ask again.
func (w *watcher) poll(ctx context.Context, asked time.Time) time.Time {
	c := w.console
	status, err := c.Ask(ctx, w.Interval)
	silent := errors.Is(err, ErrSilent) || errors.Is(err, ErrOtherConsole)
	switch {
	case err == nil:
		w.missed, w.heard, w.offline, w.outage = 0, time.Now(), false, false
		if c.HostID() == "" {
			c.SetHostID(status.HostID)
		}
		w.Last = status
	case ctx.Err() != nil:
	case silent && c.net.set.LinkUp(c.Addr().Addr()):
		w.offline = false
		if w.miss(ctx, asked) {
			return asked // it has moved: ask there at once
		}
	default:
		w.missed = 0
		if !w.offline {
			c.set.Logf("cannot ask %v: %v", c.Addr(), err)
		}
		w.offline = true
	}
	next := asked.Add(w.Interval)
	if w.Last.State != StateAwake && (w.Busy == nil || !w.Busy()) {
		next = next.Add(w.Interval)
	}
	// Start on the nearest quarter of the interval, together with the polls of
	// other consoles: waking this machine up costs more than the poll itself.
	return next.Add(next.Round(w.Interval / 4).Sub(next)) // next.Round alone would follow a clock that is set
}

// miss counts a poll without an answer and updates Last. It reports whether the
// console has moved to another address.
func (w *watcher) miss(ctx context.Context, asked time.Time) (moved bool) {
	c := w.console
	w.missed++
	if w.missed == 1 {
		w.silent = asked
	} else {
		c.mu.Lock()
		c.power.left = true // one may be a lost datagram
		c.mu.Unlock()
	}
	if time.Now().Before(c.DeafUntil()) {
		w.Last = c.presumed(w.Last, StateStandby)
		return false
	}
	if w.missed == 1 || time.Since(w.searched) >= searchAgain {
		w.searched = time.Now()
		c.net.lookFor(ctx, c)
	}
	if w.missed < w.Misses || time.Since(w.heard) < time.Duration(w.Misses)*w.Interval {
		return false
	}
	if c.move(w.silent) {
		w.missed = 0
		return true
	}
	before := w.outage
	w.outage = c.net.outage(2*w.Interval + w.Interval/2)
	switch {
	case w.outage:
	case before: // it is over: the polls missed during it do not count
		w.missed, w.heard = 1, time.Now()
	default:
		w.Last = c.presumed(w.Last, StateUnreachable)
	}
	return false
}

// movement is where the host id of a silent console was seen. Any machine on
// the network can forge such a reply, so a console moves only if it is silent
// at its own address and just one other address claims its host id.
type movement struct {
	to     netip.AddrPort
	seen   time.Time // the last reply from there
	rival  time.Time // the last reply from a third address
	warned bool      // the owner was warned of a rival
}

// seenElsewhere notes that a reply with the console's host id came from another
// address; c.mu is held. It returns a warning for the owner, or "".
func (c *Console) seenElsewhere(at netip.AddrPort) (warning string) {
	m := &c.moved
	now := time.Now()
	if m.to.Addr() == at.Addr() || now.Sub(m.seen) > searchAgain {
		if m.to.Addr() != at.Addr() || isReal(m.to) {
			m.to = at // else the port of a simulated console is known already
		}
		m.seen = now
		return ""
	}
	m.rival = now
	if m.warned {
		return ""
	}
	m.warned = true
	return fmt.Sprintf("%v and %v both claim to be console %s: keeping %v", m.to.Addr(), at.Addr(), c.hostID, c.addr.Addr())
}

// move changes the console's address to the one where it was seen since the
// given time, if it is the only one and on a network of this machine.
func (c *Console) move(since time.Time) bool {
	c.mu.Lock()
	m, from := c.moved, c.addr
	c.mu.Unlock()
	if m.seen.Before(since) || !m.rival.Before(since) || !c.net.set.OnLink(m.to.Addr()) {
		return false
	}
	c.mu.Lock()
	if c.moved != m || c.addr != from {
		c.mu.Unlock()
		return false
	}
	c.setAddr(m.to)
	id := c.hostID
	c.mu.Unlock()
	c.set.Warnf("console %s has moved from %v to %v", id, from.Addr(), m.to.Addr())
	return true
}
