package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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

// codec turns a value into the content of a file and back.
type codec[T any] struct {
	encode func(T) ([]byte, error)
	decode func([]byte) (T, error)
}

// DocumentOptions describe a JSON document; the zero value is usable.
type DocumentOptions[T any] struct {
	Secret      bool          // the file is 0600 instead of 0640, and errors don't quote its content
	KeepDamaged bool          // a damaged file stays in place and fails every Load, instead of being set aside
	Version     int           // of the data, raised when an older ps4kit must not read it; default: 1
	Check       func(T) error // rejects impossible data when saving, and as damage when loading
}

var documentName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// Document returns the JSON document NAME.json of a store, for content that
// this package doesn't know. name consists of lower-case letters, digits and
// hyphens.
func Document[T any](s *Store, name string, opts DocumentOptions[T]) (*File[T], error) {
	if !documentName.MatchString(name) {
		return nil, fmt.Errorf("%q is not the name of a document", name)
	}
	return document(s, name+".json", opts), nil
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
	dir := filepath.Dir(f.path())
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(f.path())+".damaged-") {
			errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	if err := errors.Join(errs...); err != nil {
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
	slot := f.store.slot(f.name)
	slot.known = false
	data, err := f.store.read(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		slot.known = true
		fallthrough
	case err != nil && !errors.Is(err, errTooBig):
		return value, err
	case err == nil:
		value, err = f.codec.decode(data)
	}
	switch {
	case errors.Is(err, ErrNewer):
		return value, fmt.Errorf("%s was %w: install that version again, or restore a backup", f.name, err)
	case err != nil:
		return f.recover(err)
	}
	slot.known = true
	if !slot.copied {
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
		f.store.warn(e)
	}
	err = f.store.save(f.name, withChecksum(data), f.perm()) // an error is left to Writable
	slot.recovered = err != nil
	slot.known = true
	return value, nil
}

func (f *File[T]) save(value T) error {
	if !f.store.slot(f.name).known {
		if _, err := f.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	data, err := f.codec.encode(value)
	if err != nil {
		return fmt.Errorf("%s is not saved: %w", f.name, err)
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
	f.store.slot(f.name).known = true
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

// envelope is the content of a JSON document. Its keys are fixed: an unknown one
// is damage, unlike in the data.
type envelope struct {
	Version int             `json:"version"`
	SHA256  string          `json:"sha256,omitempty"` // of version and data; empty in files of earlier versions
	Data    json.RawMessage `json:"data"`
}

var (
	errNoData   = errors.New("it contains no data")
	errChecksum = errors.New("its checksum does not match")
)

// checksum covers the version and the data, whatever its indentation.
func (e envelope) checksum() string {
	text := bytes.NewBufferString(fmt.Sprintf("%d ", e.Version))
	_ = json.Compact(text, e.Data) // valid, as it was decoded or encoded
	return checksum(text.Bytes())
}

func (e envelope) encode() ([]byte, error) {
	e.SHA256 = e.checksum()
	text, err := json.MarshalIndent(e, "", "  ")
	return append(text, '\n'), err
}

// withChecksum returns the content of a valid file, with a checksum if it is a
// JSON document without one.
func withChecksum(data []byte) []byte {
	var e envelope
	if decodeStrict(data, &e) == nil && e.SHA256 == "" {
		if text, err := e.encode(); err == nil {
			return text
		}
	}
	return data
}

func jsonCodec[T any](opts DocumentOptions[T]) codec[T] {
	if opts.Version == 0 {
		opts.Version = 1
	}
	if opts.Check == nil {
		opts.Check = func(T) error { return nil }
	}
	return codec[T]{
		encode: func(value T) ([]byte, error) {
			if err := opts.Check(value); err != nil {
				return nil, err
			}
			data, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			if isNull(data) {
				return nil, errNoData // it could not be loaded again
			}
			return envelope{Version: opts.Version, Data: data}.encode()
		},
		decode: func(data []byte) (T, error) {
			var value T
			if err := decodeJSON(data, opts.Version, opts.KeepDamaged, &value); err != nil {
				return value, err
			}
			return value, opts.Check(value)
		},
	}
}

// decodeJSON decodes a document. strict rejects unknown keys in the data of a
// document without a checksum, where only damage explains them: a damaged key
// would lose the pairings.
func decodeJSON(data []byte, version int, strict bool, value any) error {
	var e envelope
	if err := decodeStrict(data, &e); err != nil {
		return err
	}
	switch {
	case e.SHA256 != "" && e.SHA256 != e.checksum():
		return errChecksum
	case e.Version > version:
		return ErrNewer
	case e.Version < 1:
		return errors.New("it contains no version")
	case isNull(e.Data):
		return errNoData
	case strict && e.SHA256 == "":
		return decodeStrict(e.Data, value)
	}
	return json.Unmarshal(e.Data, value)
}

// decodeStrict decodes one JSON value without unknown keys.
func decodeStrict(data []byte, value any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(value); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// isNull reports data that would decode to a zero value, such as a new
// identity.
func isNull(data json.RawMessage) bool {
	return len(data) == 0 || bytes.Equal(data, []byte("null"))
}
