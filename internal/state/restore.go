package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A restore passes through these files, so that a process killed at any instant
// leaves either the old documents or the new ones once the directory is opened
// again:
//
//	NAME.restore    a document of the backup; Open deletes it unless there is a
//	restore.tar.gz  backup whose documents are all written: Open puts them in place
//
// The backup appears by a rename, which is the point of no return. Everything
// that can fail for lack of space happens before it.
const (
	pendingName  = "restore.tar.gz"
	stagedSuffix = ".restore"
)

// Restore replaces every document of a state directory with those of a backup
// and deletes documents that are not in it. It checks the whole backup before
// it changes anything, and creates the directory if it is missing. Files set
// aside as damaged stay.
//
// It returns ErrBackup if the backup is not valid and ErrLocked while a process
// owns the directory.
func Restore(dir string, archive []byte) (Contents, error) {
	if _, _, err := readArchive(archive); err != nil { // before the directory is created
		return Contents{}, err
	}
	s, err := Open(dir, nil)
	if err != nil {
		return Contents{}, err
	}
	contents, err := s.StageRestore(archive)
	if err == nil {
		err = s.commitRestore()
	}
	return contents, errors.Join(err, s.Close())
}

// StageRestore checks a backup and stores it in the state directory; the next
// Open puts its documents in place. It returns ErrBackup if the backup is not
// valid. After an error the state is the old one.
func (s *Store) StageRestore(archive []byte) (Contents, error) {
	contents, docs, err := readArchive(archive)
	if err != nil {
		return Contents{}, err
	}
	if err := s.enter(); err != nil {
		return Contents{}, err
	}
	defer s.inUse.RUnlock()
	for _, d := range docs {
		if err = s.put(d.name+stagedSuffix, d.data, fileOf("", d.name).perm()); err != nil {
			break
		}
	}
	if err == nil {
		err = s.put(pendingName, archive, secretPerm)
	}
	if err != nil { // the next Open deletes the documents
		return Contents{}, errors.Join(fmt.Errorf("storing the backup: %w", err), s.drop(pendingName))
	}
	return contents, nil
}

// Restored returns the backup that Open put in place, nil if none was waiting.
func (s *Store) Restored() *Contents { return s.restored }

// RestorePending reports whether a backup waits for the next Open.
func RestorePending(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, pendingName))
	return err == nil
}

// commitRestore puts the documents of a stored backup in place and deletes all
// others and all copies. It can be repeated until it succeeds. The caller owns
// the directory.
func (s *Store) commitRestore() error {
	archive, err := os.ReadFile(filepath.Join(s.dir, pendingName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	contents, _, err := readArchive(archive)
	if err != nil {
		return fmt.Errorf("completing a restore: %w: delete %s and restore again", err, filepath.Join(s.dir, pendingName))
	}
	for _, name := range contents.Files {
		if err := s.options.step(); err != nil {
			return err
		}
		path := filepath.Join(s.dir, name)
		if err := os.Rename(path+stagedSuffix, path); err != nil && !errors.Is(err, fs.ErrNotExist) { // in place already
			return err
		}
	}
	list, err := listFiles(s.dir, func(name string) bool {
		document, copied := strings.CutSuffix(name, copySuffix)
		return documentPath().MatchString(document) && (copied || !slices.Contains(contents.Files, name))
	})
	if err != nil {
		return err
	}
	for _, name := range list {
		if err := s.drop(name); err != nil {
			return err
		}
	}
	for _, inside := range []string{homekitDir, inputsDir, ""} {
		if err := syncDir(filepath.Join(s.dir, inside)); err != nil {
			return err
		}
	}
	s.restored = &contents
	if err := s.drop(pendingName); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// put writes a file of a restore.
func (s *Store) put(name string, data []byte, perm fs.FileMode) error {
	if err := s.options.step(); err != nil {
		return err
	}
	return s.options.Write(filepath.Join(s.dir, name), data, perm)
}

// drop deletes a file, if it exists.
func (s *Store) drop(name string) error {
	if err := s.options.step(); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
