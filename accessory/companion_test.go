package accessory_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/ps4"
)

// bridge is a companion bridge with one running television, in a synctest bubble.
type bridge struct {
	*rig
	companion *accessory.Companion
	told      *named
}

// named is a publisher that notes changes by the accessory's name.
type named struct {
	events
	of map[*characteristic.C]string
}

func (n *named) Set(c *characteristic.C, v any, by *http.Request) {
	if c.Value() == v {
		return
	}
	c.SetValueRequest(v, nil)
	n.mu.Lock()
	defer n.mu.Unlock()
	line := n.of[c] + map[any]string{true: " yes", 1: " yes", false: " no", 0: " no"}[c.Value()]
	if by != nil {
		line += " not to " + by.RemoteAddr
	}
	n.log = append(n.log, line)
}

func onBridge(t *testing.T, state ps4.State, do func(b *bridge)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var companion atomic.Pointer[accessory.Companion]
		console := newFakeConsole(state)
		console.starting = 1700 * time.Millisecond // never the instant of a poll, which would not know of it
		r := &rig{t: t, console: console, events: &events{}, by: &http.Request{RemoteAddr: "A"}}
		tv, err := accessory.New(accessory.Config{
			HostID: "A0B1C2D3E4F5", Name: "Den", Log: rigLog{r},
			Titles: []accessory.Title{{ID: "CUSA00129", Name: "Netflix"}, {ID: "CUSA01780", Name: "Spotify"}},
			OnChange: func() {
				if b := companion.Load(); b != nil {
					b.Changed("a0b1c2d3e4f5")
				}
			},
		}, console)
		must(t, err)
		r.tv = tv
		b, err := accessory.NewCompanion(accessory.CompanionConfig{
			Televisions: []*accessory.Television{tv}, Titles: []string{"CUSA00129", "CUSA01780"}, Log: rigLog{r},
		})
		must(t, err)
		told := &named{of: map[*characteristic.C]string{}}
		for _, a := range b.Accessories()[1:] {
			told.of[a.Ss[1].Cs[0]] = a.Info.Name.Value()
		}
		b.Attach(told)
		companion.Store(b)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- tv.Run(ctx) }()
		synctest.Wait()
		do(&bridge{r, b, told})
		cancel()
		must(t, <-ended)
	})
}

// wants wants the events since the last time.
func (b *bridge) wants(want ...string) {
	b.t.Helper()
	if got := b.told.take(); !slices.Equal(got, want) {
		b.t.Errorf("events\n got %q\nwant %q", got, want)
	}
}

// turn writes a switch as controller A.
func (b *bridge) turn(name string, on bool) {
	b.t.Helper()
	for _, a := range b.companion.Accessories() {
		if a.Info.Name.Value() == name {
			if _, status := a.Ss[1].Cs[0].SetValueRequestFunc(on, b.by); status != 0 {
				b.t.Errorf("%s: status %d", name, status)
			}
			return
		}
	}
	b.t.Fatalf("there is no %q", name)
}

// TestCompanionFollows: what somebody does at the console shows on the sensors and the switches.
func TestCompanionFollows(t *testing.T) {
	onBridge(t, ps4.StateStandby, func(b *bridge) {
		b.wants()
		b.console.set(func(c *fakeConsole) { c.status.State = ps4.StateAwake })
		b.after(6 * time.Second)
		b.wants("Den on yes", "Den power yes")
		b.console.set(func(c *fakeConsole) { c.status.TitleID = "CUSA01780" })
		b.after(6 * time.Second)
		b.wants("Den playing yes", "Spotify on Den yes")
		b.console.set(func(c *fakeConsole) { c.status.TitleID = "CUSA00129" })
		b.after(6 * time.Second)
		b.wants("Netflix on Den yes", "Spotify on Den no")
		b.console.set(func(c *fakeConsole) { c.silent = true })
		b.after(30 * time.Second)
		b.wants("Den on no", "Den playing no", "Den power no", "Netflix on Den no")
	})
}

// TestCompanionPower: a switch reads what is wanted, a sensor what is; the writer gets no event for its own write.
func TestCompanionPower(t *testing.T) {
	onBridge(t, ps4.StateStandby, func(b *bridge) {
		b.turn("Den power", true)
		b.wants("Den power yes not to A")
		b.after(2 * time.Second)
		b.wantConsole("wake")
		b.wants("Den on yes")
		b.turn("Den power", true) // equal: nothing to do
		b.wants()
		b.turn("Den power", false)
		b.wants("Den power no not to A")
		b.after(5 * time.Second)
		b.wantConsole("open", "standby", "close")
		b.wants("Den on no")
		b.turn("Den power", true)
		b.console.set(func(c *fakeConsole) { c.deaf = true })
		b.told.take()
		b.after(3 * time.Minute)
		b.wants("Den power no")
		b.wantLog("did not wake up")
	})
}

