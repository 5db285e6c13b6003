package accessory

import (
	"slices"
	"strings"
)

// Editing of inputs while the television runs. What was changed is on disk when a method returns. A title is named by its id; the
// fixed inputs are called HOME and OTHER.

// Rename gives the console its one name, as a write from Home does.
func (t *Television) Rename(name string) error {
	return t.edit(func() error {
		if err := checkName(name); err != nil {
			return err
		}
		t.rename(name, nil, nil)
		return nil
	})
}

// AddTitle makes an input for a title, which it keeps; name may be empty. It fails with [ps4.ErrTitleIDFormat], [ErrName] or
// [ErrNoFreeSlot].
func (t *Television) AddTitle(id, name string) error {
	id = titleKey(id)
	return t.edit(func() error {
		if err := validTitleID(id); err != nil {
			return err
		}
		if name != "" && checkName(name) != nil {
			return ErrName
		}
		if !t.in.learn(id, t.m.seen.title) {
			return ErrNoFreeSlot
		}
		t.in.titles[id].Added = true
		if name != "" {
			t.in.titles[id].Name = name
		}
		return nil
	})
}

// RenameTitle gives an input a name, as a write from Home does; an empty one gives the name back that it has by itself.
func (t *Television) RenameTitle(id, name string) error {
	return t.editInput(id, func(s *SavedTitle) error {
		if name != "" && checkName(name) != nil {
			return ErrName
		}
		s.Name = name
		return nil
	})
}

// HideTitle hides an input in Home, or shows it.
func (t *Television) HideTitle(id string, hide bool) error {
	return t.editInput(id, func(s *SavedTitle) error {
		s.Hidden = hide
		return nil
	})
}

// PinTitle keeps an input at the front and in its slot, or no longer. What the configuration pins stays pinned.
func (t *Television) PinTitle(id string, pin bool) error {
	return t.editInput(id, func(s *SavedTitle) error {
		s.Pinned = pin
		return nil
	})
}

// ForgetTitle frees the slot of a title and forgets what is known of it; it comes back when it is played. A configured title keeps
// its slot and loses the rest; a fixed input cannot be forgotten: [ErrNoSuchInput].
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

// SetOrder orders the inputs; those that are not named follow. An empty order gives the order back that they have by themselves.
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

// Configure changes the configured titles and the remote control, as after an edit of the configuration. When it fails, nothing has
// changed.
func (t *Television) Configure(titles []Title, r Remote) error {
	titles, err := completeTitles(titles)
	if err != nil {
		return err
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

// RefreshNames asks Config.TitleName again.
func (t *Television) RefreshNames() {
	t.mu.Lock()
	defer t.unlock()
	t.showInputs(nil, nil)
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

// edit changes inputs, publishes and saves them.
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
	t.showInputs(nil, nil)
	t.show(nil, nil)
	return nil
}
