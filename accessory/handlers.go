package accessory

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// HAP status codes of a write.
const (
	statusOK        = 0
	statusNotStored = -70402
	statusInvalid   = -70410
)

// handle registers the handler of every writable characteristic.
func (t *Television) handle() {
	g := t.graph
	g.onIdentify(t.identify)
	t.onWrite(g.infoName, t.writeName)
	t.onWrite(g.tvName, t.writeName)
	t.onWrite(g.active, t.writeActive)
	t.onWrite(g.activeID, t.writeActiveIdentifier)
	t.onWrite(g.remoteKey, t.writeRemoteKey)
	t.onWrite(g.powerMode, t.writePowerMode)
	t.onWrite(g.order, t.writeOrder)
	for i, s := range g.slots {
		t.onWrite(s.configuredName, func(w written) int { return t.writeInputName(i+1, w) })
		t.onWrite(s.target, func(w written) int { return t.writeVisibility(i+1, w) })
		t.onWrite(s.isConfigured, func(written) int { return statusOK }) // reverts (docs/homekit.md §4)
	}
}

// written is a HAP write to one characteristic.
type written struct {
	value any
	of    *characteristic.C
	by    *http.Request
}

func (w written) number() int {
	n, _ := w.value.(int)
	return n
}

func (w written) text() string {
	s, _ := w.value.(string)
	return s
}

// onWrite makes do the handler of writes to c. do runs with mu held and returns
// the HAP status. If it accepts a value that c does not show afterwards, every
// subscriber gets the current value soon after the answer. The user's choices
// are on disk before the answer; one that cannot be stored is undone.
func (t *Television) onWrite(c *characteristic.C, do func(written) int) {
	c.SetValueRequestFunc = func(value any, by *http.Request) (any, int) {
		status, undo := t.doWrite(written{value, c, by}, do)
		if undo != nil && t.save() != nil { // save reports the error
			status = statusNotStored
			_ = t.edit(func() error {
				undo()
				t.showName()
				return nil
			})
		}
		return nil, status
	}
}

func (t *Television) doWrite(w written, do func(written) int) (status int, undo func()) {
	t.mu.Lock()
	defer t.unlock()
	t.writing, t.undo = w, nil
	status = do(w)
	t.writing = written{}
	readable := slices.Contains(w.of.Permissions, characteristic.PermissionRead)
	if readable && status == statusOK && w.of.Value() != w.value {
		if len(t.reverts) == 0 {
			t.revertAt = time.Now().Add(revertDelay)
		}
		t.reverts = append(t.reverts, w.of)
		poke(t.clock)
	}
	return status, t.undo
}

func (t *Television) writeActive(w written) int {
	t.want(setPower{powerFor(w.number() == characteristic.ActiveActive)}, nil)
	return statusOK
}

// writeActiveIdentifier starts a title or goes to the home screen. "Other" and
// free slots have no effect.
func (t *Television) writeActiveIdentifier(w written) int {
	id, exists := t.in.title(w.number())
	switch {
	case !exists:
		return statusInvalid
	case id == homeID:
		t.want(selectTitle{}, nil)
	case id != "" && id != otherID:
		t.want(selectTitle{title: id}, nil)
	}
	return statusOK
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

// writePowerMode handles "View TV Settings": both values press PS
// (docs/homekit.md §2).
func (t *Television) writePowerMode(written) int {
	t.pressButton(ps4.PS)
	return statusOK
}

func (t *Television) writeName(w written) int {
	name, err := userName(w.text())
	if automatic, _ := automaticName(nameWrite{name: name}, nil); !automatic && err == nil {
		t.rename(name)
	}
	return statusOK
}

func (t *Television) rename(name string) {
	if was := t.name; name != t.displayName() {
		t.name = name
		t.keep(func() { t.name = was })
	}
	t.showName()
}

// writeInputName stores the name that a user gives an input, unless iOS wrote
// it by itself.
func (t *Television) writeInputName(k int, w written) int {
	name, err := userName(w.text())
	if err != nil || name == w.of.Value() {
		return statusOK
	}
	id, _ := t.in.title(k)
	write := nameWrite{at: time.Now(), input: k, title: id, name: name}
	if id != "" {
		write.given, write.replaced = t.in.givenName(id), t.in.titles[id].Name
	}
	automatic, burst := automaticName(write, t.nameWrites, t.displayName(), t.graph.a.Name(), t.cfg.Name, t.status.HostName)
	t.nameWrites = append(t.nameWrites[max(0, len(t.nameWrites)-2*maxSlots):], write)
	if !automatic && id != "" {
		saved := t.in.titles[id]
		saved.Name = name
		t.keep(func() { saved.Name = write.replaced })
	}
	for _, w := range burst { // its first name was stored, because a user might have chosen it
		if s := t.in.titles[w.title]; s != nil && s.Name == w.name {
			t.cfg.Log.Debugf("ignored the name %q, which iOS gave an input by itself", w.name)
			s.Name = w.replaced
			t.keep(func() {}) // no one chose the name, so there is none to return to
		}
	}
	t.showInputs()
	return statusOK
}

func (t *Television) writeVisibility(k int, w written) int {
	id, _ := t.in.title(k)
	if id == "" {
		return statusOK
	}
	hide := w.number() == characteristic.TargetVisibilityStateHidden
	if saved := t.in.titles[id]; saved.Hidden != hide {
		saved.Hidden = hide
		t.keep(func() { saved.Hidden = !hide })
	}
	t.showInputs()
	return statusOK
}

func (t *Television) writeOrder(w written) int {
	order, ok := t.in.decodeOrder(w.text())
	if !ok {
		return statusInvalid
	}
	if !slices.Equal(order, t.in.sorted()) { // the default order is not stored, so that it keeps changing
		was := t.in.order
		t.in.order = order
		t.keep(func() { t.in.order = was })
	}
	t.showInputs()
	return statusOK
}
