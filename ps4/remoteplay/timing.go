package remoteplay

import "time"

// Timings that only a console can settle (docs/protocol.md §14).
const (
	searchWait   = 300 * time.Millisecond // for the answer to the search word before a session
	controlPause = 200 * time.Millisecond // between the end of init and the control connection; 1.2 ms worked once
	replyLimit   = 5 * time.Second        // for the reply to init or control
	restartPause = time.Second            // after silence, before the session starts again
	readyPause   = 5 * time.Second        // the same if the console has just been woken
	loginLimit   = 10 * time.Second       // from the reply to control to LOGIN
	standbyLimit = 30 * time.Second       // for discovery to stop reporting a console as on
	silenceLimit = 60 * time.Second       // for a console that fell silent to report rest mode; some take 20 s
	inUsePause   = 2 * time.Minute        // after ErrInUse; each attempt before may extend it
	defaultIdle  = 10 * time.Second       // before an unused session is closed
	idLimit      = 5 * time.Second        // for the session id, which may not come; 3 s is normal
	psHold       = time.Second            // how long PS is held to open the quick menu or the home screen

	// defaultKeyLinger is how long a stream waits for the next key. Opening
	// one takes a real console seconds.
	defaultKeyLinger = 45 * time.Second
)

// Timings from the protocol and from its other clients.
const (
	dialLimit     = 5 * time.Second
	refusedPause  = time.Second            // before a refused connection is tried once more
	eofLimit      = time.Second            // for the console to close after init
	registerPause = 200 * time.Millisecond // between the answer to the search word and the connection
	registerLimit = 10 * time.Second       // for the answer to the search word; other clients wait 3 to 30 s
	pollEvery     = time.Second            // of discovery, and between search words and between WAKEUPs
	wakeSends     = 3                      // WAKEUPs
	wakePolls     = 2                      // discovery asks at each second of these
	wakeLimitPS5  = 30 * time.Second
	wakeLimitPS4  = 45 * time.Second // about 20 s is normal
	wokenGrace    = time.Minute      // a console may not be ready for so long after a WAKEUP
	silentLimit   = 30 * time.Second // of a session without frames
	writeLimit    = 5 * time.Second
	ackLimit      = 5 * time.Second // for the answer to a frame; 0.1 s is normal
	maxHold       = time.Minute
	keyboardLimit = 3 * time.Second // for the console to say that its keyboard is open
)
