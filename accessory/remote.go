package accessory

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
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

// writeRemoteKey presses the button of a key. A key that has a double press waits
// 250 ms for its second press, or until another key comes, to keep the order.
// Other keys are not delayed.
func (t *Television) writeRemoteKey(w written) int {
	key, now := keyNames[w.number()], time.Now()
	double, hasDouble := t.button(key, true)
	switch {
	case key == t.firstKey && now.Before(t.secondBy):
		t.secondBy = time.Time{}
		t.pressButton(double)
	case hasDouble:
		t.pressFirst()
		t.firstKey, t.secondBy = key, now.Add(doubleTime)
		poke(t.clock)
	default:
		t.pressFirst()
		button, _ := t.button(key, false)
		t.pressButton(button)
	}
	return statusOK
}

// pressFirst presses the key that waited for its second press, if there is one.
func (t *Television) pressFirst() {
	if !t.secondBy.IsZero() {
		t.secondBy = time.Time{}
		button, _ := t.button(t.firstKey, false)
		t.pressButton(button)
	}
}

// pressButton queues a button; 0 is none. It ignores one that the console's
// protocol cannot press, and drops the oldest if too many wait. It logs the first
// of these.
func (t *Television) pressButton(b ps4.Button) {
	key := ps4.Key{Button: b}
	if b == 0 {
		return
	}
	if err := t.console.CheckKeys(key); err != nil {
		t.ignored.Do(func() {
			if errors.Is(err, remoteplay.ErrPSOnly) {
				err = fmt.Errorf("to press more than PS, set remote_play_keys: true for host_id: %s in config.yaml, "+
					"or turn the remote control on in the console's set-up on the web page", t.cfg.HostID)
			}
			t.cfg.Log.Infof("ignored the button %v: %v", b, err)
		})
		return
	}
	waiting := 0
	for _, j := range t.jobs {
		if j.ctx == nil {
			waiting++
		}
	}
	if waiting >= maxKeys {
		if !t.dropping {
			t.cfg.Log.Warnf("too many keys wait for the console: dropped the oldest")
		}
		t.dropping = true
		t.dropKeys(1)
	}
	t.jobs = append(t.jobs, &job{kind: CommandKeys, began: time.Now(), key: key})
	poke(t.work)
}
