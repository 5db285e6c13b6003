package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Directories of a restore that is under way. Their names say how far it is, so that the next Open can end it however it
// was interrupted:
//
//	restore.new      the new documents are being written       the old state holds; Open removes it
//	restore.ready    all are on disk                           the new state holds; Open does what is left
//	restore.moving   the old documents are out of the way      the new state holds; Open does what is left
//	restore.old      the old documents, until the new ones are in place
const (
	restoreNew    = "restore.new"
	restoreReady  = "restore.ready"
	restoreMoving = "restore.moving"
	restoreOld    = "restore.old"
)

// Restore replaces every document of a state directory by those of a backup, and removes documents that are not in the
// backup. The backup is read and checked as a whole before anything is touched. Whoever kills the process finds the old
// documents or the new ones, never some of each. Files that were set aside as damaged stay.
//
// It makes the directory if it is missing. It fails with ErrBackup when the backup is not good, and with ErrLocked while a
// process owns the directory. After a failure of writing the next Open finds the old state, or ends what was begun.
func Restore(dir string, archive io.Reader) (Contents, error) {
	return (&restorer{dir: dir, before: func(string) {}}).restore(archive)
}

// restorer changes a state directory step by step.
type restorer struct {
	dir    string
	before func(step string) // called before each change on disk; tests stop there
}

func (r *restorer) restore(archive io.Reader) (_ Contents, err error) {
	contents, docs, err := readBackup(archive)
	if err != nil {
		return Contents{}, err
	}
	if err := prepareDir(r.dir); err != nil {
		return Contents{}, fmt.Errorf("state: %w", err)
	}
	lock, err := takeLock(r.dir)
	if err != nil {
		return Contents{}, fmt.Errorf("state: %w", err)
	}
	defer func() { err = errors.Join(err, releaseLock(lock)) }()
	if err := r.replace(docs); err != nil {
		return Contents{}, fmt.Errorf("state: restoring: %w", err)
	}
	return contents, nil
}

// CheckBackup reads a backup as Restore does, and touches nothing. It fails with ErrBackup when the backup is not good.
func CheckBackup(archive io.Reader) (Contents, error) {
	contents, _, err := readBackup(archive)
	return contents, err
}

func readBackup(archive io.Reader) (Contents, []doc, error) {
	m, docs, err := readArchive(archive)
	if err != nil {
		return Contents{}, nil, fmt.Errorf("state: %w", err)
	}
	contents := Contents{Created: m.Created}
	for _, d := range docs {
		contents.Files = append(contents.Files, d.name)
	}
	return contents, docs, nil
}

// replace needs the lock.
func (r *restorer) replace(docs []doc) error {
	if err := r.finish(); err != nil { // an earlier one
		return err
	}
	if err := r.stage(docs); err != nil {
		return errors.Join(err, os.RemoveAll(r.path(restoreNew)))
	}
	if err := r.rename(restoreNew, restoreReady); err != nil {
		return err
	}
	return r.finish()
}

// stage writes the new documents beside the old ones.
func (r *restorer) stage(docs []doc) error {
	if err := r.makeTree(restoreNew); err != nil {
		return err
	}
	for _, d := range docs {
		path := r.path(restoreNew, filepath.FromSlash(d.name))
		r.before("write " + d.name)
		if err := WriteFile(path, d.data, d.perm); err != nil {
			return err
		}
		if err := handOver(r.dir, path); err != nil {
			return err
		}
	}
	return r.sync(restoreNew)
}

// finish ends a restore that has been begun: it takes it back as long as not every new document is on disk, and
// does what is left of it afterwards. Without one it does nothing.
func (r *restorer) finish() error {
	if r.exists(restoreReady) {
		if err := r.clear(); err != nil {
			return err
		}
		if err := r.rename(restoreReady, restoreMoving); err != nil {
			return err
		}
	}
	if r.exists(restoreMoving) {
		if err := r.moveAll(restoreMoving, ""); err != nil {
			return err
		}
		if err := r.remove(restoreMoving); err != nil {
			return err
		}
	}
	return errors.Join(r.remove(restoreOld), r.remove(restoreNew))
}

// clear moves the old documents out of the way. No new one is in place yet, so that it may be done twice.
func (r *restorer) clear() error {
	if err := r.makeTree(restoreOld); err != nil {
		return err
	}
	return r.moveAll("", restoreOld)
}

// moveAll moves the documents of one directory inside to another ("" being the state directory itself).
func (r *restorer) moveAll(from, to string) error {
	if err := r.makeTree(to); err != nil {
		return err
	}
	list, err := listDocuments(r.path(from))
	if err != nil {
		return err
	}
	for _, name := range list {
		name = filepath.FromSlash(name)
		r.before("move " + name + " to " + to)
		if err := os.Rename(r.path(from, name), r.path(to, name)); err != nil {
			return err
		}
	}
	return errors.Join(r.sync(to), r.sync(from))
}

// makeTree makes a directory inside, and those inside that, unless they are there.
func (r *restorer) makeTree(name string) error {
	for _, dir := range []string{r.path(name), r.path(name, homekitDir), r.path(name, inputsDir)} {
		r.before("make " + dir)
		err := os.Mkdir(dir, dirPerm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(handOver(r.dir, dir), os.Chmod(dir, dirPerm)); err != nil { // whatever the umask is
			return err
		}
	}
	return nil
}

// sync makes what was done in a directory and those inside it last. Those inside may be missing.
func (r *restorer) sync(name string) error {
	for _, dir := range []string{r.path(name, homekitDir), r.path(name, inputsDir), r.path(name)} {
		if err := syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// rename is one atomic step from one name of a directory inside to the next.
func (r *restorer) rename(from, to string) error {
	r.before("rename to " + to)
	if err := os.Rename(r.path(from), r.path(to)); err != nil {
		return err
	}
	return syncDir(r.dir)
}

func (r *restorer) remove(name string) error {
	if !r.exists(name) {
		return nil
	}
	r.before("remove " + name)
	if err := os.RemoveAll(r.path(name)); err != nil {
		return err
	}
	return syncDir(r.dir)
}

func (r *restorer) exists(name string) bool {
	_, err := os.Lstat(r.path(name))
	return err == nil
}

func (r *restorer) path(inside ...string) string {
	return filepath.Join(append([]string{r.dir}, inside...)...)
}
