package ps4test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/ps4"
)

// Counters are exact counts of everything a console received, sent and refused.
type Counters struct {
	Datagrams       int // received, of any kind
	DatagramsLost   int // of these: lost to silence or a fault
	BadDatagrams    int // of these: not a request
	Searches        int
	Replies         int
	RepliesLost     int
	Wakeups         int
	WakeupsIgnored  int // of these: wrong credential, or already awake
	Launches        int
	LaunchesIgnored int

	Connections    int // accepted by TCP
	Packets        int // received after the handshake
	UnknownPackets int
	ProtocolErrors int // connections ended by malformed bytes
	Dropped        int // connections ended by unanswered heartbeats

	// Of Remote Play:
	Registrations    int
	Inits            int
	Controls         int
	RemotePlayLogins int
	Frames           int
	Homes            int // presses of the PS button

	// Of Remote Play's streams:
	Streams         int // opened
	StreamsClosed   int // by the client
	StreamPackets   int // received
	StreamErrors    int // of these: malformed, out of place, or with a wrong signature
	ButtonsLeftDown int // when a stream ended
	MediaBytes      int // sent

	Logins           int
	LoginsRefused    int
	Heartbeats       int // sent
	Statuses         int
	Operations       int // remote-control operations
	OpsIgnored       int // of these: remote control closed, or too soon
	RemoteLeftOpen   int // boot, standby or bye without CLOSE_RC before
	Boots            int
	Standbys         int
	KeyboardControls int
	Logouts          int
	Byes             int
}

// records is the history of a console, for tests.
type records struct {
	counters  Counters
	keys      []Key
	logins    []Login
	boots     []Boot
	submitted []string
}

// keep is the length limit of each record, since a console may run for months.
const keep = 1000

// add appends to a record and drops the oldest entry of a full one. It never
// changes slices that were returned earlier.
func add[T any](list []T, entry T) []T {
	if len(list) >= keep {
		list = slices.Clone(list[1:])
	}
	return append(list, entry)
}

// Snapshot is the state of a console at one instant. Callers must not change
// its slices.
type Snapshot struct {
	State       ps4.State
	Ready       bool  // awake, and obeys LAUNCH
	Title       Title // running
	Asking      bool  // the quit dialogue is shown
	DoorOpen    bool
	Connections int  // open now
	LoggedIn    bool // a session is logged in
	Keyboard    bool // the on-screen keyboard is open
	Text        string
	Keys        []Key    // the last 1000 operations
	Logins      []Login  // the last 1000
	Boots       []Boot   // the last 1000
	Submitted   []string // the last 1000 texts that clients have submitted
	Counters    Counters
}

// Snapshot returns the current state.
func (c *Console) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshotLocked()
}

func (c *Console) snapshotLocked() Snapshot {
	state := ps4.StateStandby
	switch {
	case c.power.deaf:
		state = ps4.StateUnreachable
	case c.power.awake:
		state = ps4.StateAwake
	}
	return Snapshot{
		State:       state,
		Ready:       c.power.ready(),
		Title:       c.titles.running,
		Asking:      c.titles.asking,
		DoorOpen:    c.door.open,
		Connections: len(c.conns),
		LoggedIn:    c.active != nil || c.rp.session != nil && c.rp.session.loggedIn,
		Keyboard:    c.screen.open,
		Text:        c.screen.text,
		Keys:        slices.Clip(c.log.keys),
		Logins:      slices.Clip(c.log.logins),
		Boots:       slices.Clip(c.log.boots),
		Submitted:   slices.Clip(c.log.submitted),
		Counters:    c.log.counters,
	}
}

// WaitFor blocks until wanted returns true, and returns the snapshot that it
// approved. It fails with the context's error, and with net.ErrClosed after
// Close.
func (c *Console) WaitFor(ctx context.Context, wanted func(Snapshot) bool) (Snapshot, error) {
	for {
		c.mu.Lock()
		now, changed, closed := c.snapshotLocked(), c.changed, c.closed
		c.mu.Unlock()
		if wanted(now) {
			return now, nil
		}
		if closed {
			return now, net.ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return now, context.Cause(ctx)
		}
	}
}

// Counters returns the counts so far.
func (c *Console) Counters() Counters { return c.Snapshot().Counters }

// Logins returns the last 1000 logins, in order.
func (c *Console) Logins() []Login { return c.Snapshot().Logins }

// Boots returns the last 1000 boots, in order.
func (c *Console) Boots() []Boot { return c.Snapshot().Boots }

// Submitted returns the last 1000 texts that clients have submitted, in order.
func (c *Console) Submitted() []string { return c.Snapshot().Submitted }

// Keys returns the last 1000 remote-control operations, in order.
func (c *Console) Keys() []Key { return c.Snapshot().Keys }

// Presses returns the accepted buttons in the form of Key.String, in order: a
// tap is "up", a hold "ps:2000".
func (c *Console) Presses() []string {
	var list []string
	for _, k := range c.Keys() {
		switch {
		case !k.Accepted || k.Button == 0 && !isButton(k.Op):
		case k.repeated && len(list) > 0:
			list[len(list)-1] = k.String()
		default:
			list = append(list, k.String())
		}
	}
	return list
}

// trace passes a line about a datagram or packet that came in to Config.Trace:
//
//	Den 192.168.1.5: 192.168.1.9:1987 -> 255.255.255.255:987 SRCH version="00020020"
//	Den 192.168.1.5: 192.168.1.9:50022 -> 192.168.1.5:997 remote up: ignored: remote control is closed
func (c *Console) trace(from, to net.Addr, what, outcome string) {
	if outcome != "" {
		what += ": " + outcome
	}
	c.cfg.Trace(fmt.Sprintf("%s %v: %v -> %v %s", c.cfg.Name, c.udpAddr.Addr(), from, to, what))
}

// redacted stands for credentials, PINs and passcodes.
const redacted = "[redacted]"

// fields formats pairs of a name and a value, without those that are empty.
func fields(kind string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(kind)
	for i := 0; i < len(pairs); i += 2 {
		switch name, value := pairs[i], pairs[i+1]; {
		case value == "":
		case name == "credential" || name == "PIN" || name == "passcode":
			fmt.Fprintf(&b, " %s=%s", name, redacted)
		default:
			fmt.Fprintf(&b, " %s=%q", name, value)
		}
	}
	return b.String()
}
