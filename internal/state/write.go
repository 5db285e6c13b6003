package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// Writer replaces the file at path by data, or leaves it as it was when it fails. Nil is returned once data is on disk.
type Writer func(path string, data []byte, perm fs.FileMode) error

// WriteFile is the Writer of a Store: a temporary file beside path, fsync, rename, fsync of the directory. The error
// wraps the cause, such as unix.ENOSPC. When the directory cannot be synced the file may be the new one already.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(path)
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(perm))
	if err != nil {
		return bare(err)
	}
	if _, err := pending.Write(data); err != nil {
		return errors.Join(bare(err), pending.Cleanup())
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return errors.Join(bare(err), pending.Cleanup())
	}
	return syncDir(dir)
}

// bare takes the name of the temporary file out of an error: it is another one at each try, so that no two errors of one
// cause would be equal, and it tells nobody anything.
func bare(err error) error {
	var (
		path *fs.PathError
		link *os.LinkError
	)
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// syncDir makes renames within a directory last. Some file systems cannot do it and say EINVAL: nothing is to be done then.
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
