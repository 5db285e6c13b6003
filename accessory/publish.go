package accessory

import (
	"net/http"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/ps4"
)

// show publishes Active and ActiveIdentifier. mu must be held, as for every
// function in this file.
func (t *Television) show() {
	t.set(t.graph.active, oneIf(t.m.active()))
	t.set(t.graph.activeID, t.identifier())
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// identifier returns the value of ActiveIdentifier: the title that is being
// started, else the one that runs or ran last.
func (t *Television) identifier() int {
	if l := t.m.target(); l != nil {
		return t.in.identifier(l.title)
	}
	if id, _ := t.in.title(t.chosen); id == "" {
		t.chosen = homeScreen // its slot was freed
	}
	idle := t.m.wish.power == powerAny && t.m.seen.state == ps4.StateAwake && t.m.active()
	if id := t.in.identifier(t.m.seen.title); idle && id != t.chosen {
		t.chosen = id
		t.touch()
	}
	return t.chosen
}

// showInputs publishes the names, visibility and order of the inputs.
func (t *Television) showInputs() {
	for i, name := range t.in.names() {
		s, id := t.graph.slots[i], t.in.slots[i]
		invisible := oneIf(id == "" || t.in.titles[id].Hidden)
		t.set(s.configuredName, name)
		t.set(s.name, name)
		t.set(s.isConfigured, oneIf(id != ""))
		t.set(s.current, invisible)
		t.set(s.target, invisible)
	}
	t.set(t.graph.order, t.in.encodeOrder())
}

// showName publishes the console's name in both of its characteristics; Name 23
// follows at the next start (docs/homekit.md §4).
func (t *Television) showName() {
	t.set(t.graph.infoName, t.displayName())
	t.set(t.graph.tvName, t.displayName())
}

// set publishes a value if it changed. Every subscriber gets an event, except
// the one whose write to c is being handled.
func (t *Television) set(c *characteristic.C, v any) {
	if c.Value() == v {
		return
	}
	var by *http.Request
	if c == t.writing.of {
		by = t.writing.by
	}
	t.changed = true
	t.pub.Set(c, v, by)
}
