package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Limits of a backup. An installation of 64 consoles takes some 130 documents and a few megabytes.
const (
	maxBackupFiles = 1024
	maxBackupSize  = 64 << 20 // bytes of all documents together, unpacked
)

// ErrNothing means that there is no document to back up, or none in a backup.
var ErrNothing = errors.New("nothing is remembered yet")

// Contents tells what a backup holds.
type Contents struct {
	Created time.Time
	Files   []string // inside the state directory, with slashes, in order
}

// Backup writes every document as a gzipped tar, which Restore takes: whoever has it has the pairings and the credentials.
// All documents are of one instant. Not in it: the lock, the socket, the cache of art, and files that were set aside as
// damaged.
//
// It fails with ErrDamaged when a document in place does not parse, since such a backup could not be restored; with
// ErrNewer; with ErrNothing; with ErrClosed; and when w does.
func (s *Store) Backup(w io.Writer) error {
	docs, err := s.snapshot()
	if err != nil {
		return err
	}
	if err := writeArchive(w, time.Now().UTC().Truncate(time.Second), docs); err != nil {
		return fmt.Errorf("state: writing the backup: %w", err)
	}
	return nil
}

// doc is a document as bytes.
type doc struct {
	name string // inside the state directory, with slashes
	perm fs.FileMode
	data []byte
}

// snapshot reads every document, while nothing is written.
func (s *Store) snapshot() ([]doc, error) {
	s.inUse.Lock()
	defer s.inUse.Unlock()
	if s.lock == nil {
		return nil, ErrClosed
	}
	list, err := listDocuments(s.dir)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("state: %w", ErrNothing)
	}
	docs := make([]doc, 0, len(list))
	for _, name := range list {
		data, err := s.read(name)
		if err == nil || errors.Is(err, errTooBig) {
			err = errors.Join(err, checkDocument(name, data))
		}
		if err != nil {
			return nil, backupError(name, err)
		}
		docs = append(docs, doc{name, documentPerm(name), data})
	}
	return docs, nil
}

// backupError says why a document cannot be backed up, without its content.
func backupError(name string, err error) error {
	_, unreadable := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, ErrNewer):
		return fmt.Errorf("state: %s was %w: back it up with that version", name, ErrNewer)
	case unreadable:
		return fmt.Errorf("state: %w", err)
	}
	return &DamagedError{Name: name, Reason: "its content cannot be understood"}
}

// documentPath matches the names of documents inside the state directory, and nothing that leads out of it.
// It is made when it is first needed, which is not at a start.
var documentPath = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(simulator\.pem|[a-z][a-z0-9-]*\.json|homekit/([0-9A-F]{12}|companion)\.json|inputs/[0-9A-F]{12}\.json)$`)
})

// listDocuments lists the documents of a state directory, in order. A directory inside that is missing is empty.
func listDocuments(dir string) ([]string, error) {
	var list []string
	for _, inside := range []string{"", homekitDir, inputsDir} {
		entries, err := os.ReadDir(filepath.Join(dir, inside))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := path.Join(inside, e.Name())
			if documentPath().MatchString(name) && !e.IsDir() {
				list = append(list, name)
			}
		}
	}
	return list, nil
}

// checkDocument refuses content that could not be loaded. What is inside a document that this package knows nothing about
// is for the one who loads it to judge.
func checkDocument(name string, data []byte) error {
	var err error
	s := &Store{}
	switch name {
	case "consoles.json":
		_, err = s.Consoles().codec.decode(data)
	case "credentials.json":
		_, err = s.Credentials().codec.decode(data)
	case "installation.json":
		_, err = jsonCodec(DocumentOptions[installation]{Check: checkInstallation}).decode(data)
	case "simulator.pem":
		_, err = decodeKey(data)
	default:
		var anything any
		err = decodeJSON(data, newestVersion, &anything)
	}
	return err
}

// newestVersion is the highest DocumentOptions.Version in use.
const newestVersion = 1

// documentPerm is the mode of a restored document: closed to all but the owner unless it is known to hold no secret. The
// next Save gives it the mode of its kind.
func documentPerm(name string) fs.FileMode {
	if name == "consoles.json" || name == "installation.json" || strings.HasPrefix(name, inputsDir+"/") {
		return plainPerm
	}
	return secretPerm
}
