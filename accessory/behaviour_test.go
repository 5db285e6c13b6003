package accessory_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
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
		r.console.set(func(c *fakeConsole) { c.asked = nil })
		r.after(time.Minute)
		if n := len(r.console.asked); n != 12 {
			t.Errorf("%d polls in a minute, want one every 5 s", n)
		}
		r.console.set(func(c *fakeConsole) { c.asked, c.deaf = nil, true })
		r.write(active, 1)
		r.after(10 * time.Second)
		if n := len(r.console.asked); n < 20 || n > 22 {
			t.Errorf("%d polls in 10 s of work, want one every 500 ms", n)
		}
	})
}

// TestPollRate: however often one writes, a console gets no more than 5 SRCH a second.
func TestPollRate(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		for range 100 {
			r.write(active, 1)
			r.after(10 * time.Millisecond)
		}
		asked := r.console.asked
		for i := 5; i < len(asked); i++ {
			if asked[i].Sub(asked[i-5]) < time.Second {
				t.Fatalf("6 polls in %v", asked[i].Sub(asked[i-5]))
			}
		}
	})
}

func TestConsoleStateBecomesEvents(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) {
			c.status.State, c.status.TitleID, c.status.TitleName = ps4.StateAwake, "CUSA00129", "Netflix"
		})
		r.after(5 * time.Second)
		r.wantEvents("33=1", "34=3")
		r.console.set(func(c *fakeConsole) { c.silent = true })
		r.after(14 * time.Second)
		r.wantEvents()
		r.after(5 * time.Second)
		r.wantEvents("33=0")
		if s := r.tv.Snapshot(); s.State != ps4.StateUnreachable || s.ActiveIdentifier != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// TestDeafMinute: a console that somebody put to rest falls silent, and is at rest for that minute, then gone.
func TestDeafMinute(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.status.State = ps4.StateStandby })
		r.after(6 * time.Second)
		r.console.set(func(c *fakeConsole) { c.silent = true })
		r.after(50 * time.Second)
		if s := r.tv.Snapshot().State; s != ps4.StateStandby {
			t.Errorf("in the minute: %v", s)
		}
		r.after(30 * time.Second)
		if s := r.tv.Snapshot().State; s != ps4.StateUnreachable {
			t.Errorf("after it: %v", s)
		}
		r.wantEvents("33=0")
	})
}

// TestWritePollsAtOnce: a poll that waits for a silent console does not hold up what a write needs to know.
func TestWritePollsAtOnce(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.silent = true })
		r.after(5500 * time.Millisecond) // the second poll waits since half a second
		r.console.set(func(c *fakeConsole) { c.silent, c.asked = false, nil })
		r.write(active, 1)
		r.after(300 * time.Millisecond)
		if n := len(r.console.asked); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// TestAddressTakenOver: another console at the address is no reply; a search that finds ours elsewhere is followed.
func TestAddressTakenOver(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.status.HostID = "FFFFFFFFFFFF" })
		r.after(20 * time.Second)
		r.wantValue(active, 0)
		r.console.set(func(c *fakeConsole) { c.status.HostID = "A0B1C2D3E4F5" })
		elsewhere := netip.MustParseAddrPort("192.0.2.99:987")
		r.tv.Seen(ps4.Status{HostID: "FFFFFFFFFFFF", Addr: netip.MustParseAddrPort("192.0.2.1:987")})
		r.tv.Seen(ps4.Status{HostID: "a0b1c2d3e4f5", Addr: elsewhere})
		r.after(time.Second)
		r.wantValue(active, 1)
		if got := r.console.Addr(); got != elsewhere {
			t.Errorf("address %v", got)
		}
		r.wantLog("192.0.2.99:987")
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

func TestSaveFails(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.store.fail(errors.New("disk full"))
		r.write(tvName, "Attic")
		r.wantLog("disk full")
		r.store.fail(nil)
		r.after(time.Minute)
		if got := r.store.saved().Name; got != "Attic" {
			t.Errorf("later %q was saved", got)
		}
	})
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
					if last.Starting != s.Starting || last.Working != s.Working || last.State != s.State || last.TitleID != s.TitleID {
						t.Errorf("the page shows starting %q, working %v, %v %q, want %q, %v, %v %q", last.Starting, last.Working,
							last.State, last.TitleID, s.Starting, s.Working, s.State, s.TitleID)
						return
					}
				}
				if last := page.Load(); last.Working || last.Starting != "" {
					t.Errorf("after 10 s: starting %q, working %v", last.Starting, last.Working)
				}
			})
		})
	}
}
