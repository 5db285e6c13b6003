package ps4

import "time"

// Timings, with their evidence. Those marked "console" are what only a console
// can settle (docs/protocol.md §9); one edit here settles them.
const (
	// Discovery (docs/protocol.md §1).
	searchEvery    = time.Second             // SRCH repeats
	searchBurst    = 3                       // to one console in a second; 5 are allowed, and Discover's two broadcasts reach it too
	statusLimit    = 3 * time.Second         // a status without a deadline of its own
	confirmEvery   = 1200 * time.Millisecond // to confirm a title; longer than the interval of a Watch, whose answers serve
	shareWithin    = 500 * time.Millisecond  // a question is shared so long; consoles answer within some ms
	searchGap      = 500 * time.Millisecond  // between two searches of one program
	apartTime      = 200 * time.Millisecond  // for the answer of a simulated console to a search of its own
	replyLimit     = 5 * time.Second         // later replies are strangers'
	searchAgain    = 30 * time.Second        // between searches for a console that is gone
	outageLimit    = 30 * time.Second        // for so long all consoles' silence is the network's
	portRetry      = 10 * time.Second        // while LocalPort is taken
	readPause      = 100 * time.Millisecond  // after an error of the socket
	wakeEvery      = 3 * time.Second         // a WAKEUP during the way into rest mode is lost (§1)
	wakeLimit      = 60 * time.Second        // §7
	defaultUDPPort = 1987                    // as pyps4-2ndscreen

	// The door (docs/protocol.md §3). How long it stays open: console.
	launchDelay   = 400 * time.Millisecond // between 250 (playactor) and 500 (ps4-waker)
	dialLimit     = 5 * time.Second
	doorRetries   = 5
	doorBackoff   = 500 * time.Millisecond // doubles up to doorMaxWait
	doorMaxWait   = time.Second
	wokenWait     = time.Second - launchDelay // after a wake TCP may refuse for seconds: tries 1 s apart
	wokenGrace    = 20 * time.Second          // how long refusals are put down to a wake-up; its end: console
	hungResets    = 3                         // resets in one Open that mean a hanging service
	greetingLimit = 10 * time.Second          // hello and handshake

	// The session (docs/protocol.md §7).
	answerLimit    = 15 * time.Second // a command's result
	writeLimit     = 5 * time.Second
	byeLimit       = 300 * time.Millisecond // for the console to hang up
	heartbeatLimit = 15 * time.Second       // after the first; period and drop rule: console
	heartbeatSlack = time.Second            // a session is dead if two heartbeats and this are overdue
	defaultIdle    = 60 * time.Second       // a Keeper's session without work

	// Keys (docs/protocol.md §7). Two peers' taps and holds differ: console.
	remoteAfterConnect = 1500 * time.Millisecond // no OPEN_RC before
	remoteSettle       = 200 * time.Millisecond  // after OPEN_RC and after CLOSE_RC
	keyGap             = 200 * time.Millisecond  // after KEY_OFF
	psGap              = 1000 * time.Millisecond // after KEY_OFF of PS, and after a PS hold
	psHold             = 2000 * time.Millisecond
	maxHold            = time.Minute
	remoteIdle         = 3 * time.Second // without a key, then CLOSE_RC
	switchUserDelay    = time.Second     // after login, as pyps4-2ndscreen; whether needed: console

	// Titles (docs/protocol.md §7). Whether PS must precede boot: console.
	confirmLimit = 20 * time.Second

	leaveTime = 30 * time.Second // for so long after a standby "awake" may be a console's last word: console
)

// DeafTime is for how long a console that has just gone into rest mode need not
// answer: silence is rest mode until then. 50 to 60 s by users' reports
// (docs/protocol.md §1); the true time only a console can settle.
const DeafTime = 60 * time.Second
