package accessory

import "github.com/ps4kit/ps4kit/ps4"

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

// button returns the button of a key; 0 is no button. The mapping of the running
// title has priority.
func (t *Television) button(key string) ps4.Button {
	if i := t.in.configured(t.m.seen.title); i >= 0 {
		if button, mapped := t.in.config[i].Remote[key]; mapped {
			return button
		}
	}
	if button, mapped := t.remote.Keys[key]; mapped {
		return button
	}
	return defaultButtons[key]
}
