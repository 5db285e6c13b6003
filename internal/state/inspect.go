package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"
)

// Inspection is what can be seen of a state directory from outside.
type Inspection struct {
	Mode      fs.FileMode
	Owner     int      // id of the last process that opened it, which has it open unless it has ended; 0: unknown
	Writable  error    // nil if this user may write to it
	Free      uint64   // bytes that this user may still write there
	Documents int      // in place
	Damaged   []string // invalid documents in place, whose copy is invalid too
	Newer     []string // documents that a newer ps4kit wrote
	Aside     []string // files set aside as damaged
	Exposed   []string // documents with secrets that others than the owner may read
}

// Inspect examines a state directory without changing it. It needs no lock: a
// document is complete at every instant. Documents that this user may not read
// count as good. It returns fs.ErrNotExist if there is no directory yet;
// Writable then tells whether this user may create it.
func Inspect(dir string) (Inspection, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: dir, Err: unix.ENOTDIR}
	}
	if err != nil {
		var in Inspection
		if errors.Is(err, fs.ErrNotExist) {
			in.Writable = creatable(dir)
		}
		return in, err
	}
	in := Inspection{Mode: info.Mode(), Writable: unix.Access(dir, unix.W_OK|unix.X_OK)}
	var room unix.Statfs_t
	if err := unix.Statfs(dir, &room); err != nil {
		return in, err
	}
	in.Free = uint64(max(room.Bavail, 0)) * uint64(room.Bsize) //nolint:unconvert // an int64 on FreeBSD
	if lock, err := os.Open(filepath.Join(dir, lockName)); err == nil {
		in.Owner = owner(lock)
		_ = lock.Close()
	}
	list, err := listDocuments(dir)
	if err != nil {
		return in, err
	}
	in.Documents = len(list)
	for _, name := range list {
		file := fileOf(dir, name)
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && file.perm() == secretPerm && info.Mode()&0o077 != 0 {
			in.Exposed = append(in.Exposed, name)
		}
		switch _, err := file.content(); {
		case errors.Is(err, ErrNewer):
			in.Newer = append(in.Newer, name)
		case errors.Is(err, ErrDamaged):
			in.Damaged = append(in.Damaged, name)
		}
	}
	if in.Aside, err = listFiles(dir, regexp.MustCompile(`\.damaged-[0-9]+$`).MatchString); err != nil {
		return in, err
	}
	return in, nil
}

// creatable returns why this user cannot create a directory and its missing
// parents.
func creatable(dir string) error {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if err := unix.Access(parent, unix.W_OK|unix.X_OK); !errors.Is(err, fs.ErrNotExist) || parent == filepath.Dir(parent) {
			return err
		}
	}
}
