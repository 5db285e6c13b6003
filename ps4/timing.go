package ps4

import (
	"cmp"
	"context"
	"time"
)

// Timings and their sources. Only a console can settle those marked "console"
// (docs/protocol.md §9).
const (
	// Discovery (docs/protocol.md §1).
	searchEvery    = time.Second             // between SRCH datagrams
	searchBurst    = 3                       // to one console in a second; 5 are allowed, and Discover's two broadcasts reach it too
	statusLimit    = 3 * time.Second         // of a Status without a deadline
	confirmEvery   = 1200 * time.Millisecond // to confirm a title; longer than the interval of a Watch, to use its answers
	shareWithin    = 500 * time.Millisecond  // of a question; consoles answer within milliseconds
	searchGap      = 500 * time.Millisecond  // between two searches of one program
	simulatedWait  = 200 * time.Millisecond  // for the answer of a simulated console to a search of its own
	replyLimit     = 5 * time.Second         // later replies count as unsolicited
	searchAgain    = 30 * time.Second        // between searches for a console that is gone
	outageLimit    = 30 * time.Second        // after it, the silence of all consoles is no longer blamed on the network
	portRetry      = 10 * time.Second        // while LocalPort is taken
	readPause      = 100 * time.Millisecond  // after an error of the socket
	wakeEvery      = 3 * time.Second         // a WAKEUP while the console enters rest mode is lost
	wakeLimit      = 60 * time.Second        // §7
	defaultUDPPort = 1987                    // as pyps4-2ndscreen

	// The door (docs/protocol.md §3). How long it stays open: console.
	launchDelay   = 400 * time.Millisecond // between 250 (playactor) and 500 (ps4-waker)
	dialLimit     = 5 * time.Second
	doorRetries   = 5
	doorBackoff   = 500 * time.Millisecond // doubles up to doorMaxWait
	doorMaxWait   = time.Second
	wokenWait     = time.Second - launchDelay // TCP may refuse for seconds after a wake: tries 1 s apart
	wokenGrace    = 20 * time.Second          // after a wake-up, which explains refusals meanwhile: console
	hungResets    = 3                         // resets in one Open that mean a hanging service
	greetingLimit = 10 * time.Second          // for hello and handshake

	// The session (docs/protocol.md §7).
	answerLimit    = 15 * time.Second // for the result of a command
	writeLimit     = 5 * time.Second
	byeLimit       = 300 * time.Millisecond // for the console to hang up
	heartbeatLimit = 15 * time.Second       // after the first; period and drop rule: console
	heartbeatSlack = time.Second            // a session is dead once two heartbeats and this are overdue
	defaultIdle    = 60 * time.Second       // of a Keeper

	// Keys (docs/protocol.md §7). The taps and holds of two peers differ:
	// console.
	remoteAfterConnect = 1500 * time.Millisecond // before OPEN_RC
	remoteSettle       = 200 * time.Millisecond  // after OPEN_RC and CLOSE_RC
	keyGap             = 200 * time.Millisecond  // after KEY_OFF
	psGap              = 1000 * time.Millisecond // after KEY_OFF of PS, and after a PS hold
	psHold             = 2000 * time.Millisecond
	maxHold            = time.Minute
	remoteIdle         = 3 * time.Second // without a key before CLOSE_RC
	switchUserDelay    = time.Second     // after login, as pyps4-2ndscreen; whether it is needed: console

	// Titles (docs/protocol.md §7). Whether PS must precede boot: console.
	confirmLimit = 20 * time.Second

	// Rest mode (docs/protocol.md §1). How long a console may report 200 after a
	// standby before it falls silent: console.
	leaveTime = 30 * time.Second
)

// mutex is a lock whose waiters can give up. It is a channel, so that
// testing/synctest sees them wait.
type mutex chan struct{}

func newMutex() mutex { return make(mutex, 1) }

func (m mutex) Lock()   { m <- struct{}{} }
func (m mutex) Unlock() { <-m }

// lockWithin locks m, unless life or ctx ends first. It returns the cause then.
func (m mutex) lockWithin(life, ctx context.Context) error {
	select {
	case <-ctx.Done():
	case m <- struct{}{}:
		if life.Err() == nil && ctx.Err() == nil {
			return nil
		}
		m.Unlock()
	}
	return cmp.Or(context.Cause(life), context.Cause(ctx))
}

// within returns a context that ends with ctx or with life, and takes over the
// cause of whichever ends first.
func within(life, ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(life, func() { cancel(context.Cause(life)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// sleep waits for d, or returns the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
