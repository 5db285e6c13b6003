package artcache

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// writeFile writes a file whole or not at all, as far as other readers and a
// kill can tell. It is not synced: that would be slow on the card of a Raspberry
// Pi, and what a power cut leaves behind fails its check and is fetched again.
func (s *store) writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// cleanTemp removes what a kill left half written.
func (s *store) cleanTemp() {
	tmp := filepath.Join(s.dir, "tmp")
	entries, _ := os.ReadDir(tmp)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > tempAge {
			_ = os.Remove(filepath.Join(tmp, e.Name()))
		}
	}
}

// readSmall reads a regular file of at most limit bytes. Opening does not wait
// for the other end of a pipe, which is then refused as anything else is.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // made of a checked key
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, errors.New("not a regular file of sane size")
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}
