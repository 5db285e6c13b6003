package accessory

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Store keeps what a television remembers. Save returns only after the data is on disk.
type Store interface {
	// Load returns what was saved; an error that is [fs.ErrNotExist] means that nothing was.
	Load() (Saved, error)
	Save(Saved) error
}

// Saved is what a television remembers over restarts.
type Saved struct {
	Name             string                `json:"name,omitempty"`              // as the user renamed it; empty: Config.Name
	ActiveIdentifier uint32                `json:"active_identifier,omitempty"` // 0: the home screen
	HostName         string                `json:"host_name,omitempty"`         // last seen
	SystemVersion    string                `json:"system_version,omitempty"`    // last seen
	State            ps4.State             `json:"state,omitempty"`             // last seen; left out: unreachable
	TitleID          string                `json:"title_id,omitempty"`          // running when last seen
	Titles           map[string]SavedTitle `json:"titles,omitempty"`            // by title id, upper case
	Order            []string              `json:"order,omitempty"`             // title ids, as the user ordered them
}

// SavedTitle is an input, by title id; the two fixed ones are called HOME and OTHER.
type SavedTitle struct {
	Slot       int       `json:"slot,omitempty"`   // 0: none
	Name       string    `json:"name,omitempty"`   // as the user wrote it
	Title      string    `json:"title,omitempty"`  // what the console calls it
	Hidden     bool      `json:"hidden,omitempty"` // hidden in Home
	Pinned     bool      `json:"pinned,omitempty"` // pinned by command, not by configuration
	Added      bool      `json:"added,omitempty"`  // added by command
	LastPlayed time.Time `json:"last_played,omitzero"`
}

// chosen reports whether the user did something about the title.
func (t *SavedTitle) chosen() bool { return t.Name != "" || t.Hidden || t.Pinned || t.Added }

// load reads the store. Without one, or before the first save, nothing is remembered.
func load(s Store) (Saved, error) {
	if s == nil {
		return Saved{}, nil
	}
	saved, err := s.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Saved{}, nil
	case err != nil:
		return Saved{}, fmt.Errorf("what is remembered of the television cannot be read: %w", err)
	}
	return saved, nil
}
