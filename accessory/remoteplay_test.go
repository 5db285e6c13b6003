package accessory_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// simulatePS5 runs a test with a television of a simulated PS5 that is linked,
// at a real console's pace.
func simulatePS5(t *testing.T, c ps4test.Config, do func(r *rig, c *ps4test.Console)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registration, err := remoteplay.Stored{
			HostID: "A0B1C2D3E4F5", HostType: ps4.TypePS5, RegistKey: "d1e2f3a4", RPKey: "00112233445566778899aabbccddeeff",
		}.Registration()
		if err != nil {
			t.Fatal(err)
		}
		c.Network, c.HostType, c.HostID = ps4test.NewNetwork(), ps4.TypePS5, registration.HostID
		c.RemotePlay = &ps4test.RemotePlay{Registered: []remoteplay.Registration{registration}}
		sim := ps4test.Start(t, c)
		r := &rig{t: t, events: &events{}, store: &memory{}}
		discovery := ps4.NewConsole(sim.Addr(), ps4.Credential{}, sim.Options())
		r.tv, err = accessory.New(
			accessory.Config{HostID: sim.HostID(), Model: "PlayStation 5", Store: r.store, Log: rigLog{r}},
			accessory.NewRemotePlay(remoteplay.New(discovery, registration, sim.RemotePlayOptions())),
		)
		if err != nil {
			t.Fatal(err)
		}
		r.run(func() { do(r, sim) })
	})
}

// TestPS5Evening turns a PS5 off, waits out its silence, and turns it on again.
func TestPS5Evening(t *testing.T) {
	simulatePS5(t, ps4test.Config{}, func(r *rig, c *ps4test.Console) {
		r.wantValue(active, 1)
		r.events.take()
		r.write(active, 0)
		for range 180 {
			r.after(time.Second)
			if s := r.tv.Snapshot().State; s == ps4.StateUnreachable {
				r.t.Fatal("the silent console counts as gone")
			}
		}
		r.wantEvents("33=0")
		if c.State() != ps4.StateStandby {
			r.t.Errorf("the console is %v", c.State())
		}
		r.write(active, 1)
		r.after(60 * time.Second)
		if c.State() != ps4.StateAwake {
			r.t.Errorf("the console is %v", c.State())
		}
		r.wantEvents("33=1")
		r.wantLog()
	})
}

func TestPS5HasOneInput(t *testing.T) {
	simulatePS5(t, ps4test.Config{}, func(r *rig, _ *ps4test.Console) {
		if inputs := r.tv.Snapshot().Inputs; len(inputs) != 1 || inputs[0].Name != "Home Screen" {
			r.t.Errorf("inputs %+v", inputs)
		}
		r.wantValue(activeID, 1)
		for what, err := range map[string]error{
			"AddTitle": r.tv.AddTitle("CUSA00129", ""), "StartTitle": r.tv.StartTitle(r.t.Context(), "CUSA00129", false),
			"WantTitle": r.tv.WantTitle("CUSA00129"),
		} {
			if !errors.Is(err, accessory.ErrNoTitles) {
				r.t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestRemotePlayKeepsTitles: a PS4 that is driven with Remote Play for a while
// finds its inputs in their slots again.
func TestRemotePlayKeepsTitles(t *testing.T) {
	t.Parallel()
	store := &memory{}
	home := func() accessory.Saved { // saves the inputs with other names of the home screen
		saved, err := store.Load()
		must(t, err)
		return saved
	}
	secondScreen := newFakeConsole(ps4.StateStandby)
	before, err := accessory.New(accessory.Config{HostID: "A0B1C2D3E4F5", Store: store}, secondScreen)
	must(t, err)
	must(t, before.AddTitle("CUSA00129", "Films"))
	must(t, before.AddTitle("CUSA01780", ""))
	must(t, before.SetOrder([]string{"CUSA01780", "CUSA00129"}))
	want := home()
	discovery := ps4.NewConsole(secondScreen.Addr(), ps4.Credential{}, nil)
	between, err := accessory.New(accessory.Config{HostID: "A0B1C2D3E4F5", Store: store},
		accessory.NewRemotePlay(remoteplay.New(discovery, remoteplay.Registration{}, nil)))
	must(t, err)
	must(t, between.RenameTitle("HOME", "Start"))
	got := home()
	if len(got.Titles) != len(want.Titles) || got.Titles["CUSA00129"] != want.Titles["CUSA00129"] ||
		got.Titles["CUSA01780"] != want.Titles["CUSA01780"] || !slices.Equal(got.Order, want.Order) || got.Titles["HOME"].Name != "Start" {
		t.Errorf("saved %+v\nwant %+v", got, want)
	}
}

func TestPS5RemoteControl(t *testing.T) {
	simulatePS5(t, ps4test.Config{}, func(r *rig, c *ps4test.Console) {
		r.press(4, 5, 15) // up, down, information
		r.after(10 * time.Second)
		r.wantLog("can press only the PS button")
		if n := c.Counters(); n.Inits != 1 {
			r.t.Errorf("%d sessions, want one for PS", n.Inits)
		}
	})
}

func TestPS5InUse(t *testing.T) {
	simulatePS5(t, ps4test.Config{}, func(r *rig, c *ps4test.Console) {
		c.SetFaults(ps4test.Faults{RemotePlay: remoteplay.ErrInUse})
		r.events.take()
		r.write(active, 0)
		r.after(10 * time.Second)
		r.wantEvents("33=0", "33=1")
		r.wantLog("in use")
		if n := c.Counters(); n.Connections != 1 {
			r.t.Errorf("%d sessions were begun, want 1", n.Connections)
		}
	})
}

func TestPS5IgnoresStandby(t *testing.T) {
	simulatePS5(t, ps4test.Config{}, func(r *rig, c *ps4test.Console) {
		c.SetFaults(ps4test.Faults{IgnoreStandby: true})
		r.events.take()
		r.write(active, 0)
		r.after(40 * time.Second)
		r.wantEvents("33=0", "33=1")
		r.wantLog("did not go into rest mode")
	})
}
