package ps4

import (
	"cmp"
	"context"
	"time"
)

// Defaults of WatchOptions.
const (
	defaultInterval = 5 * time.Second
	defaultMisses   = 3
	searchAgain     = 30 * time.Second // between searches for a console that is gone
	searchTime      = 2 * time.Second
)

// WatchOptions says how to follow a console. nil is usable.
type WatchOptions struct {
	Interval time.Duration // between polls; default 5 s
	Misses   int           // polls without an answer until it is unreachable; default 3
	// Poke, if set, makes the next poll come at once. Closing it ends that.
	Poke <-chan struct{}
	// Search finds consoles, when this one is gone, in case it has another
	// address now. Default: Discover for 2 s with the console's options.
	Search func(context.Context) ([]Status, error)
}

// Watch follows the state of a console until ctx is done; then the channel is
// closed. The first status comes with the first answer, or when the console is
// found to be unreachable, and another with each change. Its reader should
// read until the end.
//
// A missed poll is not a change: the console is unreachable after several, and
// for a minute after it went to rest, when it answers nothing
// (docs/protocol.md §1), it is still StateStandby. A console that is gone is
// searched for by its host id; its address is set to the new one.
func Watch(ctx context.Context, c *Console, o *WatchOptions) <-chan Status {
	w := newWatcher(c, o)
	go w.run(ctx)
	return w.changes
}

// watcher is what one Watch knows.
type watcher struct {
	WatchOptions
	console  *Console
	changes  chan Status
	last     Status
	told     bool
	missed   int
	searched time.Time
	rested   time.Time // when it was last known to rest
	awake    time.Time // when it last said that it is on
}

func newWatcher(c *Console, o *WatchOptions) *watcher {
	w := &watcher{console: c, changes: make(chan Status)}
	if o != nil {
		w.WatchOptions = *o
	}
	w.Interval = cmp.Or(w.Interval, defaultInterval)
	w.Misses = cmp.Or(w.Misses, defaultMisses)
	if w.Search == nil {
		w.Search = func(ctx context.Context) ([]Status, error) {
			return Discover(ctx, searchTime, &c.set.Options)
		}
	}
	return w
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.changes)
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-w.Poke:
			if !open {
				w.Poke = nil // it would poke all the time
				continue
			}
		case <-next.C:
		}
		next.Reset(w.Interval)
		status, known := w.poll(ctx)
		if !known || w.told && status == w.last {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case w.changes <- status:
			w.last, w.told = status, true
		}
	}
}

// poll asks once and says what the console's status is, if that is known.
func (w *watcher) poll(ctx context.Context) (Status, bool) {
	status, err := w.console.statusWithin(ctx, min(statusLimit, w.Interval))
	if err != nil {
		w.missed++
		return w.missing(ctx)
	}
	w.missed = 0
	if w.console.HostID() == "" {
		w.console.SetHostID(status.HostID)
	}
	if status.State == StateStandby {
		w.rested = time.Now()
	} else {
		w.awake = time.Now()
	}
	return status, true
}

// missing says what a console is that has not answered.
func (w *watcher) missing(ctx context.Context) (Status, bool) {
	if ctx.Err() != nil {
		return Status{}, false
	}
	status := w.last
	if rested := w.console.restedAt(); rested.After(w.rested) {
		w.rested = rested
	}
	if time.Since(w.rested) < DeafTime && w.awake.Sub(w.rested) < goingDown {
		status.State, status.TitleID, status.TitleName = StateStandby, "", ""
		return status, w.told
	}
	if w.missed < w.Misses {
		return Status{}, false
	}
	if found, ok := w.find(ctx); ok {
		return found, true
	}
	status.Addr, status.HostID = w.console.Addr(), w.console.HostID()
	status.State, status.TitleID, status.TitleName = StateUnreachable, "", ""
	return status, true
}

// find looks for the console at another address.
func (w *watcher) find(ctx context.Context) (Status, bool) {
	id := w.console.HostID()
	if id == "" || time.Since(w.searched) < searchAgain {
		return Status{}, false
	}
	w.searched = time.Now()
	found, err := w.Search(ctx)
	if err != nil {
		w.console.set.Logf("ps4: searching for %s: %v", id, err)
	}
	for _, s := range found {
		if s.HostID == id {
			w.missed = 0
			w.console.SetAddr(s.Addr)
			return s, true
		}
	}
	return Status{}, false
}
