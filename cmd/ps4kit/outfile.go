package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
)

// outFile is where a verb writes its result instead of printing it.
type outFile struct {
	path  string // "" prints it
	force bool
}

func (o *outFile) add(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.path, "out", "", "write "+what+" to `FILE`")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace FILE if it exists")
}

func (o *outFile) write(data []byte) error { return writeFile(o.path, data, 0o644, o.force) }

// writeFile writes a whole file. Only force replaces an existing one, and
// nothing replaces a device.
func writeFile(path string, data []byte, mode fs.FileMode, force bool) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return usageError(errors.New(path + " is not a file"))
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return usageError(err)
	}
	if force {
		return state.WriteFile(path, data, mode)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return &api.Error{Code: "exists", Message: path + " exists already", Hint: "Choose another name, or replace it with --force."}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// Limits on files that are read, in bytes. The packages that parse imports have
// lower ones, and report a file that is too large.
const (
	maxBackup = 80 << 20
	maxImport = 5 << 20
)

// read reads a file, or stdin for "-", up to a limit in bytes.
func (p *program) read(file string, limit int64) ([]byte, error) {
	in := p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, limit))
}
