// Package state keeps what ps4kit remembers, in one directory that one process owns:
//
//	lock                         held by the process that owns the directory
//	consoles.json                the consoles that were seen
//	credentials.json      0600   PSN credentials, by console
//	homekit/<HOSTID>.json 0600   identity and pairings of one HomeKit server
//	inputs/<HOSTID>.json         inputs and names of one console
//	installation.json            what makes this installation's model name unique (docs/protocol.md §5)
//	simulator.pem         0600   the key of simulated consoles
//	web.json              0600   password and tokens of the web page
//	restore.tar.gz        0600   a backup to be restored (restore.go)
//
// # What a file promises
//
// A document is written to a temporary file, fsynced, renamed over the old one, and the directory is fsynced. Whoever kills
// the process or cuts the power finds the old document or the new one, never a part; and the new one for certain once
// Save has returned.
//
// A document that does not parse is never overwritten. Most are set aside as NAME.damaged-1, -2 and so on, all of which are
// kept, and the next Load starts anew. A HomeKit document stays where it is and fails every Load until the owner resets it:
// starting anew would leave an accessory that its owner's controllers no longer know and that is open to others.
//
// JSON documents are {"version": 1, "data": …}. A field that is not known is no error, so that an older ps4kit can go on
// (it drops the field when it saves). A version that is higher than the known one is an error, and the file is left alone.
package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	dirPerm    fs.FileMode = 0o750
	plainPerm  fs.FileMode = 0o640
	secretPerm fs.FileMode = 0o600

	maxFileSize = 16 << 20 // bytes; a console's inputs, the largest document, take some tens of thousands
)

// Errors to branch on with errors.Is.
var (
	ErrLocked  = errors.New("in use by another ps4kit")            // Open
	ErrClosed  = errors.New("state: the directory is closed")      // everything after Close
	ErrDamaged = errors.New("damaged")                             // Load and Save; the error is a *DamagedError
	ErrNewer   = errors.New("written by a newer ps4kit")           // Load and Save; the file is left alone
	ErrHostID  = errors.New("a host id has 12 hexadecimal digits") // whatever takes a host id
)

// Options are the seams of a Store; nil and the zero value are fine.
type Options struct {
	Write Writer // nil: WriteFile

	step func(string) error
}

// Store is the state directory, owned by this process until Close. It is safe for concurrent use.
type Store struct {
	dir   string
	write Writer
	step  func(string) error // called before each change of a restore; tests stop there

	restored *Contents // by Open; nil: nothing was waiting

	inUse sync.RWMutex // held for reading by every operation, for writing by Close
	lock  *os.File     // nil once closed

	mu       sync.Mutex
	slots    map[string]*slot // by file name
	writeErr error            // of the last write
}

// slot is what the Files of one name share.
type slot struct {
	sync.Mutex
	known bool // what is on disk has been found good, or absent
}

// Open makes the directory if it is missing (0750), takes its lock, and removes what a killed process left half written.
// The error is ErrLocked while another process owns it: there is one owner, and no way to read beside it.
func Open(dir string, opts *Options) (*Store, error) {
	s := &Store{dir: dir, write: WriteFile, step: func(string) error { return nil }, slots: map[string]*slot{}}
	if opts != nil && opts.Write != nil {
		s.write = opts.Write
	}
	if opts != nil && opts.step != nil {
		s.step = opts.step
	}
	if err := prepareDir(dir); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	s.lock = lock
	if err := s.prepareFiles(); err != nil {
		return nil, errors.Join(fmt.Errorf("state: %w", err), s.Close())
	}
	return s, nil
}

// Dir is the path of the directory.
func (s *Store) Dir() string { return s.dir }

// Close waits for what is under way and gives the directory up. Everything fails with ErrClosed from then on. A second
// Close does nothing.
func (s *Store) Close() error {
	s.inUse.Lock()
	defer s.inUse.Unlock()
	if s.lock == nil {
		return nil
	}
	err := releaseLock(s.lock)
	s.lock = nil
	return err
}

// Writable tells why the state cannot be kept at present: the last write failed, or the directory cannot be written to.
// It writes nothing itself, so a health check may ask often.
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
	if err := unix.Access(s.dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("state: %w", &fs.PathError{Op: "write to", Path: s.dir, Err: err})
	}
	return nil
}

// enter begins an operation, which ends with s.inUse.RUnlock. It fails after Close.
func (s *Store) enter() error {
	s.inUse.RLock()
	if s.lock == nil {
		s.inUse.RUnlock()
		return ErrClosed
	}
	return nil
}

// slot returns the slot of a file name.
func (s *Store) slot(name string) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots[name] == nil {
		s.slots[name] = &slot{}
	}
	return s.slots[name]
}

// save replaces a file and remembers for Writable how that went.
func (s *Store) save(name string, data []byte, perm fs.FileMode) error {
	err := s.write(filepath.Join(s.dir, name), data, perm)
	if err != nil {
		err = fmt.Errorf("state: %s is not saved: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeErr = err
	return err
}

// read returns the content of a file. Too large a file is damaged: read says so with errTooBig.
func (s *Store) read(name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(s.dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() && info.Size() > maxFileSize {
		return nil, errTooBig
	}
	return io.ReadAll(io.LimitReader(f, maxFileSize))
}

var errTooBig = fmt.Errorf("larger than %d bytes", maxFileSize)
