package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is a file that holds one value. It is safe for concurrent use, also
// alongside another File with the same name.
type File[T any] struct {
	store  *Store
	name   string // inside the state directory
	secret bool   // mode 0600, and errors don't quote the content
	keep   bool   // a damaged file stays in place
	encode func(T) ([]byte, error)
	decode func([]byte) (T, error)

	badHost bool // the name contains no host id: nothing may use it as a path
}

// DamagedError reports a file with invalid content; it is ErrDamaged too. The
// damaged file is kept, under one name or the other.
type DamagedError struct {
	Name      string // of the file, inside the state directory
	AsideName string // its name now; empty if it stays in place, where it fails every Load
	Reason    string // without the content of a secret file
	Recovered bool   // from the copy, or from what this process loaded or saved last
}

// Error tells what happened and what to do.
func (e *DamagedError) Error() string {
	switch {
	case e.Recovered && e.AsideName == "":
		return fmt.Sprintf("state: %s was damaged (%s) and is restored", e.Name, e.Reason)
	case e.Recovered:
		return fmt.Sprintf("state: %s was damaged (%s) and is restored; the damaged file is %s", e.Name, e.Reason, e.AsideName)
	case e.AsideName == "":
		return fmt.Sprintf("state: %s is damaged (%s): restore it from a backup, or reset it and pair again", e.Name, e.Reason)
	}
	return fmt.Sprintf("state: %s is damaged (%s) and was renamed to %s: restore it from a backup, or continue without its content",
		e.Name, e.Reason, e.AsideName)
}

// Is makes errors.Is(err, ErrDamaged) true.
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

// Name returns the path of the file inside the state directory.
func (f *File[T]) Name() string { return f.name }

// Load returns the saved value. It returns fs.ErrNotExist if there is none,
// ErrDamaged (the file was set aside, or stays in place and fails again),
// ErrNewer, ErrClosed, or the error of reading.
func (f *File[T]) Load() (T, error) {
	unlock, err := f.enter()
	if err != nil {
		var none T
		return none, err
	}
	defer unlock()
	return f.load()
}

// Save replaces the value. After nil the new value is on disk for good; after
// an error the old one is still there, unless only the last fsync failed. Save
// does not overwrite a file that cannot be loaded and returns Load's error
// instead.
func (f *File[T]) Save(value T) error {
	return f.Update(func(T) (T, error) { return value, nil })
}

// loadOr returns the saved value. If there is none, it saves and returns what
// create returns.
func (f *File[T]) loadOr(create func() (T, error)) (T, error) {
	var none T
	unlock, err := f.enter()
	if err != nil {
		return none, err
	}
	defer unlock()
	value, err := f.load()
	if !errors.Is(err, fs.ErrNotExist) {
		return value, err
	}
	if value, err = create(); err != nil {
		return none, err
	}
	if err := f.save(value); err != nil {
		return none, err
	}
	return value, nil
}

// Update saves what change makes of the value, or of the zero value if there is
// none. The file is locked meanwhile, so change must not use it. If change
// fails, nothing is saved.
func (f *File[T]) Update(change func(T) (T, error)) error {
	unlock, err := f.enter()
	if err != nil {
		return err
	}
	defer unlock()
	value, err := f.load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if value, err = change(value); err != nil {
		return err
	}
	return f.save(value)
}

