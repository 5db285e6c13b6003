package accessory

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Store keeps the state of a television. Save returns once it is on disk.
type Store interface {
	// Load returns the saved state, or an error that wraps [fs.ErrNotExist] if
	// there is none.
	Load() (Saved, error)
	Save(Saved) error
}

// Saved is the state of a television that survives restarts.
type Saved struct {
	Name             string                `json:"name,omitempty"`              // chosen by the user; empty: Config.Name
	ActiveIdentifier uint32                `json:"active_identifier,omitempty"` // 0: the home screen
	HostName         string                `json:"host_name,omitempty"`         // last seen
	SystemVersion    string                `json:"system_version,omitempty"`    // last seen
	State            ps4.State             `json:"state,omitempty"`             // last seen; left out: unreachable
	TitleID          string                `json:"title_id,omitempty"`          // running when last seen
	Titles           map[string]SavedTitle `json:"titles,omitempty"`            // by title id, upper case
	Order            []string              `json:"order,omitempty"`             // title ids, as the user ordered them
}

// SavedTitle is an input. The ids of the two fixed ones are HOME and OTHER.
type SavedTitle struct {
	Slot       int       `json:"slot,omitempty"`   // 0: none
	Name       string    `json:"name,omitempty"`   // chosen by the user
	Title      string    `json:"title,omitempty"`  // given by the console
	Hidden     bool      `json:"hidden,omitempty"` // hidden in Home
	Pinned     bool      `json:"pinned,omitempty"` // pinned by command, not by configuration
	Added      bool      `json:"added,omitempty"`  // added by command
	LastPlayed time.Time `json:"last_played,omitzero"`

	missing bool // the console last refused to start it as not installed
}

// chosen reports whether the user changed anything about the title.
func (t *SavedTitle) chosen() bool { return t.Name != "" || t.Hidden || t.Pinned || t.Added }

// touch schedules a save. mu must be held, as for keep and saved.
func (t *Television) touch() {
	if t.saveAt.IsZero() {
		t.saveAt = time.Now().Add(saveAfter)
	}
	poke(t.clock)
}

// keep schedules a save of the user's choice, which finishes before the answer
// to their write. If it fails, undo takes the choice back.
func (t *Television) keep(undo func()) {
	t.touch()
	t.undo = undo
}

// save writes unsaved changes to the store. If that fails, it reports the error
// and schedules a retry. mu must not be held.
func (t *Television) save() error {
	t.saving.Lock()
	defer t.saving.Unlock()
	t.mu.Lock()
	clean, saved := t.saveAt.IsZero(), t.saved()
	t.saveAt = time.Time{}
	t.mu.Unlock()
	if clean || t.cfg.Store == nil {
		return nil
	}
	err := t.cfg.Store.Save(saved)
	t.mu.Lock()
	defer t.unlock()
	failed := t.unsaved
	t.unsaved = err != nil
	if err != nil {
		t.saveAt = time.Now().Add(saveRetry)
		if !failed {
			t.report(fmt.Errorf("saving the state of the television: %w", err), t.cfg.Log.Errorf)
		}
	}
	return err
}

func (t *Television) saved() Saved {
	titles, order := make(map[string]SavedTitle, len(t.in.titles)), slices.Clone(t.in.order)
	for id, title := range t.in.titles {
		titles[id] = *title
	}
	if !t.console.Can().Titles {
		home := titles[homeID]
		maps.Copy(titles, t.kept.Titles)
		titles[homeID], order = home, t.kept.Order
	}
	return Saved{
		Name: t.name, ActiveIdentifier: uint32(t.chosen), //nolint:gosec // 1 to 90
		HostName: t.status.HostName, SystemVersion: t.status.SystemVersion,
		State: t.m.seen.state, TitleID: t.m.seen.title,
		Titles: titles, Order: order,
	}
}
