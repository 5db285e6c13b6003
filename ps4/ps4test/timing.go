package ps4test

import "time"

// Timing holds every delay of a simulated console. Zero means at once, or no
// limit where the field is a limit.
type Timing struct {
	Wake    time.Duration // from WAKEUP until the first 200
	Service time.Duration // after the first 200, how long LAUNCH is still ignored

	StandbyDelay  time.Duration // from a standby's answer until connections drop and the state is 620
	BeforeSilence time.Duration // how long 620 is answered before the silence
	Silence       time.Duration // how long nothing is answered and every WAKEUP is lost

	DoorDelay time.Duration // from LAUNCH until TCP accepts
	DoorOpen  time.Duration // how long TCP then accepts; a LAUNCH starts it anew; 0: until rest mode
	Handshake time.Duration // limit for hello and handshake of a connection

	Heartbeat time.Duration // period; 0: no heartbeats
	Grace     time.Duration // a client that answers no heartbeat for so long is dropped

	RemoteReady time.Duration // an OPEN_RC sooner than this after the connect is ignored
	KeyGap      time.Duration // a press sooner than this after a KEY_OFF or OPEN_RC is ignored
	KeyGapPS    time.Duration // the same after a PS press
	RemoteIdle  time.Duration // remote control closes by itself after so long without an operation

	Boot   time.Duration // from the boot until DDP shows the title
	Dialog time.Duration // how long the quit dialogue waits for enter
	Quit   time.Duration // from enter until the old title is gone
}

// RealTiming returns the delays of a real console, as far as they are known
// (docs/protocol.md §1, §3, §7). Gaps that clients are told to keep are a
// quarter shorter here, because what was sent apart may arrive closer together.
// Not known from any console, and therefore guesses (§9): Heartbeat, Grace,
// DoorOpen, Boot, Dialog.
func RealTiming() Timing {
	return Timing{
		Wake:          20 * time.Second,
		Service:       3 * time.Second,
		StandbyDelay:  3 * time.Second,
		BeforeSilence: time.Second,
		Silence:       50 * time.Second,
		DoorDelay:     200 * time.Millisecond,
		DoorOpen:      10 * time.Second,
		Handshake:     10 * time.Second,
		Heartbeat:     5 * time.Second,
		Grace:         15 * time.Second,
		RemoteReady:   1125 * time.Millisecond,
		KeyGap:        150 * time.Millisecond,
		KeyGapPS:      750 * time.Millisecond,
		RemoteIdle:    time.Minute,
		Boot:          5 * time.Second,
		Dialog:        20 * time.Second,
		Quit:          2 * time.Second,
	}
}

// DemoTiming returns RealTiming without the long waits, for people who try a
// program: everything takes a few seconds at most.
func DemoTiming() Timing {
	t := RealTiming()
	t.Wake = 3 * time.Second
	t.Service = 500 * time.Millisecond
	t.StandbyDelay = time.Second
	t.BeforeSilence = 0
	t.Silence = 5 * time.Second
	t.Boot = 2 * time.Second
	t.Quit = 500 * time.Millisecond
	return t
}

// FastTiming returns delays of milliseconds, for tests over real sockets, and no
// minimum gaps between keys. Limits on the client stay generous.
func FastTiming() Timing {
	return Timing{
		Wake:         20 * time.Millisecond,
		StandbyDelay: 10 * time.Millisecond,
		Silence:      20 * time.Millisecond,
		DoorOpen:     10 * time.Second,
		Handshake:    10 * time.Second,
		Heartbeat:    50 * time.Millisecond,
		Grace:        10 * time.Second,
		RemoteIdle:   time.Minute,
		Boot:         10 * time.Millisecond,
		Dialog:       10 * time.Second,
		Quit:         10 * time.Millisecond,
	}
}
