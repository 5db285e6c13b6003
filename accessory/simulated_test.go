package accessory_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// simulate runs a test with a television of a simulated console at a real console's pace.
func simulate(t *testing.T, c ps4test.Config, do func(r *rig, c *ps4test.Console)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c.Network, c.Linked, c.StrictKeys = ps4test.NewNetwork(), true, true
		c.Titles = []ps4test.Title{{ID: "CUSA00129", Name: "Netflix"}, {ID: "CUSA00207", Name: "Bloodborne™"}}
		sim := ps4test.Start(t, c)
		credential, err := ps4.ParseCredential(strings.Repeat("0123456789abcdef", 4))
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, events: &events{}, store: &memory{}}
		r.tv, err = accessory.New(accessory.Config{
			HostID: sim.HostID(), Titles: []accessory.Title{{ID: "CUSA00129"}}, Store: r.store, Log: rigLog{r},
		}, accessory.NewConsole(ps4.NewConsole(sim.Addr(), credential, sim.Options())))
		if err != nil {
			t.Fatal(err)
		}
		r.run(func() { do(r, sim) })
	})
}

// run runs the television for as long as do takes.
func (r *rig) run(do func()) {
	r.tv.Attach(r.events)
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.tv.Run(ctx) }()
	r.after(time.Second)
	do()
	cancel()
	if err := <-ended; err != nil {
		r.t.Errorf("Run: %v", err)
	}
}

// TestSimulatedEvening is what a family does: select while off, keys, another title, off, on again at once.
func TestSimulatedEvening(t *testing.T) {
	simulate(t, ps4test.Config{Standby: true}, func(r *rig, c *ps4test.Console) {
		r.write(activeID, 3)
		r.after(85 * time.Second)
		if got := c.RunningTitle().ID; got != "CUSA00129" {
			r.t.Errorf("%s runs", got)
		}
		r.press(4, 4, 4, 4, 4)
		r.after(10 * time.Second)
		if got := c.Presses(); !slices.Equal(got[max(0, len(got)-5):], []string{"up", "up", "up", "up", "up"}) {
			r.t.Errorf("presses %q", got)
		}
		if err := r.tv.StartTitle(r.t.Context(), "CUSA00207", false); err != nil {
			r.t.Errorf("another title: %v", err)
		}
		r.after(time.Second)
		r.wantValue(input(4, inputName), "Bloodborne")
		r.wantValue(activeID, 4)
		r.write(active, 0)
		r.after(2 * time.Second)
		r.write(active, 1)
		for range 90 {
			r.after(time.Second)
			if r.value(active) != 1 {
				r.t.Fatal("Active went back while the console was on its way")
			}
		}
		if c.State() != ps4.StateAwake {
			r.t.Errorf("the console is %v", c.State())
		}
		if n := c.Counters(); n.OpsIgnored+n.RemoteLeftOpen+n.ProtocolErrors+n.UnknownPackets+n.Dropped > 0 {
			r.t.Errorf("the console did not like what it got: %+v", n)
		}
		r.wantLog()
	})
}

// TestSimulatedNight: a standby and its deaf minute are one change for Home, and nothing is logged.
func TestSimulatedNight(t *testing.T) {
	simulate(t, ps4test.Config{Running: "CUSA00129"}, func(r *rig, c *ps4test.Console) {
		r.wantValue(activeID, 3)
		r.events.take()
		r.write(active, 0)
		for range 180 {
			r.after(time.Second)
			if s := r.tv.Snapshot().State; s == ps4.StateUnreachable {
				r.t.Fatal("the deaf console counts as gone")
			}
		}
		r.wantEvents("33=0")
		r.wantLog()
		if c.State() != ps4.StateStandby {
			r.t.Errorf("the console is %v", c.State())
		}
	})
}

func TestSimulatedStandbyRefused(t *testing.T) {
	simulate(t, ps4test.Config{StandbyDisabled: true}, func(r *rig, _ *ps4test.Console) {
		r.events.take()
		r.write(active, 0)
		r.after(5 * time.Second)
		r.wantEvents("33=0", "33=1")
		r.wantLog("may not be put into rest mode")
	})
}

// TestSimulatedChangeOfMind: a standby that was ended before it was sent is nothing to wait for.
func TestSimulatedChangeOfMind(t *testing.T) {
	simulate(t, ps4test.Config{}, func(r *rig, c *ps4test.Console) {
		r.press(4)
		r.after(5 * time.Second)
		r.write(active, 0)
		r.after(120 * time.Millisecond) // the remote control is being closed for it
		r.write(active, 1)
		began := time.Now()
		if err := r.tv.StartTitle(r.t.Context(), "CUSA00129", false); err != nil {
			r.t.Error(err)
		}
		if took := time.Since(began); took > 15*time.Second {
			r.t.Errorf("the title started after %v", took)
		}
		if n := c.Counters(); n.Standbys+n.Wakeups > 0 {
			r.t.Errorf("%d standbys, %d WAKEUPs", n.Standbys, n.Wakeups)
		}
	})
}
