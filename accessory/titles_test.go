package accessory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// inputsOf lists "identifier name" in the order of Home.
func inputsOf(tv *accessory.Television) []string {
	var list []string
	for _, in := range tv.Snapshot().Inputs {
		list = append(list, fmt.Sprintf("%d %s", in.Identifier, in.Name))
	}
	return list
}

func wantInputs(t *testing.T, tv *accessory.Television, want ...string) {
	t.Helper()
	if got := inputsOf(tv); !slices.Equal(got, want) {
		t.Errorf("inputs\n got %q\nwant %q", got, want)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// TestOrderOfInputs: pinned by configuration, then most recently played, then by name (docs/homekit.md §4).
func TestOrderOfInputs(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	store := &memory{}
	must(t, store.Save(accessory.Saved{Titles: map[string]accessory.SavedTitle{
		"CUSA00001": {Slot: 3, Title: "Zelda", LastPlayed: day(1)},
		"CUSA00002": {Slot: 4, Title: "Yakuza", LastPlayed: day(2)},
		"CUSA00003": {Slot: 5, Title: "X"},
		"CUSA00004": {Slot: 6, Title: "a"},
		"CUSA00005": {Slot: 7, Title: "Pinned last", Pinned: true},
	}}))
	tv := newTV(t, accessory.Config{Store: store, Titles: []accessory.Title{
		{ID: "CUSA00006", Name: "Pinned second", Pin: true}, {ID: "CUSA00007", Name: "Configured"}, {ID: "CUSA00003", Name: "Pinned third", Pin: true},
	}})
	wantInputs(t, tv, "1 Home Screen", "8 Pinned second", "5 Pinned third", "7 Pinned last", "4 Yakuza", "3 Zelda", "6 a", "9 Configured", "2 Other")
}

func TestEditTitles(t *testing.T) {
	t.Parallel()
	store := &memory{}
	tv := newTV(t, accessory.Config{Store: store, Slots: 5, Titles: []accessory.Title{{ID: "CUSA00001", Name: "One"}}})
	must(t, tv.AddTitle("cusa00002", ""), tv.AddTitle("CUSA00003", "My Game"))
	wantInputs(t, tv, "1 Home Screen", "4 CUSA00002", "5 My Game", "3 One", "2 Other")
	must(t, tv.PinTitle("cusa00003", true), tv.RenameTitle("home", "Start"), tv.RenameTitle("CUSA00001", "Uno"))
	wantInputs(t, tv, "1 Start", "5 My Game", "4 CUSA00002", "3 Uno", "2 Other")
	must(t, tv.RenameTitle("CUSA00001", ""), tv.PinTitle("CUSA00003", false), tv.SetOrder([]string{"other", "CUSA00001"}))
	wantInputs(t, tv, "2 Other", "3 One", "1 Start", "4 CUSA00002", "5 My Game")
	must(t, tv.SetOrder(nil), tv.ForgetTitle("CUSA00002"), tv.ForgetTitle("CUSA00001"))
	wantInputs(t, tv, "1 Start", "5 My Game", "3 One", "2 Other")
	wantInputs(t, newTV(t, accessory.Config{Store: store, Slots: 5}), "1 Start", "3 CUSA00001", "5 My Game", "2 Other")
}

func TestEditTitlesRefused(t *testing.T) {
	t.Parallel()
	tv := newTV(t, accessory.Config{Slots: 3, Titles: []accessory.Title{{ID: "CUSA00001", Name: "One"}}})
	before := inputsOf(tv)
	for name, c := range map[string]struct{ got, want error }{
		"no room":            {tv.AddTitle("CUSA00002", ""), accessory.ErrNoFreeSlot},
		"bad id":             {tv.AddTitle("CUSA/2", ""), ps4.ErrTitleIDFormat},
		"bad name":           {tv.AddTitle("CUSA00001", strings.Repeat("x", 65)), accessory.ErrName},
		"rename, unknown":    {tv.RenameTitle("CUSA00002", "x"), accessory.ErrNoSuchInput},
		"rename, too long":   {tv.RenameTitle("CUSA00001", strings.Repeat("x", 65)), accessory.ErrName},
		"hide, unknown":      {tv.HideTitle("CUSA00002", true), accessory.ErrNoSuchInput},
		"pin, unknown":       {tv.PinTitle("CUSA00002", true), accessory.ErrNoSuchInput},
		"forget, unknown":    {tv.ForgetTitle("CUSA00002"), accessory.ErrNoSuchInput},
		"forget, fixed":      {tv.ForgetTitle("HOME"), accessory.ErrNoSuchInput},
		"order, unknown":     {tv.SetOrder([]string{"CUSA00002"}), accessory.ErrNoSuchInput},
		"order, twice":       {tv.SetOrder([]string{"HOME", "home"}), accessory.ErrNoSuchInput},
		"console, no name":   {tv.Rename(" "), accessory.ErrName},
		"console, no text":   {tv.Rename("\xff"), accessory.ErrName},
		"configure, no room": {tv.Configure([]accessory.Title{{ID: "CUSA00008"}, {ID: "CUSA00009"}}, accessory.Remote{}), accessory.ErrNoFreeSlot},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	wantInputs(t, tv, before...)
}

// TestConfigure: the configuration is edited while the server runs; a title that it no longer names may give its slot up.
func TestConfigure(t *testing.T) {
	inRig(t, ps4.StateAwake, accessory.Config{Slots: 4, Titles: []accessory.Title{{ID: "CUSA00001", Name: "One"}, {ID: "CUSA00002", Name: "Two"}}}, func(r *rig) {
		must(r.t, r.tv.Configure([]accessory.Title{{ID: "CUSA00003", Name: "Three"}, {ID: "CUSA00002", Name: "Zwei", Pin: true}},
			accessory.Remote{Keys: map[string]ps4.Button{"up": ps4.Down}}))
		wantInputs(r.t, r.tv, "1 Home Screen", "4 Zwei", "3 Three", "2 Other")
		r.wantEvents("290=Three", "291=Three", "306=Zwei", "307=Zwei", "38=AQQBAAAAAAABBAQAAAAAAAEEAwAAAAAAAQQCAAAA")
		r.press(4)
		r.after(time.Second)
		r.wantConsole("open", "down")
	})
}

// TestOrderOfNames checks which of a title's names is shown: the one that a user
// wrote, the configured one, the console's own, that of the metadata, the id.
// The metadata goes before the console where Config prefers it. Names found
// later are shown after RefreshNames.
func TestOrderOfNames(t *testing.T) {
	t.Parallel()
	saved := accessory.Saved{Titles: map[string]accessory.SavedTitle{
		"CUSA00001": {Slot: 3, Name: "Written", Title: "Own"},
		"CUSA00002": {Slot: 4, Title: "Own"},
		"CUSA00003": {Slot: 5, Title: "Own Name"},
		"CUSA00004": {Slot: 6},
		"CUSA00005": {Slot: 7, Title: "Only Own"},
		"CUSA00006": {Slot: 8, Title: "®"},
		"CUSA00007": {Slot: 9, Title: "CUSA00007"},
	}}
	all := []string{"CUSA00001", "CUSA00002", "CUSA00003", "CUSA00004", "CUSA00005", "CUSA00006", "CUSA00007", "HOME", "OTHER"}
	for prefer, want := range map[bool][]string{
		false: {"3 Written", "4 Configured", "5 Own Name", "6 Better 4", "7 Only Own", "8 Better 6", "9 Better 7", "1 Home Screen", "2 Other"},
		true:  {"3 Written", "4 Configured", "5 Better 3", "6 Better 4", "7 Only Own", "8 Better 6", "9 Better 7", "1 Home Screen", "2 Other"},
	} {
		store := &memory{}
		must(t, store.Save(saved))
		known := map[string]string{}
		tv := newTV(t, accessory.Config{
			Store: store, Titles: []accessory.Title{{ID: "CUSA00002", Name: "Configured"}},
			TitleName: func(id string) string { return known[id] }, PreferTitleName: prefer,
		})
		must(t, tv.SetOrder(all))
		wantInputs(t, tv, "3 Written", "4 Configured", "5 Own Name", "6 CUSA00004", "7 Only Own", "8 CUSA00006", "9 CUSA00007", "1 Home Screen", "2 Other")
		for _, n := range []string{"1", "2", "3", "4", "6", "7"} {
			known["CUSA0000"+n] = "Better™ " + n
		}
		tv.RefreshNames()
		wantInputs(t, tv, want...)
	}
}

// TestFewerSlots: titles whose slot is gone get another if there is room, what people chose first; nothing that was written is lost.
func TestFewerSlots(t *testing.T) {
	t.Parallel()
	store := &memory{}
	saved := accessory.Saved{ActiveIdentifier: 80, Titles: map[string]accessory.SavedTitle{
		"CUSA00080": {Slot: 80, Title: "Learned"}, "CUSA00081": {Slot: 81, Name: "Written"}, "CUSA00003": {Slot: 3, Name: "Kept"},
	}}
	must(t, store.Save(saved))
	tv := newTV(t, accessory.Config{Store: store, Slots: 5, Titles: []accessory.Title{{ID: "CUSA00009", Name: "Configured"}}})
	wantInputs(t, tv, "1 Home Screen", "4 Configured", "3 Kept", "5 Written", "2 Other")
	if got := tv.Snapshot().ActiveIdentifier; got != 1 {
		t.Errorf("the active identifier is %d", got)
	}
}

// TestDamagedMemory: whatever a store returns, the accessory keeps its promises.
func TestDamagedMemory(t *testing.T) {
	t.Parallel()
	store := &memory{}
	must(t, store.Save(accessory.Saved{
		Name: strings.Repeat("x", 100), ActiveIdentifier: 1 << 31, Order: []string{"?", "CUSA00001", "CUSA00001"},
		Titles: map[string]accessory.SavedTitle{
			"CUSA00001": {Slot: 3, Name: "\x00"}, "CUSA00002": {Slot: 3}, "CUSA00003": {Slot: -4}, "CUSA00004": {Slot: 1}, "no/id": {Slot: 9}, "HOME": {Slot: 7},
		},
	}))
	tv := newTV(t, accessory.Config{Store: store, Name: "Den"})
	if s := tv.Snapshot(); s.Name != "Den" || s.ActiveIdentifier != 1 || len(s.Inputs) != 6 {
		t.Errorf("%+v", s)
	}
	if _, err := accessory.New(accessory.Config{HostID: "A", Store: broken{}}, newFakeConsole(ps4.StateAwake)); !errors.Is(err, errBroken) {
		t.Errorf("a store that cannot be read: %v", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Load() (accessory.Saved, error) { return accessory.Saved{}, errBroken }
func (broken) Save(accessory.Saved) error     { return errBroken }

// TestSavedFormat: files that exist stay readable.
func TestSavedFormat(t *testing.T) {
	t.Parallel()
	const file = `{"name":"Den","active_identifier":3,"host_name":"PS4-007","system_version":"09508011",` +
		`"titles":{"CUSA00129":{"slot":3,"name":"Films","title":"Netflix","hidden":true,"pinned":true,"added":true,"last_played":"2026-01-02T03:04:05Z"}},` +
		`"order":["CUSA00129"]}`
	var s accessory.Saved
	must(t, json.Unmarshal([]byte(file), &s))
	if again, err := json.Marshal(s); err != nil || string(again) != file {
		t.Errorf("%v\n got %s\nwant %s", err, again, file)
	}
}

// TestImportTitles: an import fills free slots in its order. Inputs lose nothing.
func TestImportTitles(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	store := &memory{}
	must(t, store.Save(accessory.Saved{Titles: map[string]accessory.SavedTitle{
		"CUSA00001": {Slot: 3, Title: "Played", LastPlayed: day(3)},
		"CUSA00002": {Slot: 4, Title: "Two", Name: "Mine", Pinned: true},
		"CUSA00003": {Slot: 5, Hidden: true, Added: true, LastPlayed: day(1)},
	}}))
	tv := newTV(t, accessory.Config{Store: store, Slots: 7})
	list := []accessory.ImportedTitle{
		{"cusa00005", "Five™", day(5)}, {"CUSA00002", "Other name", day(2)}, {"CUSA00003", "Three", day(4)}, {"CUSA00001", "", day(1)},
		{"CUSA00005", "Again", day(6)}, {"CUSA00006", "", time.Time{}}, {"CUSA00007", "Seven", time.Now().Add(time.Hour)},
		{"CUSA00007", "Seven again", time.Time{}},
	}
	want := accessory.Imported{
		Added: []string{"CUSA00005", "CUSA00006"}, Known: []string{"CUSA00002", "CUSA00003", "CUSA00001"}, NoSlot: []string{"CUSA00007"},
	}
	before := store.saved()
	for _, dryRun := range []bool{true, false} {
		got, err := tv.ImportTitles(list, dryRun)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("dry run %v: %+v, %v; want %+v", dryRun, got, err, want)
		}
		if dryRun && !reflect.DeepEqual(store.saved(), before) {
			t.Error("the dry run changed something")
		}
	}
	wantInputs(t, tv, "1 Home Screen", "4 Mine", "6 Five", "5 Three", "3 Played", "7 CUSA00006", "2 Other")
	saved := store.saved().Titles
	for id, want := range map[string]accessory.SavedTitle{
		"CUSA00001": {Slot: 3, Title: "Played", LastPlayed: day(3)},
		"CUSA00002": {Slot: 4, Title: "Two", Name: "Mine", Pinned: true, LastPlayed: day(2)},
		"CUSA00003": {Slot: 5, Title: "Three", Hidden: true, Added: true, LastPlayed: day(4)},
		"CUSA00005": {Slot: 6, Title: "Five™", LastPlayed: day(5)},
	} {
		if saved[id] != want {
			t.Errorf("%s is %+v, want %+v", id, saved[id], want)
		}
	}

	// Imported titles yield to titles that are added later.
	must(t, tv.AddTitle("CUSA00008", ""))
	wantInputs(t, tv, "1 Home Screen", "4 Mine", "6 Five", "5 Three", "3 Played", "7 CUSA00008", "2 Other")
	if _, err := tv.ImportTitles([]accessory.ImportedTitle{{ID: "CUSA00009"}, {ID: "HOME"}}, false); !errors.Is(err, ps4.ErrTitleIDFormat) {
		t.Errorf("an id that does not parse: %v", err)
	}
}

// An input tells that the console refused it as not installed, until it starts.
func TestRefusedTitleIsMissing(t *testing.T) {
	console := newFakeConsole(ps4.StateAwake)
	console.fail["start CUSA00129"] = ps4.ErrNoSuchTitle
	inRigWith(t, console, netflix(), func(r *rig) {
		missing := func() (ids []string) {
			for _, in := range r.tv.Snapshot().Inputs {
				if in.Missing {
					ids = append(ids, in.TitleID)
				}
			}
			return ids
		}
		if err := r.tv.StartTitle(r.t.Context(), "CUSA00129", false); !errors.Is(err, ps4.ErrNoSuchTitle) {
			t.Errorf("start: %v", err)
		}
		if got := missing(); !slices.Equal(got, []string{"CUSA00129"}) {
			t.Errorf("missing: %q", got)
		}
		r.console.set(func(c *fakeConsole) { delete(c.fail, "start CUSA00129") })
		must(t, r.tv.StartTitle(r.t.Context(), "CUSA00129", false))
		if got := missing(); got != nil {
			t.Errorf("missing after a start: %q", got)
		}
	})
}
