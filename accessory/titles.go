package accessory

import (
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
	return t.edit(func() error {
		name, err := userName(name)
		if err != nil {
			return err
		}
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
	return t.edit(func() error {
		chosen, err := userName(name)
		if name != "" && err != nil {
			return err
		}
		if !t.in.learn(id, t.m.seen.title) {
			return ErrNoFreeSlot
		}
		t.in.titles[id].Added = true
		if name != "" {
			t.in.titles[id].Name = chosen
		}
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
	return t.editInput(id, func(s *SavedTitle) error {
		chosen, err := userName(name)
		if name != "" && err != nil {
			return err
		}
		s.Name = chosen
		return nil
	})
}

// HideTitle hides an input in Home, or shows it again. It fails with
// [ErrNoSuchInput].
func (t *Television) HideTitle(id string, hide bool) error {
	return t.editInput(id, func(s *SavedTitle) error {
		s.Hidden = hide
		return nil
	})
}

// PinTitle moves an input to the front and makes it keep its slot, or undoes
// that. Titles pinned by the configuration stay pinned. It fails with
// [ErrNoSuchInput].
func (t *Television) PinTitle(id string, pin bool) error {
	return t.editInput(id, func(s *SavedTitle) error {
		s.Pinned = pin
		return nil
	})
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
		seen := map[string]bool{}
		for i, id := range ids {
			ids[i] = titleKey(id)
			if t.in.slot(ids[i]) == 0 || seen[ids[i]] {
				return ErrNoSuchInput
			}
			seen[ids[i]] = true
		}
		t.in.order = ids
		return nil
	})
}

// Configure replaces the configured titles and the mapping of the remote
// control. If it fails, nothing has changed.
func (t *Television) Configure(titles []Title, r Remote) error {
	titles, err := completeTitles(titles)
	if err != nil {
		return err
	}
	if !t.console.Can().Titles {
		titles = nil
	}
	remote, err := newRemote(r, titles)
	if err != nil {
		return err
	}
	return t.edit(func() error {
		if err := t.in.configure(titles); err != nil {
			return err
		}
		t.remote = remote
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

func (t *Television) editInput(id string, do func(*SavedTitle) error) error {
	id = titleKey(id)
	return t.edit(func() error {
		if t.in.slot(id) == 0 {
			return ErrNoSuchInput
		}
		return do(t.in.titles[id])
	})
}

// edit runs do with mu held, then publishes and saves what it changed.
func (t *Television) edit(do func() error) error {
	if err := t.editLocked(do); err != nil {
		return err
	}
	return t.save()
}

func (t *Television) editLocked(do func() error) error {
	t.mu.Lock()
	defer t.unlock()
	if err := do(); err != nil {
		return err
	}
	t.changed = true
	t.touch()
	t.showInputs()
	t.show()
	return nil
}
