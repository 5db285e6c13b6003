package accessory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/ps4"
)

// remoteKey is a value of RemoteKey.
type remoteKey int

// keyByName holds the keys that iOS sends (docs/homekit.md §5) and the other keys
// of the specification.
var keyByName = map[string]remoteKey{
	"rewind": 0, "fast_forward": 1, "next_track": 2, "previous_track": 3,
	"up": 4, "down": 5, "left": 6, "right": 7, "select": 8, "back": 9, "exit": 10, "play_pause": 11, "information": 15,
}

// defaultButtons is the default mapping (docs/homekit.md §5).
var defaultButtons = map[remoteKey]ps4.Button{
	4: ps4.Up, 5: ps4.Down, 6: ps4.Left, 7: ps4.Right, 8: ps4.Enter, 9: ps4.Back, 11: ps4.Option, 15: ps4.PS,
}

// noButton is the name of the button of a key that does nothing.
const noButton = "none"

// buttonMap maps keys to buttons; the zero button is none.
type buttonMap map[remoteKey]ps4.Button

// remote is a configured remote control.
type remote struct {
	single, double buttonMap
	titles         map[string]buttonMap // by running title, with priority
}

func newRemote(r Remote, titles []Title) (*remote, error) {
	single, err := parseButtons(r.Keys)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	double, err := parseButtons(r.Double)
	if err != nil {
		return nil, fmt.Errorf("remote, double: %w", err)
	}
	out := &remote{single: maps.Clone(buttonMap(defaultButtons)), double: double, titles: map[string]buttonMap{}}
	maps.Copy(out.single, single)
	for _, t := range titles {
		if out.titles[t.ID], err = parseButtons(t.Remote); err != nil {
			return nil, fmt.Errorf("title %s: remote: %w", t.ID, err)
		}
	}
	return out, nil
}

func parseButtons(names map[string]string) (buttonMap, error) {
	buttons := buttonMap{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		key, known := keyByName[strings.ToLower(strings.TrimSpace(name))]
		if !known {
			return nil, fmt.Errorf("unknown key %q: use one of %s", name, strings.Join(slices.Sorted(maps.Keys(keyByName)), ", "))
		}
		if names[name] == noButton {
			buttons[key] = 0
			continue
		}
		button, err := ps4.ParseButton(names[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		buttons[key] = button
	}
	return buttons, nil
}

// button returns the button of a key while a title runs; 0 is no button.
func (r *remote) button(key remoteKey, title string) ps4.Button {
	if button, mapped := r.titles[title][key]; mapped {
		return button
	}
	return r.single[key]
}
