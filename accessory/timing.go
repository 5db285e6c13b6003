package accessory

import "time"

// Times of docs/homekit.md §5, and wakeEvery of docs/protocol.md §7.
const (
	mergeTime    = 100 * time.Millisecond // writes of one scene become one intent
	bootHold     = 60 * time.Second       // Active reads 1 although the console has not confirmed it
	standbyHold  = 30 * time.Second       // Active reads 0 although rest mode has not been seen
	launchLimit  = 90 * time.Second       // from the selection of a title to its start, waking included
	wakeEvery    = 3 * time.Second        // a WAKEUP while the console enters rest mode is lost
	wakeEffect   = 30 * time.Second       // how long after the last WAKEUP a console may still come up
	leaveTime    = 30 * time.Second       // how long after a standby a console may still call itself awake
	retryAfter   = time.Second            // TCP may refuse for seconds after the first reply of a woken console
	obeyTime     = 3 * time.Second        // for a console to obey a standby that it did not answer
	retryMax     = 10 * time.Second       // between tries that the console refuses; each shows on the TV
	doubleTime   = 250 * time.Millisecond // within this a second press of a key makes it a double press
	revertDelay  = 100 * time.Millisecond // from the answer to a write without effect to the event that reverts it
	defaultPoll  = time.Second
	wakeTimeout  = time.Second      // to send one datagram
	keyTimeout   = 30 * time.Second // to open a session and press one key
	saveAfter    = 250 * time.Millisecond
	saveRetry    = 30 * time.Second
	defaultMiss  = 3
	maxKeys      = 64 // keys that wait; 64 arrows take the console about 13 s
	maxName      = 64 // bytes; what HomeKit takes (docs/homekit.md §2)
	maxGivenName = 63 // bytes; names that ps4kit makes (docs/homekit.md §4)
	defaultSlots = 40
	maxSlots     = 90 // (docs/homekit.md §4)
)
