package hapserver

import (
	"cmp"
	"time"
)

// Limits bound what peers may take. A zero field means its default.
type Limits struct {
	Connections   int           // open at once, never less than 8; default 64
	PerAddress    int           // open at once from one address, never less than 8; default 48
	Pairings      int           // controllers that can be paired, never less than 16 (the specification's minimum); default 64
	SetupFailures int           // wrong setup codes until pair-setup is locked; default 100
	SetupHold     time.Duration // how long a connection keeps pair-setup to itself; default 30 s
	Request       time.Duration // from the first byte of a request to its last one; default 10 s
	Idle          time.Duration // between two requests of a connection that is not verified; default 2 min
	Write         time.Duration // for one response or event to be taken; default 5 s
	EventDelay    time.Duration // how long a change waits for others to share its message; default 20 ms
}

// What one request may hold, in bytes (docs/homekit.md §6).
const (
	maxHeader       = 8 << 10
	maxBody         = 64 << 10
	maxStrangerBody = 4 << 10
)

// The least that the caps can be set to: eight verified controllers always get in, and the specification asks for 16 pairings.
const (
	minConnections = 8
	minPairings    = 16
)

func (l Limits) withDefaults() Limits {
	l.Connections = max(minConnections, cmp.Or(l.Connections, 64))
	l.PerAddress = max(minConnections, cmp.Or(l.PerAddress, 48))
	l.Pairings = max(minPairings, cmp.Or(l.Pairings, 64))
	l.SetupFailures = cmp.Or(l.SetupFailures, 100)
	l.SetupHold = cmp.Or(l.SetupHold, 30*time.Second)
	l.Request = cmp.Or(l.Request, 10*time.Second)
	l.Idle = cmp.Or(l.Idle, 2*time.Minute)
	l.Write = cmp.Or(l.Write, 5*time.Second)
	l.EventDelay = cmp.Or(l.EventDelay, 20*time.Millisecond)
	return l
}
