package accessory

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// The fixed inputs, by identifier and as titles.
const (
	homeScreen = 1
	otherTitle = 2
	fixedSlots = 2

	homeID  = "HOME"
	otherID = "OTHER"
)

// inputs is the pool of slots: which title has which, and what is known of each. It is not safe for concurrent use.
type inputs struct {
	slots  []string // title ids; identifier k is at k-1; "" is free
	titles map[string]*SavedTitle
	config []Title
	order  []string // as somebody ordered them; what is not in it follows
	nameOf func(titleID string) string
}

// newInputs gives back to every title the slot that it had, then slots to configured titles, then to those that lost theirs
// because there are fewer now, what people chose first.
func newInputs(c *Config, saved Saved) (*inputs, error) {
	in := &inputs{slots: make([]string, c.Slots), titles: map[string]*SavedTitle{}, order: slices.Clone(saved.Order), nameOf: c.TitleName}
	in.place(homeID, saved.Titles[homeID], homeScreen)
	in.place(otherID, saved.Titles[otherID], otherTitle)
	byTime := slices.SortedFunc(maps.Keys(saved.Titles), func(a, b string) int {
		return cmp.Or(saved.Titles[b].LastPlayed.Compare(saved.Titles[a].LastPlayed), strings.Compare(a, b))
	})
	for _, id := range byTime {
		if id != homeID && id != otherID && validTitleID(id) == nil {
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

// place puts a saved title into its slot, if that is there and free.
func (in *inputs) place(id string, saved SavedTitle, slot int) {
	saved.Slot = 0
	if checkName(saved.Name) != nil {
		saved.Name = ""
	}
	in.titles[id] = &saved
	if slot > 0 && slot <= len(in.slots) && in.slots[slot-1] == "" {
		in.take(id, slot)
	}
}

func (in *inputs) take(id string, slot int) {
	if slot == 0 {
		return
	}
	in.slots[slot-1], in.titles[id].Slot = id, slot
}

// free returns the first free slot, 0 when there is none.
func (in *inputs) free() int { return slices.Index(in.slots, "") + 1 }

// configure makes titles the configured ones, each with a slot. When not all get one, nothing has changed.
func (in *inputs) configure(titles []Title) error {
	before := in.config
	in.config = titles
	missing := 0
	for _, t := range titles {
		if in.slot(t.ID) == 0 {
			missing++
		}
	}
	if missing > len(in.slots)-in.kept() {
		in.config = before
		return ErrNoFreeSlot
	}
	for _, t := range titles {
		in.learn(t.ID, "")
	}
	return nil
}

// kept counts the slots that nobody may be given.
func (in *inputs) kept() int {
	n := 0
	for _, id := range in.slots {
		if id != "" && !in.yields(id) {
			n++
		}
	}
	return n
}

// slot returns the slot of a title, 0 when it has none.
func (in *inputs) slot(id string) int {
	if t := in.titles[id]; t != nil {
		return t.Slot
	}
	return 0
}

// learn gives a title a slot if it has none: a free one, or that of the least recently played title that may lose it, which keep
// is not. It reports whether the title has a slot.
func (in *inputs) learn(id, keep string) bool {
	if in.slot(id) != 0 {
		return true
	}
	slot := in.free()
	if slot == 0 {
		slot = in.evict(keep)
	}
	if slot == 0 {
		return false
	}
	if in.titles[id] == nil {
		in.titles[id] = &SavedTitle{}
	}
	in.take(id, slot)
	return true
}

// evict forgets the least recently played title that nobody chose, and returns its slot; 0 when there is none.
func (in *inputs) evict(keep string) int {
	oldest := ""
	for _, id := range in.slots {
		if id != "" && id != keep && in.yields(id) && (oldest == "" || in.titles[id].LastPlayed.Before(in.titles[oldest].LastPlayed)) {
			oldest = id
		}
	}
	if oldest == "" {
		return 0
	}
	return in.forget(oldest)
}

// yields says that a title is neither fixed, configured, added, pinned, renamed nor hidden.
func (in *inputs) yields(id string) bool {
	t := in.titles[id]
	return t.Slot > fixedSlots && !t.chosen() && in.configured(id) < 0
}

// configured returns the place of a title in the configuration, -1 when it is not in it.
func (in *inputs) configured(id string) int {
	return slices.IndexFunc(in.config, func(t Title) bool { return t.ID == id })
}

func (in *inputs) pinned(id string) bool {
	i := in.configured(id)
	return in.titles[id].Pinned || i >= 0 && in.config[i].Pin
}

// forget takes a title out and returns the slot that it had.
func (in *inputs) forget(id string) int {
	slot := in.titles[id].Slot
	if slot > 0 {
		in.slots[slot-1] = ""
	}
	delete(in.titles, id)
	in.order = slices.DeleteFunc(in.order, func(o string) bool { return o == id })
	return slot
}

// play notes that a title runs, under the name that the console gives it; keep is a title that may not lose its slot for it. It
// reports whether anything changed.
func (in *inputs) play(id, title, keep string, started bool, now time.Time) bool {
	if validTitleID(id) != nil {
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
	if title != "" {
		t.Title = title
	}
	if started || t.LastPlayed.IsZero() {
		t.LastPlayed = now
	}
	return true
}

// identifier returns what ActiveIdentifier shows for a running title.
func (in *inputs) identifier(id string) int {
	if id == "" {
		return homeScreen
	}
	if slot := in.slot(id); slot > fixedSlots {
		return slot
	}
	return otherTitle
}

// title returns the title of an identifier; "" when the slot is free, false when there is no such slot.
func (in *inputs) title(identifier int) (string, bool) {
	if identifier < 1 || identifier > len(in.slots) {
		return "", false
	}
	return in.slots[identifier-1], true
}

// saved returns the part of Saved that is about inputs.
func (in *inputs) saved() (map[string]SavedTitle, []string) {
	titles := make(map[string]SavedTitle, len(in.titles))
	for id, t := range in.titles {
		titles[id] = *t
	}
	return titles, slices.Clone(in.order)
}
