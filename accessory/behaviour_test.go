package accessory_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// The rows of docs/homekit.md §5, through the whole television. What the machine does in every overlap is in TestIntents.

func TestPowerOn(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.write(active, 1)
		r.wantValue(active, 1)
		r.wantEvents("33=1 not to A")
		r.after(time.Second)
		r.wantConsole("wake")
		r.wantEvents()
		if s := r.tv.Snapshot(); s.State != ps4.StateAwake || s.Working {
			t.Errorf("%+v", s)
		}
	})
}

func TestPowerOnReverted(t *testing.T) {
	console := newFakeConsole(ps4.StateStandby)
	console.deaf = true
	inRigWith(t, console, netflix(), func(r *rig) {
		r.write(active, 1)
		r.after(59 * time.Second)
		r.wantValue(active, 1)
		r.wantEvents("33=1 not to A")
		r.wantConsole(slices.Repeat([]string{"wake"}, 20)...)
		r.after(2 * time.Second)
		r.wantEvents("33=0")
		r.wantLog("the console did not wake up")
		if s := r.tv.Snapshot(); !errors.Is(s.LastError, accessory.ErrNotWoken) {
			t.Errorf("last error: %v", s.LastError)
		}
	})
}

func TestPowerOff(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.write(active, 0)
		r.wantEvents("33=0 not to A")
		r.after(time.Second)
		r.wantConsole("open", "standby", "close")
		r.after(2 * time.Minute)
		r.wantEvents()
		r.wantLog()
	})
}

func TestPowerOffRefused(t *testing.T) {
	console := newFakeConsole(ps4.StateAwake)
	console.fail["standby"] = ps4.ErrStandbyDisabled
	inRigWith(t, console, netflix(), func(r *rig) {
		r.write(active, 0)
		r.after(200 * time.Millisecond)
		r.wantEvents("33=0 not to A", "33=1")
		r.wantLog("may not be put into rest mode")
	})
}

// TestPowerOffUnanswered: a console that hangs up instead of answering a standby may yet obey. It is not asked again at once, in
// another session.
func TestPowerOffUnanswered(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.press(4)
		r.after(time.Second)
		r.console.set(func(c *fakeConsole) { c.fail["standby"] = fmt.Errorf("%w (%w)", ps4.ErrClosed, ps4.ErrUnanswered) })
		r.write(active, 0)
		r.after(500 * time.Millisecond)
		r.console.set(func(c *fakeConsole) { c.status.State = ps4.StateStandby })
		r.after(time.Minute)
		r.wantConsole("open", "up", "standby", "close")
		r.wantLog()
	})
}

func TestSelectWhileOff(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.write(activeID, 3)
		r.write(active, 1)
		r.wantEvents("33=1", "34=3 not to A")
		r.after(time.Second)
		r.wantConsole("wake", "open", "start CUSA00129")
		r.after(10 * time.Second)
		r.wantValue(activeID, 3)
		r.write(active, 0)
		r.after(time.Minute)
		r.wantValue(activeID, 3) // kept while off
		r.wantValue(active, 0)
		if got := r.store.saved().ActiveIdentifier; got != 3 {
			t.Errorf("saved: %d", got)
		}
	})
}

func TestSelectAgain(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		for range 3 {
			r.write(activeID, 4)
			r.after(time.Second)
		}
		r.wantConsole("open", "start CUSA01780", "start CUSA01780", "start CUSA01780")
	})
}

func TestSelectFails(t *testing.T) {
	console := newFakeConsole(ps4.StateAwake)
	console.fail["start CUSA00129"] = ps4.ErrNoSuchTitle
	inRigWith(t, console, netflix(), func(r *rig) {
		r.write(activeID, 3)
		r.after(time.Second)
		r.wantEvents("34=3 not to A", "34=1")
		r.wantLog("the title is not on the console")
	})
}

