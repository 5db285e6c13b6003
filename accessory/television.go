package accessory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
)

// Television is one console as a HomeKit television. It is safe for concurrent use.
type Television struct {
	cfg     Config
	console Console
	graph   *graph

	stopped chan struct{} // closed when Run has returned
	saving  sync.Mutex    // one save at a time; taken before mu

	// A token in one of these wakes a goroutine of Run.
	clock, work, poll chan struct{}

	polling, timing, working pulse // of these goroutines

	mu     sync.Mutex
	pub    Publisher
	m      machine
	in     *inputs
	kept   Saved // by another protocol; saving keeps its titles and their order
	remote Remote
	name   string // as the user wrote it; empty: see displayName
	chosen int    // ActiveIdentifier while nothing is being started

	firstKey string    // waits for its second press
	secondBy time.Time // until when it waits; zero: none does

	nameWrites []nameWrite // to inputs, oldest first

	status     ps4.Status // the last reply
	lastSeen   time.Time
	identified time.Time
	trouble    error
	troubleAt  time.Time
	logged     string // the error that was logged last, while it lasts
	unsaved    bool   // saving fails
	changed    bool   // the snapshot did

	wake     bool               // a WAKEUP is due
	jobs     []*job             // that wait, oldest first
	dropping bool               // keys were dropped since none waited
	cancel   context.CancelFunc // ends the command under way
	waiters  []waiter
	stats    Stats
	reverts  []*characteristic.C // written without effect: an event is due at revertAt
	revertAt time.Time           // zero: there are none
	ignored  sync.Once           // logs that a button was ignored
	saveAt   time.Time           // zero: everything is saved
	writing  written             // the write that is being handled
	undo     func()              // of a write that must be stored before its answer
}

// New returns a television of a console. It reads the store and does no network
// I/O.
func New(c Config, console Console) (*Television, error) {
	cfg, err := c.complete()
	if err != nil {
		return nil, err
	}
	var saved, kept Saved
	if cfg.Store != nil {
		if saved, err = cfg.Store.Load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("load the state of the television: %w", err)
		}
	}
	if !console.Can().Titles {
		cfg.Titles, cfg.Slots, kept = nil, 1, saved
		saved.Titles, saved.Order = map[string]SavedTitle{homeID: saved.Titles[homeID]}, nil
	}
	in, err := newInputs(&cfg, saved)
	if err != nil {
		return nil, err
	}
	t := &Television{
		cfg: cfg, console: console, in: in, kept: kept, remote: cfg.Remote,
		pub: modelOnly{}, stats: newStats(), cancel: func() {}, stopped: make(chan struct{}),
		clock: make(chan struct{}, 1), work: make(chan struct{}, 1), poll: make(chan struct{}, 1),
	}
	t.restore(saved)
	t.handle()
	return t, nil
}

// restore applies what was saved and builds the accessory with it.
func (t *Television) restore(saved Saved) {
	t.name, _ = userName(saved.Name)
	t.status = t.cfg.Last
	t.status.HostID, t.status.State, t.status.TitleID = t.cfg.HostID, saved.State, saved.TitleID
	t.status.HostName = cmp.Or(t.status.HostName, saved.HostName)
	t.status.SystemVersion = cmp.Or(t.status.SystemVersion, saved.SystemVersion)
	t.cfg.Last = t.status
	t.m.seen.state, t.m.seen.title = saved.State, saved.TitleID // until polls are answered or missed
	t.chosen = homeScreen
	if id, _ := t.in.title(int(saved.ActiveIdentifier)); id != "" {
		t.chosen = int(saved.ActiveIdentifier)
	}
	t.graph = newGraph(&t.cfg, t.displayName())
	t.show()
	t.showInputs()
}

// displayName returns the console's one name: as written in Home, as configured,
// or as the console calls itself.
func (t *Television) displayName() string {
	return cmp.Or(t.name, t.cfg.Name, cleanName(t.status.HostName), t.cfg.Model)
}

// Accessory returns the accessory, with id 1. Its instance ids do not depend on
// the number of slots.
func (t *Television) Accessory() *accessory.A { return t.graph.a }

// Attach sets the publisher of the values. It must be called before Run.
func (t *Television) Attach(p Publisher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pub = p
}

// Run follows and drives the console until ctx is done; then it closes the
// session, waits for its goroutines, and saves. It must be called only once.
func (t *Television) Run(ctx context.Context) error {
	defer close(t.stopped)
	var group sync.WaitGroup
	for _, loop := range []func(context.Context){t.runWatch, t.runWork, t.runClock} {
		group.Go(func() { loop(ctx) })
	}
	group.Wait()
	return errors.Join(t.console.Close(), t.save())
}

// unlock unlocks mu, and calls OnChange if the snapshot has changed.
func (t *Television) unlock() {
	changed := t.changed
	t.changed = false
	t.mu.Unlock()
	if changed && t.cfg.OnChange != nil {
		t.cfg.OnChange()
	}
}

// poke puts a token into c unless it has one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// step gives an event to the machine and carries out its actions. It also
// compares snapshots, because most of a [Snapshot] is in no characteristic. mu
// must be held.
func (t *Television) step(e event) {
	type visible struct {
		pursuing        Pursuit
		starting, title string
		working         bool
		state           ps4.State
	}
	look := func() visible {
		pursuing, starting := t.m.pursuing()
		return visible{pursuing, starting, t.m.seen.title, t.m.working(), t.m.seen.state}
	}
	before := look()
	for _, a := range t.m.step(e, time.Now()) {
		switch a.do {
		case doWake:
			t.wake = true
		case doCancel:
			t.cancel()
		case doReport:
			t.report(a.err, t.cfg.Log.Warnf)
		case doStandby:
			t.dropKeys(maxKeys) // they were for a console that is on
		}
	}
	t.changed = t.changed || look() != before
	t.show()
	t.release()
	poke(t.clock)
	poke(t.work)
}

// report shows the owner an error. It logs the error once, until a command
// succeeds or fails for another reason.
func (t *Television) report(err error, logf func(string, ...any)) {
	t.trouble, t.troubleAt, t.changed = err, time.Now(), true
	if text := err.Error(); text != t.logged {
		t.logged = text
		logf("%s", text)
	}
}
