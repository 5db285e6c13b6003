package accessory

import (
	"context"
	"sync"
	"time"
)

// hangAfter is how long a loop may be busy with one thing. Each is bounded by far less; only writing to a slow disk is not.
const hangAfter = 20 * time.Second

// pulse tells whether a loop still turns: it notes since when the loop is busy.
type pulse struct {
	mu    sync.Mutex // not the television's, which a loop that hangs may hold
	since time.Time  // zero: it waits for work
}

func (p *pulse) set(since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = since
}

// beat notes that the loop begins a turn; what it returns is called when the turn is over.
func (p *pulse) beat() (over func()) {
	p.set(time.Now())
	return func() { p.set(time.Time{}) }
}

// beatAfter is beat for work that may take as long as ctx allows: the turn counts from the end of ctx.
func (p *pulse) beatAfter(ctx context.Context) (over func()) {
	begun := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		p.set(time.Now())
		close(begun)
	})
	return func() {
		if !stop() {
			<-begun
		}
		p.set(time.Time{})
	}
}

func (p *pulse) hangs(after time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.since.IsZero() && time.Since(p.since) > after
}

// Hung names a loop of Run that does not turn any more, for a watchdog; it is empty as long as all do. It never blocks.
func (t *Television) Hung() string {
	switch {
	case t.polling.hangs(hangAfter + 4*t.cfg.Poll): // since the last update
		return "polling"
	case t.timing.hangs(hangAfter):
		return "timers"
	case t.working.hangs(hangAfter):
		return "commands"
	}
	return ""
}
