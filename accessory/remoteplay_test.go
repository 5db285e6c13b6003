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
	t.Helper()
	simulatePS5With(t, c, nil, do)
}

// simulatePS5With permits keys if there is a remote control to map them.
func simulatePS5With(t *testing.T, c ps4test.Config, remote *accessory.Remote, do func(r *rig, c *ps4test.Console)) {
	t.Helper()
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
		cfg, options := accessory.Config{HostID: sim.HostID(), Model: "PlayStation 5", Store: r.store, Log: rigLog{r}}, sim.RemotePlayOptions()
		if remote != nil {
			cfg.Remote, options.Stream = *remote, true
		}
		r.tv, err = accessory.New(cfg, accessory.NewRemotePlay(remoteplay.New(discovery, registration, options)))
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
		} {
			if !errors.Is(err, accessory.ErrNoTitles) {
				r.t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestRemotePlayKeepsTitles checks that a PS4 keeps its inputs while it is
// controlled with Remote Play.
func TestRemotePlayKeepsTitles(t *testing.T) {
	t.Parallel()
	store := &memory{}
	load := func() accessory.Saved {
		t.Helper()
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
	want := load()
	discovery := ps4.NewConsole(secondScreen.Addr(), ps4.Credential{}, nil)
	between, err := accessory.New(accessory.Config{HostID: "A0B1C2D3E4F5", Store: store},
		accessory.NewRemotePlay(remoteplay.New(discovery, remoteplay.Registration{}, nil)))
	must(t, err)
	must(t, between.RenameTitle("HOME", "Start"))
	got := load()
	if len(got.Titles) != len(want.Titles) || got.Titles["CUSA00129"] != want.Titles["CUSA00129"] ||
		got.Titles["CUSA01780"] != want.Titles["CUSA01780"] || !slices.Equal(got.Order, want.Order) || got.Titles["HOME"].Name != "Start" {
		t.Errorf("saved %+v\nwant %+v", got, want)
	}
}

// TestPS5WithoutKeys: PS alone is pressed, and the log tells once how to enable
// the other buttons.
func TestPS5WithoutKeys(t *testing.T) {
	simulatePS5(t, ps4test.Config{}, func(r *rig, c *ps4test.Console) {
		r.press(4, 5, 15) // up, down, information
		r.after(10 * time.Second)
		r.wantLog("remote_play_keys: true for host_id: A0B1C2D3E4F5")
		if n := c.Counters(); n.Inits != 1 || n.Homes != 1 || n.Streams != 0 {
			r.t.Errorf("counters %+v, want one session for PS", n)
		}
		if err := r.tv.Keys(r.t.Context(), []ps4.Key{{Button: ps4.PS}, {Button: ps4.Up}}); !errors.Is(err, remoteplay.ErrPSOnly) {
			r.t.Errorf("keys: %v", err)
		}
		if n := c.Counters(); r.tv.Can().Keys || n.Homes != 1 {
			r.t.Errorf("it can press keys, or pressed one: %+v", n)
		}
	})
}

func (r *rig) wantPresses(c *ps4test.Console, want ...string) {
	r.t.Helper()
	synctest.Wait()
	if got := c.Presses(); !slices.Equal(got, want) {
		r.t.Errorf("the console saw %v, want %v", got, want)
	}
}

// TestPS5Keys presses every key of Control Center, mapped ones, double presses
// and a burst.
func TestPS5Keys(t *testing.T) {
	remote := &accessory.Remote{
		Keys: map[string]ps4.Button{"rewind": ps4.L2, "information": ps4.PSHold}, Double: map[string]ps4.Button{"select": ps4.Triangle},
	}
	simulatePS5With(t, ps4test.Config{}, remote, func(r *rig, c *ps4test.Console) {
		r.press(4, 5, 6, 7, 8, 9, 11, 15, 0) // select waits for a second press until back comes
		r.after(5 * time.Second)
		want := []string{"up", "down", "left", "right", "enter", "back", "option", "ps:1000", "l2"}
		r.wantPresses(c, want...)
		r.press(8, 8)
		r.press(slices.Repeat([]int{4}, 18)...)
		r.press(5)
		r.after(10 * time.Second)
		r.wantPresses(c, append(append(append(want, "triangle"), slices.Repeat([]string{"up"}, 18)...), "down")...)
		r.wantLog()
		if n := c.Counters(); !r.tv.Can().Keys || n.Inits != 1 || n.Streams != 1 || n.Homes != 0 || n.StreamErrors != 0 {
			r.t.Errorf("counters %+v", n)
		}
	})
}

// TestPS5StreamCloses: after a pause by itself, and before a standby.
func TestPS5StreamCloses(t *testing.T) {
	simulatePS5With(t, ps4test.Config{}, &accessory.Remote{}, func(r *rig, c *ps4test.Console) {
		r.press(4)
		r.after(44 * time.Second)
		if n := c.Counters(); n.Streams != 1 || n.StreamsClosed != 0 || !r.tv.Snapshot().SessionOpen {
			r.t.Errorf("after 44 s: %+v", n)
		}
		r.after(3 * time.Second)
		if n := c.Counters(); n.StreamsClosed != 1 || r.tv.Snapshot().SessionOpen {
			r.t.Errorf("after 47 s: %+v", n)
		}
		r.press(5)
		r.after(5 * time.Second)
		r.write(active, 0)
		r.after(10 * time.Second)
		if n := c.Counters(); n.Streams != 2 || n.StreamsClosed != 2 || n.ButtonsLeftDown != 0 || n.Standbys != 1 {
			r.t.Errorf("after the standby: %+v", n)
		}
		r.wantPresses(c, "up", "down")
		r.wantLog()
	})
}

// TestPS5StreamIsLost: keys that wait are dropped, and the next one opens a new
// session.
func TestPS5StreamIsLost(t *testing.T) {
	simulatePS5With(t, ps4test.Config{}, &accessory.Remote{}, func(r *rig, c *ps4test.Console) {
		r.press(4)
		r.after(5 * time.Second)
		c.EndStream("the user took over")
		r.after(time.Second)
		r.press(5)
		r.after(5 * time.Second)
		r.wantPresses(c, "up", "down")
		c.SetFaults(ps4test.Faults{RefuseStream: true})
		c.EndStream("")
		r.after(time.Second)
		r.press(6, 7)
		r.after(30 * time.Second)
		r.wantPresses(c, "up", "down")
		r.wantLog("the stream that carries the keys failed")
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
