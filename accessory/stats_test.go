package accessory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// wantCommands wants what a television counts, in the form "wake 1 done"; nothing of what is zero.
func (r *rig) wantCommands(want ...string) {
	r.t.Helper()
	var got []string
	for _, c := range r.tv.Stats().Commands {
		for _, n := range []struct {
			count uint64
			what  string
		}{{c.Done, "done"}, {c.Failed, "failed"}, {c.Cancelled, "cancelled"}, {c.Dropped, "dropped"}} {
			if n.count > 0 {
				got = append(got, fmt.Sprintf("%s %d %s", c.Name, n.count, n.what))
			}
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		r.t.Errorf("counted %q, want %q", got, want)
	}
}

func (r *rig) took(name string) accessory.Histogram {
	for _, c := range r.tv.Stats().Commands {
		if c.Name == name {
			return c.Took
		}
	}
	return accessory.Histogram{}
}

func TestStatsOfWishes(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.wantCommands()
		r.write(active, 1)
		r.write(active, 1) // the same wish again
		r.after(10 * time.Second)
		r.wantCommands("wake 1 done")
		if h := r.took(accessory.CommandWake); h.Sum != time.Second || h.Buckets[len(h.Buckets)-1] != 1 || h.Buckets[2] != 0 || h.Buckets[3] != 1 {
			r.t.Errorf("the wake took %+v", h)
		}
		r.write(activeID, 3)
		r.after(10 * time.Second)
		r.write(activeID, 1)
		r.after(10 * time.Second)
		r.wantCommands("wake 1 done", "start 1 done", "home 1 done")
		r.write(active, 0)
		r.write(active, 1) // within the window in which writes merge
		r.after(10 * time.Second)
		r.wantCommands("wake 2 done", "standby 1 cancelled", "start 1 done", "home 1 done")
		r.console.set(func(c *fakeConsole) { c.fail["start CUSA01780"] = ps4.ErrNoSuchTitle })
		if err := r.tv.StartTitle(r.t.Context(), "CUSA01780", false); !errors.Is(err, ps4.ErrNoSuchTitle) {
			r.t.Errorf("start: %v", err)
		}
		if err := r.tv.Standby(r.t.Context()); err != nil {
			r.t.Errorf("standby: %v", err)
		}
		r.wantCommands("wake 2 done", "standby 1 done", "standby 1 cancelled", "start 1 done", "start 1 failed", "home 1 done")
		if h := r.took(accessory.CommandStandby); h.Buckets[len(h.Buckets)-1] != 1 {
			r.t.Errorf("only what is done has a duration: %+v", h)
		}
	})
}

func TestStatsOfKeys(t *testing.T) {
	inRig(t, ps4.StateAwake, accessory.Config{}, func(r *rig) {
		r.write(key, 4)
		r.write(key, 4)
		r.after(time.Second)
		if err := r.tv.Keys(r.t.Context(), []ps4.Key{{Button: ps4.Up}, {Button: ps4.Down}}); err != nil {
			r.t.Fatal(err)
		}
		gone, cancel := context.WithCancel(r.t.Context())
		cancel()
		for do, call := range map[string]func() error{
			"text": func() error {
				return r.tv.WithSession(r.t.Context(), func(context.Context, accessory.Session) error { return nil })
			},
			"link": func() error {
				return r.tv.WithoutSession(r.t.Context(), func(context.Context) error { return ps4.ErrPINWrong })
			},
			"caller is gone": func() error { return r.tv.Keys(gone, []ps4.Key{{Button: ps4.Up}}) },
		} {
			err := call()
			if (err == nil) != (do == "text") {
				r.t.Errorf("%s: %v", do, err)
			}
		}
		r.after(time.Second)
		r.wantCommands("keys 3 done", "keys 1 cancelled", "session 1 done", "link 1 failed")
		r.console.set(func(c *fakeConsole) { c.pressing, c.fail["up"] = time.Second, ps4.ErrBusy })
		for range 20 {
			r.write(key, 4)
		}
		r.after(time.Minute)
		r.wantCommands("keys 3 done", "keys 1 failed", "keys 1 cancelled", "keys 19 dropped", "session 1 done", "link 1 failed")
	})
}

func TestStatsOfPolls(t *testing.T) {
	inRig(t, ps4.StateAwake, accessory.Config{}, func(r *rig) {
		r.after(20*time.Second + time.Millisecond)
		if s := r.tv.Stats(); s.Polls != 21 || s.Missed != 0 {
			r.t.Errorf("%d polls, %d missed", s.Polls, s.Missed)
		}
		r.console.set(func(c *fakeConsole) { c.silent = true })
		r.after(20 * time.Second)
		if s := r.tv.Stats(); s.Missed == 0 || s.Polls != s.Missed+21 {
			r.t.Errorf("%d polls, %d missed", s.Polls, s.Missed)
		}
	})
}
