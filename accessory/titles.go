package accessory

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The methods below edit inputs while the television runs. Changes are on disk
// when a method returns. Titles are identified by their id, the fixed inputs by
// HOME and OTHER.

// Rename renames the console, as a write from Home does. It fails with
// [ErrName].
func (t *Television) Rename(name string) error {
	name, err := userName(name)
	if err != nil {
		return err
	}
	return t.edit(func() error {
		t.rename(name)
		return nil
	})
}

// AddTitle adds an input for a title, which keeps its slot. The name may be
// empty. It fails with [ps4.ErrTitleIDFormat], [ErrName], [ErrNoFreeSlot] or
// [ErrNoTitles].
func (t *Television) AddTitle(id, name string) error {
	id, err := t.checkTitle(id)
	if err != nil {
		return err
	}
	if name, err = optionalName(name); err != nil {
		return err
	}
	return t.edit(func() error {
		if !t.in.learn(id, t.m.seen.title) {
			return ErrNoFreeSlot
		}
		title := t.in.titles[id]
		title.Added, title.Name = true, cmp.Or(name, title.Name)
		return nil
	})
}

// An ImportedTitle is a title from another list.
type ImportedTitle struct {
	ID         string
	Name       string    // as the console would call it; may be empty
	LastPlayed time.Time // may be zero
}

// Imported lists the ids of titles that were imported.
type Imported struct {
	Added  []string // new inputs
	Known  []string // inputs already
	NoSlot []string // left out, since every slot is taken
}

// ImportTitles adds inputs for titles in their order while slots are free. No
// input loses its slot, name or anything else that a user chose; imported titles
// yield to titles that are played later. With dryRun it changes nothing. It fails
// with [ps4.ErrTitleIDFormat] or [ErrNoTitles], having changed nothing.
func (t *Television) ImportTitles(titles []ImportedTitle, dryRun bool) (Imported, error) {
	now := time.Now()
	titles = slices.Clone(titles)
	for i := range titles {
		id, err := t.checkTitle(titles[i].ID)
		if err != nil {
			return Imported{}, err
		}
		titles[i].ID = id
		if titles[i].LastPlayed.After(now) {
			titles[i].LastPlayed = now
		}
	}
	if dryRun {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.in.importTitles(titles, true), nil
	}
	var result Imported
	err := t.edit(func() error {
		result = t.in.importTitles(titles, false)
		return nil
	})
	return result, err
}

// RenameTitle renames an input, as a write from Home does. An empty name
// restores the default. It fails with [ErrNoSuchInput] or [ErrName].
func (t *Television) RenameTitle(id, name string) error {
	name, err := optionalName(name)
	if err != nil {
		return err
	}
	return t.editInput(id, func(s *SavedTitle) { s.Name = name })
}

// optionalName is [userName] for a name that may be empty.
func optionalName(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	return userName(name)
}

// HideTitle hides an input in Home, or shows it again. It fails with
// [ErrNoSuchInput].
func (t *Television) HideTitle(id string, hide bool) error {
	return t.editInput(id, func(s *SavedTitle) { s.Hidden = hide })
}

// PinTitle moves an input to the front and makes it keep its slot, or undoes
// that. Titles pinned by the configuration stay pinned. It fails with
// [ErrNoSuchInput].
func (t *Television) PinTitle(id string, pin bool) error {
	return t.editInput(id, func(s *SavedTitle) { s.Pinned = pin })
}

// ForgetTitle removes a title and frees its slot; the title returns when it is
// played. A configured title keeps its slot and loses everything else. For a
// fixed input ForgetTitle fails with [ErrNoSuchInput].
func (t *Television) ForgetTitle(id string) error {
	id = titleKey(id)
	return t.edit(func() error {
		slot := t.in.slot(id)
		if slot <= fixedSlots {
			return ErrNoSuchInput
		}
		t.in.forget(id)
		if t.in.configured(id) >= 0 {
			t.in.titles[id] = &SavedTitle{}
			t.in.take(id, slot)
		}
		return nil
	})
}

// SetOrder orders the inputs; those that are missing follow. An empty order
// restores the default. It fails with [ErrNoSuchInput].
func (t *Television) SetOrder(ids []string) error {
	ids = slices.Clone(ids)
	return t.edit(func() error {
		for i, id := range ids {
			ids[i] = titleKey(id)
			if t.in.slot(ids[i]) == 0 || slices.Contains(ids[:i], ids[i]) {
				return ErrNoSuchInput
			}
		}
		t.in.order = ids
		return nil
	})
}

// Configure replaces the configured titles and the mapping of the remote
// control. If it fails, nothing has changed.
func (t *Television) Configure(titles []Title, r Remote) error {
	if !t.console.Can().Titles {
		titles = nil
	}
	return t.edit(func() error {
		if err := t.in.configure(titles); err != nil {
			return err
		}
		t.remote = r
		return nil
	})
}

// RefreshNames calls Config.TitleName again and publishes the names.
func (t *Television) RefreshNames() {
	t.mu.Lock()
	defer t.unlock()
	t.showInputs()
}

func titleKey(id string) string { return strings.ToUpper(strings.TrimSpace(id)) }

func (t *Television) editInput(id string, do func(*SavedTitle)) error {
	id = titleKey(id)
	return t.edit(func() error {
		if t.in.slot(id) == 0 {
			return ErrNoSuchInput
		}
		do(t.in.titles[id])
		return nil
	})
}

// edit runs do with mu held, then publishes and saves what it changed.
func (t *Television) edit(do func() error) error {
	t.mu.Lock()
	err := do()
	if err == nil {
		t.changed = true
		t.touch()
		t.showInputs()
		t.show()
	}
	t.unlock()
	if err != nil {
		return err
	}
	return t.save()
}
