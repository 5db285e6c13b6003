package accessory_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/ps4"
)

func (r *rig) press(keys ...int) {
	r.t.Helper()
	for _, k := range keys {
		r.write(key, k)
	}
}

// TestEqualKeysAllArrive is a burst from Control Center: one session, in order.
func TestEqualKeysAllArrive(t *testing.T) {
	console := newFakeConsole(ps4.StateAwake)
	console.pressing = 200 * time.Millisecond
	inRigWith(t, console, netflix(), func(r *rig) {
		r.press(slices.Repeat([]int{4}, 18)...)
		r.press(5, 8)
		r.after(10 * time.Second)
		r.wantConsole(append(append([]string{"open"}, slices.Repeat([]string{"up"}, 18)...), "down", "enter")...)
		r.wantEvents()
	})
}

func TestDefaultRemote(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.press(4, 5, 6, 7, 8, 9, 11, 15)
		r.press(0, 1, 2, 3, 10, 12, 16) // not mapped
		r.write(tvMenu, 0)
		r.write(tvMenu, 1)
		r.after(time.Second)
		r.wantConsole("open", "up", "down", "left", "right", "enter", "back", "option", "ps", "ps", "ps")
	})
}

func TestRemap(t *testing.T) {
	cfg := accessory.Config{
		Remote: accessory.Remote{Keys: map[string]ps4.Button{"information": ps4.PSHold, "back": 0, "rewind": ps4.Left}},
		Titles: []accessory.Title{{ID: "CUSA00129", Remote: accessory.Remote{Keys: map[string]ps4.Button{"back": ps4.Cancel}, Double: map[string]ps4.Button{"up": ps4.PS}}}},
	}
	inRig(t, ps4.StateAwake, cfg, func(r *rig) {
		r.press(15, 9, 0)
		r.console.set(func(c *fakeConsole) { c.status.TitleID = "CUSA00129" })
		r.after(5 * time.Second)
		r.press(15, 9, 4, 4)
		r.after(time.Second)
		r.wantConsole("open", "ps_hold", "left", "ps_hold", "cancel", "ps")
	})
}

// TestKeysOfConfiguration maps each key of config.yaml and presses it.
func TestKeysOfConfiguration(t *testing.T) {
	inRig(t, ps4.StateAwake, accessory.Config{}, func(r *rig) {
		values := []int{4, 5, 6, 7, 8, 9, 11, 15, 0, 1, 2, 3, 10} // of RemoteKey (docs/homekit.md §5)
		for i, name := range config.RemoteKeys() {
			if err := r.tv.Configure(nil, accessory.Remote{Keys: map[string]ps4.Button{name: ps4.Cancel}}); err != nil {
				t.Fatal(err)
			}
			r.press(values[i])
			r.after(time.Second)
		}
		r.wantConsole(append([]string{"open"}, slices.Repeat([]string{"cancel"}, len(values))...)...)
	})
}

func TestDoublePress(t *testing.T) {
	cfg := accessory.Config{Remote: accessory.Remote{Double: map[string]ps4.Button{"select": ps4.Option}}}
	inRig(t, ps4.StateAwake, cfg, func(r *rig) {
		r.press(4) // no double press: no delay
		synctest.Wait()
		r.wantConsole("open", "up")
		r.press(8)
		r.after(240 * time.Millisecond)
		r.wantConsole()
		r.after(10 * time.Millisecond)
		r.wantConsole("enter")
		r.press(8)
		r.after(100 * time.Millisecond)
		r.press(8)
		synctest.Wait()
		r.wantConsole("option")
		r.press(8, 4) // another key ends the wait, and the order stays
		synctest.Wait()
		r.wantConsole("enter", "up")
	})
}

// TestQueueFull: more keys than a console can take drop the oldest, with one line.
func TestQueueFull(t *testing.T) {
	console := newFakeConsole(ps4.StateAwake)
	console.pressing = 200 * time.Millisecond
	inRigWith(t, console, netflix(), func(r *rig) {
		r.press(4)
		synctest.Wait() // is being pressed
		r.press(slices.Repeat([]int{4}, 36)...)
		r.press(slices.Repeat([]int{5}, 64)...)
		r.after(time.Minute)
		r.wantConsole(append([]string{"open", "up"}, slices.Repeat([]string{"down"}, 64)...)...)
		r.wantLog("too many keys")
	})
}

