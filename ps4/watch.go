package ps4

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Defaults of WatchOptions.
const (
	defaultInterval = time.Second
	defaultMisses   = 3
)

// WatchOptions says how to follow a console. nil is usable.
type WatchOptions struct {
	// Interval is the time between two polls, and how long each waits for its
	// answer. A console that is not on is polled half as often. Default 1 s.
	Interval time.Duration
	// Misses is how many polls in a row must go unanswered until the console
	// is unreachable, or may move to another address. Default 3.
	Misses int
	// Every sends an update after each poll, not only after a change.
	Every bool
	// Busy, if set, reports whether to poll a console that is not on as often
	// as one that is, because it is about to change.
	Busy func() bool
	// Poke, if set, makes the next poll come at once.
	Poke <-chan struct{}
	// Last is what is known of the console from an earlier run. It is not
	// sent, but shown until polls are answered or missed.
	Last Status
}

// Update is what a poll of a console says about it.
type Update struct {
	// Status is the answer. After a missed poll it is the last one, as
	// unreachable once Misses polls were missed, or as resting if the silence
	// is that of a console that has just gone to rest.
	Status
	Asked   time.Time // when the question left
	Missed  int       // polls in a row without an answer; 0: this one has one
	Offline bool      // the question could not be sent; sent only with Every
}

// Watch follows a console until ctx is done; then the channel is closed. Its
// reader should read until the end.
//
// The first update comes with the first answer or when the console is found to
// be unreachable, and another with each change. Some silences are no change: a
// single missed poll, a question that could not be sent because this machine
// has no link, all consoles of a network falling silent at the same moment (for
// 30 s), and the minute after a console went to rest (docs/protocol.md §1).
//
// A console that has left a poll unanswered is searched for by its host id. It
// moves to the address where it is found if Misses polls were unanswered at the
// old one, the new one is on a network of this machine, and nobody else claims
// the host id.
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
	told     bool
	missed   int
	heard    time.Time // the last answer
	silent   time.Time // when the first missed poll began
	searched time.Time
	offline  bool // the last question could not be sent
	outage   bool // all consoles are silent
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.updates)
	defer w.hold(ctx)()
	w.heard = time.Now()
	for ctx.Err() == nil {
		asked := time.Now()
		before := w.Last
		next := w.poll(ctx, asked)
		changed := w.Last != before || !w.told && w.known() && !w.offline
		if (changed || w.Every) && !w.send(ctx, Update{w.Last, asked, w.missed, w.offline}) {
			return
		}
		if !w.pause(ctx, next) {
			return
		}
	}
}

// hold keeps the network's socket open between polls, and the console listening.
func (w *watcher) hold(ctx context.Context) func() {
	c := w.console
	count := func(n int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.watches += n
	}
	count(1)
	stop, err := c.net.follow(ctx, c)
	if err != nil {
		return func() { count(-1) } // each poll tries again
	}
	return func() {
		stop()
		count(-1)
	}
}

// known reports whether the state is more than what an earlier run left.
func (w *watcher) known() bool { return w.missed == 0 || w.missed >= w.Misses }

func (w *watcher) send(ctx context.Context, u Update) bool {
	select {
	case <-ctx.Done():
		return false
	case w.updates <- u:
		w.told = w.told || w.known() && !w.offline
		return true
	}
}

// pause waits until the given time, or for a poke.
func (w *watcher) pause(ctx context.Context, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case _, open := <-w.Poke:
			if open {
				return true
			}
			w.Poke = nil // closed: it would poke all the time
		}
	}
}

// poll asks once, notes in Last what the console is taken to be, and returns
// when to ask again.
func (w *watcher) poll(ctx context.Context, asked time.Time) time.Time {
	status, err := w.console.askOnce(ctx, w.Interval)
	switch {
	case err == nil:
		w.missed, w.heard, w.offline, w.outage = 0, time.Now(), false, false
		if w.console.HostID() == "" {
			w.console.SetHostID(status.HostID)
		}
		w.Last = status
	case ctx.Err() != nil:
	case errors.Is(err, ErrNoNetwork), !w.console.net.set.LinkUp(w.console.Addr().Addr()):
		w.missed = 0
		if !w.offline {
			w.console.set.Logf("no link to %v: %v", w.console.Addr(), err)
		}
		w.offline = true
	default:
		w.offline = false
		if w.miss(ctx, asked) {
			return asked // it has moved: ask there at once
		}
	}
	if w.Last.State == StateAwake || w.Busy != nil && w.Busy() {
		return asked.Add(w.Interval)
	}
	return asked.Add(2 * w.Interval)
}

// miss counts a poll without an answer and notes what the console is taken to
// be. It reports whether the console has moved to another address.
func (w *watcher) miss(ctx context.Context, asked time.Time) (moved bool) {
	c := w.console
	w.missed++
	if w.missed == 1 {
		w.silent = asked
	} else {
		c.noteSilent() // one may be a lost datagram
	}
	if time.Now().Before(c.DeafUntil()) {
		w.Last = w.taken(StateStandby)
		return false
	}
	if w.missed == 1 || time.Since(w.searched) >= searchAgain {
		w.searched = time.Now()
		c.net.lookFor(ctx)
	}
	if w.missed < w.Misses || time.Since(w.heard) < time.Duration(w.Misses)*w.Interval {
		return false
	}
	if c.move(w.silent) {
		w.missed = 0
		return true
	}
	outage := w.outage
	w.outage = c.net.outage(2*w.Interval + w.Interval/2)
	switch {
	case w.outage:
	case outage: // over: what was missed until now does not count
		w.missed, w.heard = 1, time.Now()
	default:
		w.Last = w.taken(StateUnreachable)
	}
	return false
}

// taken returns the last status with what the console is taken to be now.
func (w *watcher) taken(state State) Status {
	s := w.Last
	s.Addr, s.HostID = w.console.Addr(), cmp.Or(w.console.HostID(), s.HostID)
	s.State, s.TitleID, s.TitleName = state, "", ""
	return s
}