// TestWithoutEffect: the input for other titles and free slots cannot be chosen, free slots not be named, shown or configured; the
// answer is 204, and an event says so.
func TestWithoutEffect(t *testing.T) {
	for name, c := range map[string]struct {
		iid   uint64
		value any
		event string
	}{
		"other titles":          {activeID, 2, "34=1"},
		"a free slot":           {activeID, 17, "34=1"},
		"shows a free slot":     {input(17, target), 0, "519=1"},
		"names a free slot":     {input(17, inputName), "Mine", "514=Input 17"},
		"configures a free one": {input(17, isConfigured), 1, "517=0"},
		"unconfigures":          {input(3, isConfigured), 0, "293=1"},
		"iOS names an input":    {input(3, inputName), "Input Source 3", "290=Netflix"},
		"iOS names nothing":     {input(3, inputName), "", "290=Netflix"},
		"iOS names the console": {tvName, "Input Source", "35=Den"},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
				r.write(c.iid, c.value)
				r.wantEvents()
				r.after(time.Second)
				r.wantEvents(c.event)
				r.wantConsole()
			})
		})
	}
}

func TestNoSuchIdentifier(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		for _, id := range []int{0, 41, math.MaxInt32} {
			if status := r.writeStatus(activeID, id); status != -70410 {
				t.Errorf("identifier %d: status %d", id, status)
			}
		}
	})
}

// TestNeverWakesAtStart: whatever was before, a start sends nothing but SRCH.
func TestNeverWakesAtStart(t *testing.T) {
	cfg := netflix()
	store := &memory{}
	if err := store.Save(accessory.Saved{ActiveIdentifier: 3}); err != nil {
		t.Fatal(err)
	}
	cfg.Store = store
	inRig(t, ps4.StateStandby, cfg, func(r *rig) {
		r.after(time.Hour)
		r.wantConsole()
		r.wantValue(activeID, 3)
		r.wantValue(active, 0)
	})
}

func TestPolls(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		polls := func(d time.Duration) int {
			r.console.set(func(c *fakeConsole) { c.polls = nil })
			r.after(d)
			return len(r.console.polls)
		}
		if n := polls(time.Minute); n != 30 {
			t.Errorf("%d polls in a minute of rest mode, want one every 2 s", n)
		}
		r.console.set(func(c *fakeConsole) { c.deaf = true })
		r.write(active, 1)
		if n := polls(10 * time.Second); n < 10 || n > 12 {
			t.Errorf("%d polls in 10 s of work, want one a second", n)
		}
	})
}

func TestConsoleStateBecomesEvents(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) {
			c.status.State, c.status.TitleID, c.status.TitleName = ps4.StateAwake, "CUSA00129", "Netflix"
		})
		r.after(2 * time.Second)
		r.wantEvents("33=1", "34=3")
		r.console.set(func(c *fakeConsole) { c.silent = true })
		r.after(2900 * time.Millisecond)
		r.wantEvents()
		r.after(1200 * time.Millisecond)
		r.wantEvents("33=0")
		if s := r.tv.Snapshot(); s.State != ps4.StateUnreachable || s.ActiveIdentifier != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// A lost link is not the console's doing: no event, whatever it lasts.
func TestOffline(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.offline = true })
		r.after(25 * time.Second)
		r.console.set(func(c *fakeConsole) { c.offline = false })
		r.after(10 * time.Second)
		r.wantEvents()
		r.wantValue(active, 1)
	})
}

// After a restart the saved state shows until polls are answered or missed, so
// that no automation fires.
func TestRestartShowsTheSavedState(t *testing.T) {
	store := &memory{}
	must(t, store.Save(accessory.Saved{State: ps4.StateAwake, TitleID: "CUSA00129"}))
	cfg := netflix()
	cfg.Store = store
	console := newFakeConsole(ps4.StateAwake)
	console.silent = true
	inRigWith(t, console, cfg, func(r *rig) {
		r.wantValue(active, 1)
		r.wantValue(activeID, 3)
		r.after(2500 * time.Millisecond)
		r.wantEvents()
		r.after(time.Second)
		r.wantEvents("33=0")
		r.after(time.Second)
		if got := store.saved().State; got != ps4.StateUnreachable {
			t.Errorf("saved state %v", got)
		}
		r.console.set(func(c *fakeConsole) { c.silent, c.status.TitleID = false, "CUSA01780" })
		r.after(3 * time.Second)
		if got := store.saved(); got.State != ps4.StateAwake || got.TitleID != "CUSA01780" {
			t.Errorf("saved %v, %q", got.State, got.TitleID)
		}
	})
}

