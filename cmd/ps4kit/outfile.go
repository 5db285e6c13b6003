package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

// outFile is where a verb writes its result instead of printing it.
type outFile struct {
	path  string // empty: nowhere
	force bool
}

func (o *outFile) add(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.path, "out", "", "write "+what+" to `FILE`")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace FILE if it is there")
}

// check says early that the file cannot be written.
func (o *outFile) check() error {
	if o.path == "" {
		if o.force {
			return usageError(errors.New("--force is for a FILE: give --out too"))
		}
		return nil
	}
	info, err := os.Stat(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err = os.Stat(filepath.Dir(o.path)); err != nil {
			return usageError(fmt.Errorf("--out: %w", err))
		}
		return nil
	case err != nil:
		return usageError(fmt.Errorf("--out: %w", err))
	case !info.Mode().IsRegular():
		return usageError(fmt.Errorf("--out: %s is not a file", o.path))
	case !o.force:
		return o.exists()
	}
	return nil
}

func (o *outFile) exists() error {
	return &api.Error{Code: "exists", Message: o.path + " is there already", Hint: "Choose another name, or replace it with --force."}
}

// write makes the file, whole or not at all. Without force another file is never
// replaced, not even one that has come since check.
func (o *outFile) write(data []byte) error {
	if err := o.check(); err != nil {
		return err
	}
	f, err := renameio.NewPendingFile(o.path, renameio.WithTempDir(filepath.Dir(o.path)), renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer func() { _ = f.Cleanup() }()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if !o.force {
		if err := o.claim(); err != nil {
			return err
		}
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// claim takes the name with an empty file, which works on every file system.
func (o *outFile) claim() error {
	f, err := os.OpenFile(o.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // as readable as the umask lets it
	switch {
	case errors.Is(err, fs.ErrExist):
		return o.exists()
	case err != nil:
		return fmt.Errorf("--out: %w", err)
	}
	return f.Close()
}
