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
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Directories inside the state directory.
const (
	homekitDir = "homekit"
	inputsDir  = "inputs"
)

const lockName = "lock"

// prepareDir creates the directory, and closes one that is still empty to
// others. It refuses a world-writable directory, where any user could put a
// pairing.
func prepareDir(dir string) error {
	switch err := os.MkdirAll(dir, dirPerm); {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		return err
	case err != nil:
		return fmt.Errorf("the state directory cannot be created: %w: choose another with --state-dir", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return err
	case len(entries) == 0 && info.Mode()&fs.ModeSticky == 0: // sticky: /tmp or similar
		return makeOurs(dir)
	case info.Mode()&0o002 != 0:
		return fmt.Errorf("%s is world-writable: use another directory, or chmod 750 it", dir)
	}
	return nil
}

// makeOurs sets the mode of a new directory regardless of the umask, and makes
// its entry durable.
func makeOurs(dir string) error {
	if err := os.Chmod(dir, dirPerm); err != nil && !errors.Is(err, fs.ErrPermission) { // another user's, who lets us write
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// takeLock locks the directory for this process. The lock ends with the
// process; the file stays, since deleting it would let two processes lock two
// files of that name.
func takeLock(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, plainPerm)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		process := ""
		if pid := owner(lock); pid != 0 {
			process = fmt.Sprintf(" (process %d)", pid)
		}
		err = fmt.Errorf("%s is %w%s: stop that one first, or choose another directory with --state-dir", dir, ErrLocked, process)
	case err == nil:
		if err = lock.Truncate(0); err == nil {
			_, err = lock.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
		}
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// owner returns the process id in the lock, 0 if it is not written yet.
func owner(lock io.Reader) int {
	text, _ := io.ReadAll(io.LimitReader(lock, 20))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// leftover matches the temporary files of WriteFile (a dot, the name of the
// file, a number) and documents of a restore that was discarded.
var leftover = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\.[a-zA-Z0-9-]+\.(json|pem|tar\.gz)(\.restore|\.copy)?[0-9]+|[a-zA-Z0-9-]+\.(json|pem)\.restore)$`)
})

// prepareFiles creates the directories inside, applies a waiting backup and
// removes temporary files. The caller owns the lock.
func (s *Store) prepareFiles() error {
	if err := writable(s.dir); err != nil {
		return err
	}
	for _, inside := range []string{homekitDir, inputsDir} {
		dir := filepath.Join(s.dir, inside)
		err := os.Mkdir(dir, dirPerm)
		switch {
		case err == nil:
			err = makeOurs(dir)
		case errors.Is(err, fs.ErrExist):
			err = writable(dir)
		}
		if err != nil {
			return err
		}
	}
	if err := s.commitRestore(); err != nil {
		return err
	}
	return removeFiles(s.dir, func(name string) bool { return leftover().MatchString(path.Base(name)) })
}

// writable returns an error if this user may not write to a directory.
func writable(dir string) error {
	if err := unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	return nil
}

// removeFiles deletes the files of a state directory whose names match.
func removeFiles(dir string, match func(name string) bool) error {
	list, err := listFiles(dir, match)
	for _, name := range list {
		err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
	}
	return err
}
