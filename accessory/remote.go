package accessory

import (
	"slices"

	"github.com/ps4kit/ps4kit/ps4"
)

// keyNames names the values of RemoteKey that iOS sends (docs/homekit.md §5) and
// the other keys of the specification.
var keyNames = map[int]string{
	0: "rewind", 1: "fast_forward", 2: "next_track", 3: "previous_track",
	4: "up", 5: "down", 6: "left", 7: "right", 8: "select", 9: "back", 10: "exit", 11: "play_pause", 15: "information",
}

// defaultButtons is the default mapping (docs/homekit.md §5).
var defaultButtons = map[string]ps4.Button{
	"up": ps4.Up, "down": ps4.Down, "left": ps4.Left, "right": ps4.Right, "select": ps4.Enter, "back": ps4.Back,
	"play_pause": ps4.Option, "information": ps4.PS,
}

// button returns the button of a key, or of its double press, and false if there
// is none. The mapping of the running title has priority.
func (t *Television) button(key string, double bool) (button ps4.Button, mapped bool) {
	remotes := []Remote{t.remote, {Keys: defaultButtons}}
	if i := t.in.configured(t.m.seen.title); i >= 0 {
		remotes = slices.Insert(remotes, 0, t.in.config[i].Remote)
	}
	for _, r := range remotes {
		buttons := r.Keys
		if double {
			buttons = r.Double
		}
		if button, mapped = buttons[key]; mapped {
			break
		}
	}
	return button, mapped
}
