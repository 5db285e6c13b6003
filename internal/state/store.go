// Package state keeps what ps4kit remembers, in one directory that one process
// owns:
//
//	lock                         held by the process that owns the directory
//	consoles.json                known consoles
//	credentials.json      0600   PSN credentials, by console
//	registrations.json    0600   Remote Play registrations, by console
//	homekit/<HOSTID>.json 0600   identity and pairings of one HomeKit server
//	settings.json                settings made on the page
//	inputs/<HOSTID>.json         inputs and names of one console
//	installation.json            makes this installation's model name unique (docs/protocol.md §5)
//	simulator.pem         0600   key of simulated consoles
//	web.json              0600   password and tokens of the web page
//	restore.tar.gz        0600   backup to be restored (restore.go)
//
// # What a file promises
//
// A document is written to a temporary file, fsynced and renamed over the old
// one, and the directory is fsynced. After a kill or a power cut there is the
// old document or the new one, never a part; and the new one for certain once
// Save has returned.
//
// Every document has a copy, NAME.copy, written before the document itself. If
// a document is damaged, Load restores it from the copy and warns. The copy is
// not a generation behind: that would lose the newest pairing, and could leave
// an accessory open to others.
//
// A document that is damaged together with its copy is restored if this process
// has loaded or saved it before. Otherwise it is never overwritten: most are set
// aside as NAME.damaged-1, -2 and so on, and the next Load starts fresh. A
// HomeKit document stays in place and fails every Load until the owner resets
// it.
//
// JSON documents are {"version": 1, "sha256": …, "data": …}. The first Load
// rewrites a document of an earlier version, which has no checksum. Unknown
// fields in the data are accepted, so that an older ps4kit keeps working (it
// drops them, and the checksum, when it saves). A version higher than the known
// one is an error, and the file is left alone.
package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

const (
	dirPerm    fs.FileMode = 0o750
	plainPerm  fs.FileMode = 0o640
	secretPerm fs.FileMode = 0o600

	copySuffix = ".copy"

	maxFileSize = 16 << 20 // bytes; a console's inputs, the largest document, take some tens of thousands
)

// Errors to branch on with errors.Is.
var (
	ErrLocked  = errors.New("in use by another ps4kit")            // Open
	ErrClosed  = errors.New("the directory is closed")             // everything after Close
	ErrDamaged = errors.New("damaged")                             // Load and Save; the error is a *DamagedError
	ErrNewer   = errors.New("written by a newer ps4kit")           // Load and Save; the file is left alone
	ErrHostID  = errors.New("a host id has 12 hexadecimal digits") // methods of a document of one console
)

// Options configure a Store; nil and the zero value are usable.
type Options struct {
	Write Writer      // default: WriteFile
	Warn  func(error) // called when a damaged document is restored; default: ignored

	step func() error // called before each change of a restore; tests stop there
}

// Store is a state directory that this process owns until Close. It is safe for
// concurrent use.
type Store struct {
	dir     string
	options Options // Write and step are set

	restored *Contents // by Open; nil if nothing was waiting

	inUse sync.RWMutex // read-locked by every operation, locked by Close
	lock  *os.File     // nil once closed

	slots sync.Map // *slot by file name

	mu       sync.Mutex
	writeErr error // of the last write
}

// slot is what the Files of one name share.
type slot struct {
	sync.Mutex
	content   []byte // last loaded or saved; nil before, and once removed
	recovered bool   // the file is damaged and could not be replaced: warned already
}

// Open creates the directory if it is missing (0750), takes its lock, puts a
// stored backup in place, and deletes what a killed process left half written.
// It returns ErrLocked while another process owns the directory.
func Open(dir string, opts *Options) (*Store, error) {
	s := &Store{dir: dir}
	if opts != nil {
		s.options = *opts
	}
	if s.options.Write == nil {
		s.options.Write = WriteFile
	}
	if s.options.step == nil {
		s.options.step = func() error { return nil }
	}
	err := prepareDir(dir)
	if err == nil {
		s.lock, err = takeLock(dir)
	}
	if err == nil {
		err = s.prepareFiles()
	}
	if err != nil {
		return nil, errors.Join(permissionError(dir, err), s.Close())
	}
	return s, nil
}

