package accessory

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// The two fixed inputs: their identifiers, and their keys in place of a title id.
const (
	homeScreen = 1
	otherTitle = 2
	fixedSlots = 2

	homeID  = "HOME"
	otherID = "OTHER"
)

// inputs maps titles to slots (docs/homekit.md §4). It is not safe for
// concurrent use.
type inputs struct {
	slots  []string // title ids; identifier k is at k-1; "" is free
	titles map[string]*SavedTitle
	config []Title
	order  []string // chosen by a user; titles that are missing follow

	metadata       func(titleID string) string // Config.TitleName, never nil
	preferMetadata bool
}

// newInputs restores the slot of every saved title, then assigns slots to
// configured titles, and last to titles whose slot no longer exists, starting
// with those that a user changed.
func newInputs(c *Config, saved Saved) (*inputs, error) {
	in := &inputs{
		slots: make([]string, c.Slots), titles: map[string]*SavedTitle{}, order: slices.Clone(saved.Order),
		metadata: c.TitleName, preferMetadata: c.PreferTitleName,
	}
	if in.metadata == nil {
		in.metadata = func(string) string { return "" }
	}
	in.place(homeID, saved.Titles[homeID], homeScreen)
	in.place(otherID, saved.Titles[otherID], otherTitle)
	byTime := slices.SortedFunc(maps.Keys(saved.Titles), func(a, b string) int {
		return cmp.Or(saved.Titles[b].LastPlayed.Compare(saved.Titles[a].LastPlayed), strings.Compare(a, b))
	})
	for _, id := range byTime {
		if isTitleID(id) {
			in.place(id, saved.Titles[id], saved.Titles[id].Slot)
		}
	}
	if err := in.configure(c.Titles); err != nil {
		return nil, err
	}
	for _, chosen := range []bool{true, false} {
		for _, id := range byTime {
			if t := in.titles[id]; t != nil && t.Slot == 0 && t.chosen() == chosen {
				in.take(id, in.free())
			}
		}
	}
	return in, nil
}

func isTitleID(id string) bool {
	_, err := ps4.ParseTitleID(id)
	return err == nil
}

// place adds a saved title, in its slot if that exists and is free.
func (in *inputs) place(id string, saved SavedTitle, slot int) {
	saved.Slot = 0
	saved.Name, _ = userName(saved.Name)
	in.titles[id] = &saved
	if slot > 0 && slot <= len(in.slots) && in.slots[slot-1] == "" {
		in.take(id, slot)
	}
}

// take assigns a slot to a title; slot 0 does nothing.
func (in *inputs) take(id string, slot int) {
	if slot == 0 {
		return
	}
	in.slots[slot-1], in.titles[id].Slot = id, slot
}

// free returns the first free slot, or 0 if there is none.
func (in *inputs) free() int { return slices.Index(in.slots, "") + 1 }

// configure replaces the configured titles and gives each a slot. If there are
// too few slots, it returns [ErrNoFreeSlot] and changes nothing.
func (in *inputs) configure(titles []Title) error {
	before := in.config
	in.config = titles
	missing, room := 0, 0
	for _, t := range titles {
		if in.slot(t.ID) == 0 {
			missing++
		}
	}
	for _, id := range in.slots {
		if id == "" || in.yields(id) {
			room++
		}
	}
	if missing > room {
		in.config = before
		return ErrNoFreeSlot
	}
	for _, t := range titles {
		in.learn(t.ID, "")
	}
	return nil
}

// slot returns the slot of a title, or 0 if it has none.
func (in *inputs) slot(id string) int {
	if t := in.titles[id]; t != nil {
		return t.Slot
	}
	return 0
}

// learn gives a title a slot unless it has one: a free slot, or that of the
// least recently played title that yields it, other than keep. That title is
// forgotten. learn reports whether the title has a slot.
func (in *inputs) learn(id, keep string) bool {
	if in.slot(id) != 0 {
		return true
	}
	slot := in.free()
	if slot == 0 {
		oldest := ""
		for _, other := range in.slots {
			if other != keep && in.yields(other) && (oldest == "" || in.titles[other].LastPlayed.Before(in.titles[oldest].LastPlayed)) {
				oldest = other
			}
		}
		if oldest == "" {
			return false
		}
		slot = in.forget(oldest)
	}
	if in.titles[id] == nil {
		in.titles[id] = &SavedTitle{}
	}
	in.take(id, slot)
	return true
}

// yields reports whether a title may lose its slot: it is neither fixed,
// configured, added, pinned, renamed nor hidden.
func (in *inputs) yields(id string) bool {
	t := in.titles[id]
	return t.Slot > fixedSlots && !t.chosen() && in.configured(id) < 0
}

// configured returns the index of a title in the configuration, or -1.
func (in *inputs) configured(id string) int {
	return slices.IndexFunc(in.config, func(t Title) bool { return t.ID == id })
}

// forget removes a title and returns its former slot.
func (in *inputs) forget(id string) int {
	slot := in.titles[id].Slot
	if slot > 0 {
		in.slots[slot-1] = ""
	}
	delete(in.titles, id)
	in.order = slices.DeleteFunc(in.order, func(o string) bool { return o == id })
	return slot
}

// play records that a title runs and what the console calls it. If the title
// needs a slot, keep does not lose its own. play reports whether anything
// changed.
func (in *inputs) play(id, title, keep string, started bool, now time.Time) bool {
	if !isTitleID(id) {
		return false
	}
	had := in.slot(id) != 0
	if !had && !in.learn(id, keep) {
		return false
	}
	t := in.titles[id]
	if had && !started && (title == "" || title == t.Title) {
		return false
	}
	t.missing = false
	if title != "" {
		t.Title = title
	}
	if started || t.LastPlayed.IsZero() {
		t.LastPlayed = now
	}
	return true
}

// importTitles implements [Television.ImportTitles].
func (in *inputs) importTitles(titles []ImportedTitle, dryRun bool) (result Imported) {
	free := 0
	for _, id := range in.slots {
		if id == "" {
			free++
		}
	}
	seen := map[string]bool{}
	for _, title := range titles {
		if seen[title.ID] {
			continue
		}
		seen[title.ID] = true
		switch {
		case in.slot(title.ID) != 0:
			result.Known = append(result.Known, title.ID)
		case len(result.Added) == free:
			result.NoSlot = append(result.NoSlot, title.ID)
			continue
		default:
			result.Added = append(result.Added, title.ID)
		}
		if dryRun {
			continue
		}
		in.learn(title.ID, "")
		t := in.titles[title.ID]
		t.Title = cmp.Or(t.Title, title.Name)
		t.LastPlayed = later(t.LastPlayed, title.LastPlayed)
	}
	return result
}

// identifier returns the ActiveIdentifier of a running title.
func (in *inputs) identifier(id string) int {
	if id == "" {
		return homeScreen
	}
	if slot := in.slot(id); slot > fixedSlots {
		return slot
	}
	if len(in.slots) < otherTitle {
		return homeScreen
	}
	return otherTitle
}

// title returns the title with an identifier, "" for a free slot, and false if
// there is no such slot.
func (in *inputs) title(identifier int) (string, bool) {
	if identifier < 1 || identifier > len(in.slots) {
		return "", false
	}
	return in.slots[identifier-1], true
}
