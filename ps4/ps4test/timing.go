package ps4test

import "time"

// Timing holds every delay and time limit of a simulated console. Zero means no
// delay or no limit.
type Timing struct {
	Wake    time.Duration // from WAKEUP to the first 200
	Service time.Duration // how long LAUNCH is still ignored after the first 200

	StandbyDelay  time.Duration // from the standby result to 620 and the drop of connections
	BeforeSilence time.Duration // how long the console answers 620 before the silence
	Silence       time.Duration // how long it answers nothing and loses every WAKEUP

	DoorDelay time.Duration // from LAUNCH until TCP accepts connections
	DoorOpen  time.Duration // how long TCP accepts after the last LAUNCH; 0: until rest mode
	Handshake time.Duration // limit on the hello and handshake of a connection, or on its Remote Play request

	Heartbeat time.Duration // period; 0: no heartbeats
	Grace     time.Duration // a client that answers no heartbeat for this long is dropped

	// Remote Play (docs/protocol.md §14).
	ControlGap time.Duration // a control connection sooner after the end of init gets no reply
	Login      time.Duration // from the reply to control to the login
	InUse      time.Duration // how long a session that failed before the login blocks further ones

	// Limits of keys, with Config.StrictKeys alone.
	RemoteReady time.Duration // an OPEN_RC sooner than this after the connection is ignored
	KeyGap      time.Duration // a press sooner than this after KEY_OFF or OPEN_RC is ignored
	KeyGapPS    time.Duration // the same after a PS press
	RemoteIdle  time.Duration // remote control closes after this long without an operation

	Boot   time.Duration // from the boot until DDP reports the title
	Dialog time.Duration // how long the quit dialogue waits for enter
	Quit   time.Duration // from enter until the old title has ended
}

// RealTiming returns the delays of a real console as far as they are known
// (docs/protocol.md §1, §3, §7). The limits of keys are a quarter shorter than
// the gaps that clients keep, because the network may move packets closer
// together. Heartbeat, Grace, DoorOpen, Boot and Dialog are guesses (§9).
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
		ControlGap:    time.Millisecond,
		Login:         50 * time.Millisecond,
		InUse:         90 * time.Second,
		RemoteReady:   1125 * time.Millisecond,
		KeyGap:        150 * time.Millisecond,
		KeyGapPS:      750 * time.Millisecond,
		RemoteIdle:    time.Minute,
		Boot:          5 * time.Second,
		Dialog:        20 * time.Second,
		Quit:          2 * time.Second,
	}
}

// DemoTiming returns RealTiming without the long waits, for demonstrations:
// nothing takes more than a few seconds.
func DemoTiming() Timing {
	t := RealTiming()
	t.Wake = 3 * time.Second
	t.Service = 500 * time.Millisecond
	t.StandbyDelay = time.Second
	t.BeforeSilence = 0
	t.Silence = 5 * time.Second
	t.InUse = 10 * time.Second
	t.Boot = 2 * time.Second
	t.Quit = 500 * time.Millisecond
	return t
}

// FastTiming returns delays of milliseconds and no limits of keys, for tests
// over real sockets. Limits on the client stay generous.
func FastTiming() Timing {
	return Timing{
		Wake:         20 * time.Millisecond,
		StandbyDelay: 10 * time.Millisecond,
		Silence:      20 * time.Millisecond,
		DoorOpen:     10 * time.Second,
		Handshake:    10 * time.Second,
		Heartbeat:    50 * time.Millisecond,
		Grace:        10 * time.Second,
		ControlGap:   time.Millisecond,
		Login:        10 * time.Millisecond,
		InUse:        time.Minute,
		RemoteIdle:   time.Minute,
		Boot:         10 * time.Millisecond,
		Dialog:       10 * time.Second,
		Quit:         10 * time.Millisecond,
	}
}
