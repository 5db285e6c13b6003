package accessory_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

const houseful = 64

// house is many televisions with simulated consoles in one synctest bubble.
type house struct {
	t        *testing.T
	consoles []*ps4test.Console
	tvs      []*accessory.Television
}

// inHouse runs a test with 64 televisions.
func inHouse(t *testing.T, timing func(n int) ps4test.Timing, do func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t}
		network := ps4test.NewNetwork()
		for n := range houseful {
			h.add(ps4test.Config{
				Network: network, Linked: true, StrictKeys: true, HostID: fmt.Sprintf("0250533400%02X", n), Timing: timing(n),
				Titles: []ps4test.Title{{ID: "CUSA00129", Name: "Netflix"}},
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, tv := range h.tvs {
			running.Go(func() { must(t, tv.Run(ctx)) })
		}
		h.after(10 * time.Second)
		do(h)
		cancel()
		running.Wait()
	})
}

func (h *house) add(c ps4test.Config) {
	h.t.Helper()
	console := ps4test.Start(h.t, c)
	credential, err := ps4.ParseCredential(strings.Repeat("0123456789abcdef", 4))
	must(h.t, err)
	tv, err := accessory.New(accessory.Config{HostID: console.HostID(), Titles: []accessory.Title{{ID: "CUSA00129"}}},
		accessory.NewConsole(ps4.NewConsole(console.Addr(), credential, console.Options())))
	must(h.t, err)
	h.consoles, h.tvs = append(h.consoles, console), append(h.tvs, tv)
}

func (h *house) after(d time.Duration) {
	time.Sleep(d) // in a synctest bubble: no real time
	synctest.Wait()
}

// until returns how long it takes until all but the first few consoles are as wanted, 0 for longer than a minute.
func (h *house) until(wanted func(n int) bool) time.Duration {
	began := time.Now()
	for time.Since(began) < time.Minute {
		late := false
		for n := healthy; n < houseful && !late; n++ {
			late = !wanted(n)
		}
		if !late {
			return time.Since(began)
		}
		h.after(50 * time.Millisecond)
	}
	return 0
}

// What is wrong with three of the consoles.
const (
	slow = iota
	gone
	flooding
	healthy
)

// TestConsolesDoNotDelayEachOther: beside a slow console, one that is gone and one that floods, the 61 others take a key and go to
// rest in the very time that it takes without these.
func TestConsolesDoNotDelayEachOther(t *testing.T) {
	t.Parallel()
	var pressed, rest [2]time.Duration
	for i, bad := range []bool{false, true} {
		timing := func(n int) ps4test.Timing {
			timing := ps4test.RealTiming()
			timing.StandbyDelay += 30 * time.Millisecond // not at the very instant of a poll, which would leave it to chance
			if bad && n == flooding {
				timing.Heartbeat = 5 * time.Millisecond
			}
			return timing
		}
		inHouse(t, timing, func(h *house) {
			if bad {
				h.spoil()
			}
			h.after(time.Minute)
			h.write(key, 6)
			pressed[i] = h.until(func(n int) bool { return len(h.consoles[n].Presses()) == 1 })
			h.write(active, 0)
			rest[i] = h.until(func(n int) bool { return h.consoles[n].State() == ps4.StateStandby && !h.tvs[n].Snapshot().Working })
			if n := h.consoles[flooding].Counters().Heartbeats; bad && n < 100 {
				h.t.Errorf("%d heartbeats: the flooding console did not get to flood", n)
			}
		})
	}
	if pressed[0] == 0 || pressed[0] != pressed[1] || rest[0] == 0 || rest[0] != rest[1] {
		t.Errorf("a key took %v alone and %v beside bad consoles, rest mode %v and %v", pressed[0], pressed[1], rest[0], rest[1])
	}
}

// spoil makes three consoles bad.
func (h *house) spoil() {
	h.consoles[slow].SetFaults(ps4test.Faults{Delay: 25 * time.Second})
	h.consoles[gone].SetSilent()
	h.consoles[gone].SetFaults(ps4test.Faults{LoseRequests: ps4test.Always})
	h.consoles[flooding].SetFaults(ps4test.Faults{GarbageDDP: true, Split: 1, Coalesce: true})
}

// write writes to a characteristic of every television.
func (h *house) write(iid uint64, v any) {
	for _, tv := range h.tvs {
		r := &rig{t: h.t, tv: tv}
		r.write(iid, v) // checks that the answer comes at once
	}
}

// TestHousefulWakes: one scene turns 64 consoles on and starts a title on each.
func TestHousefulWakes(t *testing.T) {
	t.Parallel()
	inHouse(t, func(int) ps4test.Timing { return ps4test.RealTiming() }, func(h *house) {
		for _, c := range h.consoles {
			c.SetStandby()
		}
		h.after(10 * time.Second)
		h.write(activeID, 3)
		// 20 s to wake, 3 s until it serves, 5 s for the title, and some for the connection.
		if took := h.until(func(n int) bool { return h.consoles[n].RunningTitle().ID == "CUSA00129" }); took == 0 || took > 40*time.Second {
			h.t.Errorf("the title ran everywhere after %v", took)
		}
	})
}
