package ps4test

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// keep is the length limit of each record, since a console may run for months.
// The oldest entries go first.
const keep = 1000

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
	Hellos         int
	Handshakes     int
	Packets        int // received after the handshake
	UnknownPackets int
	ProtocolErrors int // connections ended by malformed bytes
	Dropped        int // connections ended by unanswered heartbeats

	Logins           int
	LoginsRefused    int
	Heartbeats       int // sent
	Statuses         int
	Operations       int // remote-control operations
	OpsIgnored       int // of these: remote control closed, or too soon
	RemoteLeftOpen   int // boot, standby or bye without CLOSE_RC before
	Boots            int
	Standbys         int
	KeyboardStarts   int
	KeyboardTexts    int
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

// Boot is a boot that a console received.
type Boot struct {
	At      time.Time
	TitleID string // as received
}

// add appends to a record and drops the oldest entry of a full one. It never
// changes slices that were returned earlier.
func add[T any](list []T, entry T) []T {
	if len(list) >= keep {
		list = slices.Clone(list[1:])
	}
	return append(list, entry)
}

func (r *records) addKey(k Key) {
	r.counters.Operations++
	if !k.Accepted {
		r.counters.OpsIgnored++
	}
	r.keys = add(r.keys, k)
}

func (r *records) addLogin(l wire.Login, result ps4.ResultError) {
	r.counters.Logins++
	if result != resultOK {
		r.counters.LoginsRefused++
	}
	r.logins = add(r.logins, Login{
		At: time.Now(), AppLabel: l.AppLabel, Model: l.Model, OSVersion: l.OSVersion,
		Credential: credentialOf(l), PIN: l.PIN != "", Passcode: l.Passcode != "", Result: result,
	})
}

func (r *records) addBoot(id string) {
	r.counters.Boots++
	r.boots = add(r.boots, Boot{At: time.Now(), TitleID: id})
}

func (r *records) addSubmitted(text string) { r.submitted = add(r.submitted, text) }

// Snapshot is the state of a console at one instant. Callers must not change
// its slices.
type Snapshot struct {
	State       ps4.State
	Ready       bool  // awake, and obeys LAUNCH
	Title       Title // running
	Booting     bool
	Asking      bool // the quit dialogue is shown
	DoorOpen    bool
	Connections int  // open now
	LoggedIn    bool // a session is logged in
	RemoteOpen  bool // its remote control is open
	Keyboard    bool // the on-screen keyboard is open
	Text        string
	Keys        []Key // the last 1000 operations
	Counters    Counters
}

// Snapshot returns the current state.
func (c *Console) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshotLocked()
}

func (c *Console) snapshotLocked() Snapshot {
	return Snapshot{
		State:       c.power.state(),
		Ready:       c.power.service && !c.power.moving,
		Title:       c.titles.running,
		Booting:     c.titles.booting,
		Asking:      c.titles.asking,
		DoorOpen:    c.door.listener != nil,
		Connections: len(c.conns),
		LoggedIn:    c.active != nil,
		RemoteOpen:  c.active != nil && c.active.remote.open,
		Keyboard:    c.screen.open,
		Text:        c.screen.text,
		Keys:        slices.Clip(c.log.keys),
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
			return now, context.Cause(ctx) //nolint:wrapcheck // the contract
		}
	}
}

// Counters returns the counts so far.
func (c *Console) Counters() Counters { return c.Snapshot().Counters }

// Keys returns the last 1000 remote-control operations, in order.
func (c *Console) Keys() []Key { return c.Snapshot().Keys }

// Presses returns the accepted buttons in the form of Key.String, in order: a
// tap is "up", a hold "ps:2000".
func (c *Console) Presses() []string { return presses(c.Keys()) }

func presses(keys []Key) []string {
	var list []string
	for _, k := range keys {
		switch {
		case !k.Accepted || !k.Op.isButton():
		case k.repeated && len(list) > 0:
			list[len(list)-1] = k.String()
		default:
			list = append(list, k.String())
		}
	}
	return list
}

// Logins returns the last 1000 logins, in order.
func (c *Console) Logins() []Login {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log.logins)
}

// Boots returns the last 1000 boots, in order.
func (c *Console) Boots() []Boot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log.boots)
}
