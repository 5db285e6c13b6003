package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// codec turns a value into the bytes of a file and back.
type codec[T any] struct {
	encode func(T) ([]byte, error)
	decode func([]byte) (T, error)
}

// File is one file that holds one value. It is safe for concurrent use, also beside another File of the same name.
type File[T any] struct {
	store  *Store
	name   string // inside the store's directory
	codec  codec[T]
	secret bool // mode 0600, and errors do not tell what the content was
	keep   bool // a damaged file stays in place
}

// Name is the path of the file inside the state directory.
func (f *File[T]) Name() string { return f.name }

// Load returns what was saved last. The errors: fs.ErrNotExist when there is nothing, ErrDamaged (the file has been set
// aside, or stays in place and fails again), ErrNewer, ErrClosed, and those of reading.
func (f *File[T]) Load() (T, error) {
	unlock, err := f.enter()
	if err != nil {
		var none T
		return none, err
	}
	defer unlock()
	return f.load()
}

// Save replaces the value. When it returns nil the new value is on disk for good; when it fails the old one is still
// there (or the new one, if it was only the last fsync that failed). A file that could not be loaded is not overwritten:
// Save then fails with Load's error.
func (f *File[T]) Save(value T) error {
	unlock, err := f.enter()
	if err != nil {
		return err
	}
	defer unlock()
	return f.save(value)
}

// LoadOr returns what was saved last. When there is nothing, it saves what create returns, and returns that.
func (f *File[T]) LoadOr(create func() (T, error)) (T, error) {
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

// Update saves what change makes of the value, of the zero value when there is none. Nothing else reads or writes the file
// meanwhile, so change must not use it. Nothing is saved when change fails.
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

// Remove deletes the file for good. That there is none is no error. A damaged file is set aside instead: this is how the
// owner resets a HomeKit document.
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
	if err := os.Remove(f.path()); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return syncDir(filepath.Dir(f.path()))
}

// enter begins an operation on the file; the function that it returns ends it.
func (f *File[T]) enter() (func(), error) {
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

func (f *File[T]) load() (T, error) {
	var none T
	slot := f.store.slot(f.name)
	slot.known = false
	data, err := f.store.read(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		slot.known = true
	}
	if err != nil && !errors.Is(err, errTooBig) {
		return none, fmt.Errorf("state: %w", err)
	}
	var value T
	if err == nil {
		value, err = f.codec.decode(data)
	}
	switch {
	case errors.Is(err, ErrNewer):
		return none, fmt.Errorf("state: %s was %w: install that version again, or restore a backup", f.name, err)
	case err != nil:
		return none, f.damaged(err)
	}
	slot.known = true
	return value, nil
}

func (f *File[T]) save(value T) error {
	slot := f.store.slot(f.name)
	if !slot.known {
		if _, err := f.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	data, err := f.codec.encode(value)
	if err != nil {
		return fmt.Errorf("state: %s is not saved: %w", f.name, err)
	}
	return f.store.save(f.name, data, f.perm())
}

func (f *File[T]) perm() fs.FileMode {
	if f.secret {
		return secretPerm
	}
	return plainPerm
}

func (f *File[T]) path() string { return filepath.Join(f.store.dir, f.name) }