// TestCompanionTitle: a title's switch wakes the console and starts the title; other titles' switches go off.
func TestCompanionTitle(t *testing.T) {
	onBridge(t, ps4.StateStandby, func(b *bridge) {
		b.turn("Netflix on Den", true)
		b.wants("Netflix on Den yes not to A", "Den power yes")
		b.after(10 * time.Second)
		b.wantConsole("wake", "open", "start CUSA00129")
		b.wants("Den on yes", "Den playing yes")
		b.turn("Spotify on Den", true)
		b.wants("Spotify on Den yes not to A", "Netflix on Den no")
		b.turn("Spotify on Den", true) // equal writes are delivered
		b.after(10 * time.Second)
		b.wantConsole("start CUSA01780")
		b.wants()
		b.turn("Netflix on Den", false) // does not run
		b.after(5 * time.Second)
		b.wantConsole()
		b.wants()
		b.turn("Spotify on Den", false) // the home screen; the title goes on behind it
		b.wants("Spotify on Den no not to A")
		b.after(5 * time.Second)
		b.wantConsole("ps")
		b.wants("Spotify on Den yes")
	})
}

// TestCompanionScene: everything off at once is rest mode, and no button is pressed.
func TestCompanionScene(t *testing.T) {
	onBridge(t, ps4.StateAwake, func(b *bridge) {
		b.console.set(func(c *fakeConsole) { c.status.TitleID = "CUSA00129" })
		b.after(6 * time.Second)
		b.turn("Netflix on Den", false)
		b.turn("Spotify on Den", false)
		b.turn("Den power", false)
		b.after(10 * time.Second)
		b.wantConsole("open", "standby", "close")
	})
}

// TestCompanionIDs: ids of an accessory are released, and stay whatever else is on the bridge.
func TestCompanionIDs(t *testing.T) {
	t.Parallel()
	den, attic := newTV(t, accessory.Config{Name: "Den"}), newTV(t, accessory.Config{Name: "Attic", HostID: "00112233AABB"})
	few := companionIDs(t, []string{"CUSA00129"}, den)
	many := companionIDs(t, []string{"CUSA01780", "CUSA00129"}, attic, den)
	if len(few) != 5 || len(many) != 11 {
		t.Errorf("%d and %d accessories", len(few), len(many))
	}
	for name, id := range few {
		if many[name] != id {
			t.Errorf("%s has id %d, and %d among others", name, id, many[name])
		}
	}
	for name, id := range map[string]uint64{
		"PS4 Companion": 1, "Den on": 181436448897648, "Den playing": 120191211407168, "Den power": 5622961893074, "CUSA00129 on Den": 28714863205125,
	} {
		if few[name] != id {
			t.Errorf("%s has id %d, released was %d", name, few[name], id)
		}
	}
}

func companionIDs(t *testing.T, titles []string, tvs ...*accessory.Television) map[string]uint64 {
	t.Helper()
	b, err := accessory.NewCompanion(accessory.CompanionConfig{Televisions: tvs, Titles: titles})
	must(t, err)
	ids := map[string]uint64{}
	for _, a := range b.Accessories() {
		ids[a.Info.Name.Value()] = a.Id
	}
	return ids
}

// TestCompanionServer: the real server takes the bridge; a console that comes later raises c#, a state does not.
func TestCompanionServer(t *testing.T) {
	t.Parallel()
	store := &records{}
	serve := func(tvs ...*accessory.Television) uint16 {
		b, err := accessory.NewCompanion(accessory.CompanionConfig{Televisions: tvs})
		must(t, err)
		s, err := hapserver.New(&hapserver.Options{
			Name: b.Name(), Category: 2, Accessories: b.Accessories(), Store: store,
			Log: errorLog{t: t},
		})
		must(t, err)
		b.Attach(s)
		b.Changed("A0B1C2D3E4F5")
		b.Changed("FFFFFFFFFFFF") // not there
		return s.Info().ConfigNumber
	}
	den, attic := newTV(t, accessory.Config{Name: "Den"}), newTV(t, accessory.Config{Name: "Den", HostID: "00112233AABB"})
	if first, again, more := serve(den), serve(den), serve(attic, den); again != first || more <= first {
		t.Errorf("c# was %d, %d again, %d with another console", first, again, more)
	}
}

func TestCompanionRefuses(t *testing.T) {
	t.Parallel()
	den := newTV(t, accessory.Config{Name: "Den"})
	titles := make([]string, 150)
	for i := range titles {
		titles[i] = fmt.Sprintf("CUSA%05d", i)
	}
	c := accessory.CompanionConfig{Televisions: []*accessory.Television{den}, Titles: titles}
	if _, err := accessory.NewCompanion(c); err == nil || !strings.Contains(err.Error(), "a bridge") {
		t.Errorf("150 titles: %v", err)
	}
}

// TestCompanionIdentify: the bridge and its sensors say which they are.
func TestCompanionIdentify(t *testing.T) {
	onBridge(t, ps4.StateStandby, func(b *bridge) {
		for _, a := range b.companion.Accessories() {
			identify := a.Ss[0].C(characteristic.TypeIdentify)
			identify.SetValueRequestFunc(false, b.by)
			identify.SetValueRequestFunc(true, b.by)
		}
		if n := len(b.takeLog()); n != 6 || b.tv.Snapshot().Identified.IsZero() {
			b.t.Errorf("%d lines for 6 accessories", n)
		}
	})
}
