package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// DamagedError reports a file with invalid content; it is ErrDamaged too. The
// damaged file is kept, under one name or the other.
type DamagedError struct {
	Name      string // of the file, inside the state directory
	AsideName string // its name now; empty if it stays in place, where it fails every Load
	Reason    string // without the content of a secret file
	Recovered bool   // from the file's copy
}

// Error tells what happened and what to do.
func (e *DamagedError) Error() string {
	switch {
	case e.Recovered && e.AsideName == "":
		return fmt.Sprintf("state: %s was damaged (%s) and is restored from its copy", e.Name, e.Reason)
	case e.Recovered:
		return fmt.Sprintf("state: %s was damaged (%s) and is restored from its copy; the damaged file is %s", e.Name, e.Reason, e.AsideName)
	case e.AsideName == "":
		return fmt.Sprintf("state: %s is damaged (%s): restore it from a backup, or reset it and pair again", e.Name, e.Reason)
	}
	return fmt.Sprintf("state: %s is damaged (%s) and was renamed to %s: restore it from a backup, or continue without its content",
		e.Name, e.Reason, e.AsideName)
}

// Is makes errors.Is(err, ErrDamaged) true.
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

const unreadable = "its content is invalid"

func (f *File[T]) damage(cause error) *DamagedError {
	if f.secret && !errors.Is(cause, errChecksum) {
		return &DamagedError{Name: f.name, Reason: unreadable}
	}
	return &DamagedError{Name: f.name, Reason: cause.Error()}
}

// damaged sets a file aside, unless it has to stay, and returns a DamagedError.
func (f *File[T]) damaged(cause error) error {
	e := f.damage(cause)
	if f.keep {
		return e
	}
	var err error
	if e.AsideName, err = f.setAside(); err != nil {
		return errors.Join(e, err)
	}
	return e
}

// setAside renames a damaged file and deletes its copy.
func (f *File[T]) setAside() (string, error) {
	name, err := f.aside(os.Rename)
	if err != nil {
		return "", err
	}
	return name, f.remove()
}

// aside moves or links a file to the first free name of NAME.damaged-1, -2, ...:
// nothing is overwritten.
func (f *File[T]) aside(move func(from, to string) error) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", f.name, n)
		path := filepath.Join(f.store.dir, aside)
		_, err := os.Lstat(path)
		if err == nil {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = move(f.path(), path)
		}
		if err != nil {
			return "", err
		}
		return aside, nil
	}
}

// recover loads the copy of a damaged file and puts it in the file's place. If
// the copy is no good either, it returns a DamagedError.
func (f *File[T]) recover(cause error) (value T, err error) {
	data, err := f.store.read(f.name + copySuffix)
	if err == nil {
		value, err = f.codec.decode(data)
	}
	if err != nil {
		var none T
		return none, f.damaged(cause)
	}
	slot := f.store.slot(f.name)
	if !slot.recovered {
		e := f.damage(cause)
		e.Recovered = true
		e.AsideName, _ = f.aside(os.Link) // best effort: the copy is whole
		if f.store.options.Warn != nil {
			f.store.options.Warn(e)
		}
	}
	err = f.store.save(f.name, withChecksum(data), f.perm()) // an error is left to Writable
	slot.recovered = err != nil
	return value, nil
}