// TestKeysWhileOff: nothing wakes, nothing piles up, one line.
func TestKeysWhileOff(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.press(4, 4, 4)
		r.after(time.Second)
		r.wantConsole("open")
		r.press(4)
		r.after(time.Second)
		r.wantConsole("open")
		r.wantLog("rest mode")
	})
}

// A key pressed right after power on waits for the console, as a title does.
func TestKeyWaitsForTheConsole(t *testing.T) {
	console := newFakeConsole(ps4.StateStandby)
	console.deaf = true
	inRigWith(t, console, netflix(), func(r *rig) {
		r.write(active, 1)
		r.press(4)
		r.after(2 * time.Second)
		r.wantConsole("wake")
		r.console.set(func(c *fakeConsole) { c.status.State = ps4.StateAwake })
		r.after(3 * time.Second)
		r.wantConsole("open", "up")
		r.wantLog()
	})
}

// Refusals that pass by themselves are tried again, less and less often.
func TestKeyOutlastsABusyConsole(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.fail["open"] = ps4.ErrBooting })
		r.press(4)
		r.after(10 * time.Second)
		r.wantConsole("open", "open", "open", "open")
		r.console.set(func(c *fakeConsole) { c.fail["open"] = nil })
		r.after(10 * time.Second)
		r.wantConsole("open", "up")
		r.wantLog()
	})
}

func TestHome(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		if err := r.tv.Home(r.t.Context()); err != nil {
			t.Error(err)
		}
		r.wantConsole("open", "ps")
	})
}

// A title is tried for 90 s while the console says that somebody has to pick a
// user; each try shows on the TV, so there are few of them.
func TestTitleOutlastsALoginThatIsRefused(t *testing.T) {
	t.Parallel()
	for _, refusal := range []ps4.ResultError{1, 7, 8, 16, 17, 18, 28, 30, 32, 33} {
		t.Run(refusal.Code(), func(t *testing.T) {
			inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
				r.console.set(func(c *fakeConsole) { c.fail["open"] = refusal })
				r.write(activeID, 3)
				r.after(80 * time.Second)
				if tries := len(r.console.takeLog()); tries < 8 || tries > 12 {
					t.Errorf("%d tries in 80 s", tries)
				}
				r.console.set(func(c *fakeConsole) { c.fail["open"] = nil })
				r.after(11 * time.Second)
				r.wantConsole("open", "start CUSA00129")
				r.wantLog()
			})
		})
	}
}

// When such a refusal does not pass, it is what the owner is told.
func TestLoginIsRefusedToTheEnd(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.fail["open"] = ps4.ErrLoginManagerBusy })
		r.write(activeID, 3)
		r.after(95 * time.Second)
		r.wantLog("asking who is playing")
		r.console.takeLog()
		r.write(active, 0)
		r.after(35 * time.Second)
		r.wantLog() // once, until a command succeeds or fails for another reason
		if err := r.tv.Snapshot().LastError; !errors.Is(err, ps4.ErrLoginManagerBusy) {
			t.Errorf("the snapshot shows %v", err)
		}
	})
}

// TestKeyboardIsShown: what the session's heartbeats say of the on-screen keyboard is told at once, and forgotten with the session.
func TestKeyboardIsShown(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.press(4)
		r.after(time.Second)
		for _, open := range []bool{true, false, true} {
			before := r.changes
			r.console.showKeyboard(open)
			synctest.Wait()
			if r.tv.Snapshot().KeyboardOpen != open || r.changes == before {
				t.Errorf("keyboard open %v: the snapshot says otherwise, or nobody was told", open)
			}
		}
		r.console.Drop()
		synctest.Wait()
		if r.tv.Snapshot().KeyboardOpen {
			t.Error("a keyboard without a session")
		}
		r.console.takeLog()
	})
}

// TestStandbyOvertakesKeys: power off does not wait for a long burst, which would fail afterwards.
func TestStandbyOvertakesKeys(t *testing.T) {
	console := newFakeConsole(ps4.StateAwake)
	console.pressing = 200 * time.Millisecond
	inRigWith(t, console, netflix(), func(r *rig) {
		r.press(slices.Repeat([]int{4}, 30)...)
		r.write(active, 0)
		r.after(3 * time.Second)
		r.wantConsole("open", "up", "standby", "close")
		r.wantLog() // the keys were for a console that is on
		r.wantValue(active, 0)
	})
}

