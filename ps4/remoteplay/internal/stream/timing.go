package stream

import "time"

// What only a console can settle (docs/protocol.md §15).
const (
	maxFPS = 0 // no pictures, as in chiaki-ng; some firmware may refuse it

	probeLimit    = 2 * time.Second        // for the whole probe, which may be useless
	versionsLimit = 500 * time.Millisecond // for the answer to VERSIONS, which may not come
	settle        = 100 * time.Millisecond // from the controller's connection to the first press
	tap           = 90 * time.Millisecond  // how long a tap holds a button: others take 80 to 100 ms
	gap           = 50 * time.Millisecond  // between a release and the next press: 50 to 100 ms

	// A history is sent again as it is, because nothing acknowledges it and the
	// last release has no later packet that repeats it.
	repeats     = 2
	repeatAfter = 20 * time.Millisecond
)

// Timings from other clients.
const (
	stepLimit      = 5 * time.Second // for each answer on the way to the stream
	heartbeatEvery = time.Second
	reportEvery    = 200 * time.Millisecond // of the state and of the media received
	leaveLimit     = 500 * time.Millisecond // for the acknowledgement of DISCONNECT
)