func TestIdentify(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.write(2, true)
		r.tv.Accessory().IdentifyFunc(r.by)
		r.wantLog("identify", "identify")
		if r.tv.Snapshot().Identified.IsZero() {
			t.Error("the snapshot does not tell")
		}
		if r.changes < 2 {
			t.Errorf("%d changes were told", r.changes)
		}
	})
}

// TestFullDisk checks that a write that cannot be stored is refused and undone:
// answered with 204, it would be lost at the next start.
func TestFullDisk(t *testing.T) {
	for name, w := range map[string]struct {
		iid   uint64
		value any
	}{
		"name":       {tvName, "Attic"},
		"other name": {infoName, "Attic"},
		"input name": {input(3, inputName), "Films"},
		"hidden":     {input(3, target), 1},
		"order":      {order, "AQQDAAAAAAABBAEAAAAAAAEEAgAAAAAAAQQEAAAA"}, // 3, 1, 2, 4
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
				r.after(time.Minute) // what the start changed is saved
				before, snapshot := r.store.saved(), r.tv.Snapshot()
				r.store.fail(errors.New("disk full"))
				if status := r.writeStatus(w.iid, w.value); status != -70402 {
					t.Errorf("status %d", status)
				}
				r.wantLog("error: saving the state of the television: disk full")
				if now := r.tv.Snapshot(); now.Name != snapshot.Name || !slices.Equal(now.Inputs, snapshot.Inputs) {
					t.Errorf("%q, %v; want %q, %v", now.Name, now.Inputs, snapshot.Name, snapshot.Inputs)
				}
				if got := r.value(w.iid); got == w.value {
					t.Errorf("it still reads %v", got)
				}
				if events := r.events.take(); len(events) == 0 || strings.HasSuffix(events[len(events)-1], "not to A") {
					t.Errorf("the writer does not get the value back: %q", events)
				}
				r.store.fail(nil)
				r.after(time.Minute)
				if after := r.store.saved(); !reflect.DeepEqual(after, before) {
					t.Errorf("stored %+v, want %+v", after, before)
				}
				r.write(w.iid, w.value)
				r.wantValue(w.iid, w.value)
			})
		})
	}
}

// TestEndsAreTold checks that OnChange is called when a launch or a command
// ends, even though no characteristic changes with it: a page that waits for
// OnChange would show "Starting" forever.
func TestEndsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		iid, value int
		slow       time.Duration
	}{
		"launch":        {activeID, 3, 2 * time.Second},
		"failed launch": {activeID, 4, 2 * time.Second},
		"home screen":   {activeID, 1, 0},
		"standby":       {active, 0, 2 * time.Second},
		"power on":      {active, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			console := newFakeConsole(ps4.StateAwake)
			console.status.TitleID, console.status.TitleName = "CUSA00129", "Title CUSA00129"
			console.starting = c.slow
			console.fail["start CUSA01780"] = ps4.ErrTitleRunning
			inRigWith(t, console, netflix(), func(r *rig) {
				var page atomic.Pointer[accessory.Snapshot] // taken after each change, as a page does
				r.mu.Lock()
				r.onChange = func() {
					s := r.tv.Snapshot()
					page.Store(&s)
				}
				r.mu.Unlock()
				r.write(uint64(c.iid), c.value)
				for range 40 {
					r.after(250 * time.Millisecond)
					last, s := page.Load(), r.tv.Snapshot()
					if last.Starting != s.Starting || last.Pursuing != s.Pursuing || last.Working != s.Working || last.State != s.State || last.TitleID != s.TitleID {
						t.Errorf("the page shows starting %q, pursuing %q, working %v, %v %q, want %q, %q, %v, %v %q",
							last.Starting, last.Pursuing, last.Working, last.State, last.TitleID,
							s.Starting, s.Pursuing, s.Working, s.State, s.TitleID)
						return
					}
				}
				if last := page.Load(); last.Working || last.Pursuing != accessory.PursuitNone || last.Starting != "" {
					t.Errorf("after 10 s: starting %q, pursuing %q, working %v", last.Starting, last.Pursuing, last.Working)
				}
			})
		})
	}
}