// permissionError adds the command that helps to an error that says the
// directory, or a file in it, cannot be used.
func permissionError(dir string, err error) error {
	dir = filepath.Clean(dir)
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: %s is read-only for this process: mount it writable, "+
			"or choose another directory with --state-dir; in a systemd unit, add StateDirectory=ps4kit", err, dir)
	case errors.Is(err, fs.ErrPermission):
		command := "chown -R"
		if _, missing := os.Stat(dir); missing != nil {
			command = "install -d -o"
		}
		return fmt.Errorf("%w: the user with the id %[2]d cannot use %[3]s: run \"sudo %[4]s %[2]d '%[3]s'\", "+
			"or choose another directory with --state-dir; in a systemd unit, add StateDirectory=ps4kit", err, os.Geteuid(), dir, command)
	}
	return err
}

// Dir returns the path of the directory.
func (s *Store) Dir() string { return s.dir }

// Close waits for operations in progress and releases the directory. Everything
// returns ErrClosed afterwards. A second Close does nothing.
func (s *Store) Close() error {
	s.inUse.Lock()
	defer s.inUse.Unlock()
	if s.lock == nil {
		return nil
	}
	// Closing the file alone would not release the lock while a child process
	// that is being started still has it open.
	err := errors.Join(unix.Flock(int(s.lock.Fd()), unix.LOCK_UN), s.lock.Close())
	s.lock = nil
	return err
}

// Writable returns why the state cannot be saved at the moment: the last write
// failed, or the directory is not writable. It writes nothing itself, so health
// checks may call it often.
func (s *Store) Writable() error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.inUse.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writeErr != nil {
		return s.writeErr
	}
	return writable(s.dir)
}

// enter begins an operation; the caller ends it with s.inUse.RUnlock.
func (s *Store) enter() error {
	s.inUse.RLock()
	if s.lock == nil {
		s.inUse.RUnlock()
		return ErrClosed
	}
	return nil
}

// slot returns what the Files of one name share.
func (s *Store) slot(name string) *slot {
	shared, _ := s.slots.LoadOrStore(name, &slot{})
	return shared.(*slot)
}

// save replaces a file and its copy, and stores the outcome for Writable.
func (s *Store) save(name string, data []byte, perm fs.FileMode) error {
	path := filepath.Join(s.dir, name)
	err := s.options.Write(path+copySuffix, data, perm)
	if err == nil {
		err = s.options.Write(path, data, perm)
	}
	if err != nil {
		err = fmt.Errorf("%s is not saved: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeErr = err
	return err
}

// read returns the content of a file, and errTooBig, which counts as damage.
func (s *Store) read(name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(s.dir, name))
	if err != nil {
		return nil, permissionError(s.dir, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if len(data) > maxFileSize {
		return nil, errTooBig
	}
	return data, err
}

var errTooBig = fmt.Errorf("larger than %d bytes", maxFileSize)

// Writer replaces the content of a file, or leaves it alone if it fails. It
// returns nil once the data is on disk.
type Writer func(path string, data []byte, perm fs.FileMode) error

// WriteFile replaces a file through a temporary file in the same directory:
// fsync, rename, fsync of the directory. The error wraps the cause, such as
// unix.ENOSPC. If the directory cannot be synced, the file may be the new one
// already.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(path)
	// renameio.WriteFile would keep the permissions of an existing file.
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(perm))
	if err == nil {
		defer func() { _ = pending.Cleanup() }() // nothing is left after the replacement
		if _, err = pending.Write(data); err == nil {
			err = pending.CloseAtomicallyReplace()
		}
	}
	// Leave out the name of the temporary file, which changes with every
	// attempt: the same cause gives the same message.
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return failed.Err
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes renames within a directory durable. Some file systems don't
// support it and return EINVAL.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}
