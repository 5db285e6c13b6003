package accessory

import (
	"net/http"
	"slices"
	"time"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
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
