package accessory

import "strings"

// Wishes that are not waited for, as a controller's writes are: they merge with everything that comes within 100 ms, and what
// becomes of them shows in Snapshot (docs/homekit.md §5).

// WantPower asks for the console to be on, or in rest mode.
func (t *Television) WantPower(on bool) {
	p := powerOff
	if on {
		p = powerOn
	}
	t.wish(setPower{p})
}

// WantTitle asks for a title, of which there need not be an input; the console is woken for it. It fails with
// [ps4.ErrTitleIDFormat].
func (t *Television) WantTitle(id string) error {
	id = strings.ToUpper(strings.TrimSpace(id))
	if err := validTitleID(id); err != nil {
		return err
	}
	t.wish(selectTitle{title: id})
	return nil
}

// WantHome asks for the home screen.
func (t *Television) WantHome() { t.wish(selectTitle{}) }

func (t *Television) wish(e event) {
	t.mu.Lock()
	defer t.unlock()
	t.want(e, nil, nil, nil)
}

// Identify notes that somebody asks which console this is.
func (t *Television) Identify() { t.identify() }

// starting is the title that is being started, or waits for the console to come up; empty when there is none.
func (t *Television) starting() string {
	if l := t.m.target(); l != nil {
		return l.title
	}
	return ""
}
