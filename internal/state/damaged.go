package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// DamagedError is a file that does not hold what it should; it is ErrDamaged, too. The file still exists, under one name or
// the other.
type DamagedError struct {
	Name      string // of the file, inside the state directory
	AsideName string // what it is called now; empty when it stays in place, where it fails every Load
	Reason    string // without the content of a secret file
}

// Error says what happened and what to do.
func (e *DamagedError) Error() string {
	if e.AsideName == "" {
		return fmt.Sprintf("state: %s is damaged (%s) and stays as it is: restore it from a backup, or reset it and pair again",
			e.Name, e.Reason)
	}
	return fmt.Sprintf("state: %s is damaged (%s) and is now called %s: restore it from a backup, or go on without what it held",
		e.Name, e.Reason, e.AsideName)
}

// Is makes errors.Is(err, ErrDamaged) true.
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

// damaged sets a file aside, unless it is to stay, and says so.
func (f *File[T]) damaged(cause error) error {
	e := &DamagedError{Name: f.name, Reason: cause.Error()}
	if f.secret {
		e.Reason = "its content cannot be understood"
	}
	if f.keep {
		return e
	}
	aside, err := f.setAside()
	if err != nil {
		return errors.Join(e, err)
	}
	e.AsideName = aside
	return e
}

// setAside gives a file the first free name NAME.damaged-1, -2, ...: nothing is overwritten.
func (f *File[T]) setAside() (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", f.name, n)
		path := filepath.Join(f.store.dir, aside)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return "", fmt.Errorf("state: %w", err)
			}
			continue // taken
		}
		if err := os.Rename(f.path(), path); err != nil {
			return "", fmt.Errorf("state: %w", err)
		}
		f.store.slot(f.name).known = true
		return aside, syncDir(filepath.Dir(path))
	}
}