// Remove deletes the file, if it exists. It sets a damaged file aside instead:
// this is how the owner resets a HomeKit document.
func (f *File[T]) Remove() error {
	unlock, err := f.enter()
	if err != nil {
		return err
	}
	defer unlock()
	_, err = f.load()
	damaged, isDamaged := errors.AsType[*DamagedError](err)
	switch {
	case isDamaged && damaged.AsideName == "":
		_, err = f.setAside()
		return err
	case isDamaged, errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return f.remove()
}

// Purge deletes the file, its copy and the damaged ones that were set aside.
func (f *File[T]) Purge() error {
	unlock, err := f.enter()
	if err != nil {
		return err
	}
	defer unlock()
	err = removeFiles(f.store.dir, func(name string) bool { return strings.HasPrefix(name, f.name+".damaged-") })
	if err != nil {
		return err
	}
	return f.remove()
}

// enter locks the file; the caller calls unlock.
func (f *File[T]) enter() (unlock func(), err error) {
	if f.badHost {
		return nil, ErrHostID
	}
	if err := f.store.enter(); err != nil {
		return nil, err
	}
	slot := f.store.slot(f.name)
	slot.Lock()
	return func() {
		slot.Unlock()
		f.store.inUse.RUnlock()
	}, nil
}

// load returns the saved value. If the file is damaged, load replaces it with
// its copy or with what this process loaded or saved last, or sets it aside.
func (f *File[T]) load() (T, error) {
	slot := f.store.slot(f.name)
	value, data, err := f.read()
	damage, damaged := errors.AsType[*DamagedError](err)
	if damaged && data == nil && slot.content != nil {
		if last, err := f.decode(slot.content); err == nil {
			value, data = last, slot.content
		}
	}
	switch {
	case damaged && data != nil:
		if !slot.recovered {
			damage.Recovered = true
			damage.AsideName, _ = f.aside(os.Link) // best effort: the value is whole
			if f.store.options.Warn != nil {
				f.store.options.Warn(damage)
			}
		}
		slot.recovered = f.store.save(f.name, data, f.perm()) != nil // Writable reports the error
	case damaged && !f.keep:
		if damage.AsideName, err = f.setAside(); err != nil {
			return value, errors.Join(damage, err)
		}
		return value, damage
	case err != nil:
		return value, err
	case slot.content == nil:
		data = f.copy(data)
	}
	slot.content = data
	return value, nil
}

// read returns the value and the content of the file. If the file is damaged, it
// returns those of the copy, if that is whole, and a DamagedError.
func (f *File[T]) read() (value T, data []byte, err error) {
	data, err = f.store.read(f.name)
	if err == nil {
		value, err = f.decode(data)
	}
	if _, unread := errors.AsType[*fs.PathError](err); err == nil || unread { // unread: nothing is known of the content
		return value, data, err
	}
	var none T
	if errors.Is(err, ErrNewer) {
		return none, nil, fmt.Errorf("%s was %w: install that version again, or restore a backup", f.name, err)
	}
	damage := &DamagedError{Name: f.name, Reason: err.Error()}
	if f.secret && !errors.Is(err, errChecksum) {
		damage.Reason = "its content is invalid"
	}
	if data, err = f.store.read(f.name + copySuffix); err == nil {
		value, err = f.decode(data)
	}
	if err != nil {
		return none, nil, damage
	}
	return value, data, damage
}

// copy rewrites a file that an earlier version wrote without a checksum, and a
// copy that is missing or that a killed process left different. It returns the
// content with its checksum. A failure is left to Writable and to the next start.
func (f *File[T]) copy(data []byte) []byte {
	checked := withChecksum(data)
	copied, err := f.store.read(f.name + copySuffix)
	if err != nil || !bytes.Equal(copied, checked) || !bytes.Equal(data, checked) {
		_ = f.store.save(f.name, checked, f.perm())
	}
	return checked
}

func (f *File[T]) save(value T) error {
	data, err := f.encode(value)
	if err != nil {
		return fmt.Errorf("%s is not saved: %w", f.name, err)
	}
	if err := f.store.save(f.name, data, f.perm()); err != nil {
		return err
	}
	f.store.slot(f.name).content = data
	return nil
}

// remove deletes the file and its copy.
func (f *File[T]) remove() error {
	f.store.slot(f.name).content = nil
	for _, path := range []string{f.path(), f.path() + copySuffix} { // a copy without its file is never used
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDir(filepath.Dir(f.path()))
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

// content returns the content of the file, or of its copy if the file is
// damaged, without the lock.
func (f *File[T]) content() ([]byte, error) {
	_, data, err := f.read()
	if data != nil && errors.Is(err, ErrDamaged) {
		err = nil
	}
	return data, err
}

func (f *File[T]) check(content []byte) error {
	_, err := f.decode(content)
	return err
}

func (f *File[T]) perm() fs.FileMode {
	if f.secret {
		return secretPerm
	}
	return plainPerm
}

func (f *File[T]) path() string { return filepath.Join(f.store.dir, f.name) }
