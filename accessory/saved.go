package accessory

import (
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
