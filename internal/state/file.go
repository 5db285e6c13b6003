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
	codec  codec[T]
	secret bool // mode 0600, and errors don't quote the content
	keep   bool // a damaged file stays in place
}

// DocumentOptions describe a JSON document; the zero value is usable.
type DocumentOptions[T any] struct {
	Secret      bool          // the file is 0600 instead of 0640, and errors don't quote its content
	KeepDamaged bool          // a damaged file stays in place and fails every Load, instead of being set aside
	Check       func(T) error // rejects impossible data when saving, and as damage when loading
}

// Document returns the JSON document NAME.json of a store, for content that
// this package doesn't know. name must consist of lower-case letters, digits
// and hyphens for the document to be backed up.
func Document[T any](s *Store, name string, opts DocumentOptions[T]) *File[T] {
	return document(s, name+".json", opts)
}

func document[T any](s *Store, name string, opts DocumentOptions[T]) *File[T] {
	return &File[T]{store: s, name: name, codec: jsonCodec(opts), secret: opts.Secret, keep: opts.KeepDamaged}
}

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
	unlock, err := f.enter()
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := f.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.save(value)
}

// LoadOr returns the saved value. If there is none, it saves and returns what
// create returns.
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

// remove deletes the file and its copy.
func (f *File[T]) remove() error {
	for _, path := range []string{f.path(), f.path() + copySuffix} { // a copy without its file is never used
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDir(filepath.Dir(f.path()))
}

// Purge deletes the file, its copy and the damaged ones that were set aside.
func (f *File[T]) Purge() error {
	unlock, err := f.enter()
	if err != nil {
		return err
	}
	defer unlock()
	dir, name := filepath.Split(f.path())
	if err := removeFiles(dir, func(file string) bool { return strings.HasPrefix(file, name+".damaged-") }); err != nil {
		return err
	}
	return f.remove()
}

// enter locks the file; the caller calls unlock.
func (f *File[T]) enter() (unlock func(), err error) {
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

func (f *File[T]) load() (value T, err error) {
	data, err := f.store.read(f.name)
	if err == nil {
		value, err = f.codec.decode(data)
	}
	switch {
	case isUnread(err):
		return value, err
	case errors.Is(err, ErrNewer):
		return value, fmt.Errorf("%s was %w: install that version again, or restore a backup", f.name, err)
	case err != nil:
		return f.recover(err)
	}
	if slot := f.store.slot(f.name); !slot.copied {
		f.copy(data)
		slot.copied = true
	}
	return value, nil
}

// copy rewrites a file that an earlier version wrote without a checksum, and a
// copy that is missing or that a killed process left different. A failure is
// left to Writable and to the next start.
func (f *File[T]) copy(data []byte) {
	checked := withChecksum(data)
	copied, err := f.store.read(f.name + copySuffix)
	if err != nil || !bytes.Equal(copied, checked) || !bytes.Equal(data, checked) {
		_ = f.store.save(f.name, checked, f.perm())
	}
}

func (f *File[T]) save(value T) error {
	data, err := f.codec.encode(value)
	if err != nil {
		return fmt.Errorf("%s is not saved: %w", f.name, err)
	}
	return f.store.save(f.name, data, f.perm())
}

// isUnread reports whether a document could not be read, so that nothing is
// known of its content.
func isUnread(err error) bool {
	_, unread := errors.AsType[*fs.PathError](err)
	return unread
}

func (f *File[T]) check(content []byte) error {
	_, err := f.codec.decode(content)
	return err
}

func (f *File[T]) perm() fs.FileMode {
	if f.secret {
		return secretPerm
	}
	return plainPerm
}

func (f *File[T]) path() string { return filepath.Join(f.store.dir, f.name) }