func TestCommandsTellTheOutcome(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		ctx := r.t.Context()
		if err := r.tv.Keys(ctx, []ps4.Key{{Button: ps4.Up}}); !errors.Is(err, ps4.ErrStandby) {
			t.Errorf("keys: %v", err)
		}
		if err := r.tv.StartTitle(ctx, "cusa00129", true); err != nil {
			t.Errorf("start: %v", err)
		}
		if err := r.tv.Keys(ctx, []ps4.Key{{Button: ps4.Up}, {Button: ps4.PSHold}}); err != nil {
			t.Errorf("keys: %v", err)
		}
		if err := r.tv.Standby(ctx); err != nil {
			t.Errorf("standby: %v", err)
		}
		if err := r.tv.Wake(ctx); err != nil {
			t.Errorf("wake: %v", err)
		}
		if err := r.tv.StartTitle(ctx, "../etc", false); !errors.Is(err, ps4.ErrTitleIDFormat) {
			t.Errorf("start of a bad id: %v", err)
		}
		r.console.set(func(c *fakeConsole) { c.fail["start CUSA09999"] = ps4.ErrNoSuchTitle })
		if err := r.tv.StartTitle(ctx, "CUSA09999", false); !errors.Is(err, ps4.ErrNoSuchTitle) {
			t.Errorf("start of a missing title: %v", err)
		}
		r.console.set(func(c *fakeConsole) { c.fail["standby"] = ps4.ErrStandbyDisabled })
		if err := r.tv.Standby(ctx); !errors.Is(err, ps4.ErrStandbyDisabled) {
			t.Errorf("standby: %v", err)
		}
		r.wantConsole("open", "wake", "open", "start CUSA00129 no quit", "up", "ps_hold", "standby", "close", "wake",
			"open", "start CUSA09999", "standby")
	})
}

func TestCommandsAreSuperseded(t *testing.T) {
	console := newFakeConsole(ps4.StateStandby)
	console.deaf = true
	inRigWith(t, console, netflix(), func(r *rig) {
		results := make(chan error, 4)
		start := func(do func(context.Context) error) {
			go func() { results <- do(r.t.Context()) }()
			r.after(time.Second)
		}
		start(r.tv.Wake)
		start(func(ctx context.Context) error { return r.tv.StartTitle(ctx, "CUSA00129", false) }) // goes on waking
		start(func(ctx context.Context) error { return r.tv.StartTitle(ctx, "CUSA01780", false) })
		if err := <-results; !errors.Is(err, accessory.ErrSuperseded) {
			t.Errorf("the first title: %v", err)
		}
		r.write(active, 0)
		for range 2 {
			if err := <-results; !errors.Is(err, accessory.ErrSuperseded) {
				t.Errorf("wake and the second title: %v", err)
			}
		}
		start(r.tv.Wake)
		start(func(ctx context.Context) error { return r.tv.Keys(ctx, []ps4.Key{{Button: ps4.Up}}) }) // waits for the console
		r.stop()
		for range 2 {
			if err := <-results; !errors.Is(err, accessory.ErrStopped) {
				t.Errorf("wake or keys, then the end: %v", err)
			}
		}
		if err := r.tv.Keys(r.t.Context(), nil); !errors.Is(err, accessory.ErrStopped) {
			t.Errorf("keys after the end: %v", err)
		}
	})
}

// TestWithoutSession: linking has the console's only session to itself.
func TestWithoutSession(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.press(4)
		r.after(time.Second)
		err := r.tv.WithoutSession(r.t.Context(), func(context.Context) error {
			r.press(5)
			r.after(time.Second)
			r.wantConsole("open", "up", "close")
			return ps4.ErrPINWrong
		})
		if !errors.Is(err, ps4.ErrPINWrong) {
			t.Errorf("%v", err)
		}
		r.after(time.Second)
		r.wantConsole("open", "down")
	})
}

// TestImpatientCaller: who stops waiting is not kept, and what he asked for is not done later.
func TestImpatientCaller(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		gate := make(chan struct{})
		r.console.set(func(c *fakeConsole) { c.gate = gate })
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		r.press(4)
		if err := r.tv.Keys(ctx, []ps4.Key{{Button: ps4.Down}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		close(gate)
		r.after(time.Second)
		r.wantConsole("open", "up")
		r.wantCommands("keys 1 done", "keys 1 cancelled")
	})
}
