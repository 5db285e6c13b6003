package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

func TestOutFileNeverReplacesAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	var written atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			o := outFile{path: path}
			err := o.write(bytes.Repeat([]byte{byte('a' + i)}, 10_000))
			var known *api.Error
			switch {
			case err == nil:
				written.Add(1)
			case !errors.As(err, &known) || known.Code != "exists":
				t.Error(err)
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(path)
	if written.Load() != 1 || err != nil || len(data) != 10_000 || bytes.Count(data, data[:1]) != 10_000 {
		t.Errorf("%d wrote, %d bytes, %v", written.Load(), len(data), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	o := outFile{path: path, force: true}
	if err := o.write([]byte("new")); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "new" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_048_576: "1.0 MB", 999_949: "999.9 kB", 999_950: "1.0 MB",
		7_340_032_000: "7.3 GB", 2_000_000_000_000_000: "2000.0 TB",
	} {
		if got := sizeOf(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}

func TestOwnedByUserIsTheNearestExistingDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "not", "there")} {
		if !ownedByUser(path) {
			t.Errorf("%s is not ours", path)
		}
	}
	if os.Geteuid() != 0 && ownedByUser("/proc/1/not/there") {
		t.Error("root's directory is ours")
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 12345, -1); err != nil {
			t.Skip(fmt.Sprint("cannot give a directory away: ", err))
		}
		if ownedByUser(filepath.Join(dir, "art")) {
			t.Error("another user's directory is ours")
		}
	}
}
