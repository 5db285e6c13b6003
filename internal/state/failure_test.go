package state_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
	"golang.org/x/sys/unix"
)

// quickWrite replaces a file without fsync, for tests that write a lot.
func quickWrite(path string, data []byte, perm fs.FileMode) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"1")
	if err := os.WriteFile(temporary, data, perm); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// TestFailedWrites fails a write at each of its steps: what is loaded then is the old value or the new one, the failure is
// told, Writable remembers it until a write succeeds, and the next start finds nothing else.
func TestFailedWrites(t *testing.T) {
	t.Parallel()
	nothing := func(string, []byte, fs.FileMode) error { return unix.ENOSPC }
	half := func(path string, data []byte, _ fs.FileMode) error {
		temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"42")
		return errors.Join(os.WriteFile(temporary, data[:len(data)/2], 0o600), unix.ENOSPC)
	}
	all := func(path string, data []byte, perm fs.FileMode) error {
		return errors.Join(state.WriteFile(path, data, perm), unix.ENOSPC)
	}
	for name, test := range map[string]struct {
		suffix string // of the file that fails
		write  state.Writer
		want   string
	}{
		"nothing could be written":     {".json", nothing, "old"},
		"no copy could be written":     {".copy", nothing, "old"},
		"half of the copy was written": {".copy", half, "old"},
		"half was written":             {".json", half, "old"},
		"the copy's last fsync failed": {".copy", all, "old"},
		"the last fsync failed":        {".json", all, "new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var fail atomic.Bool
			s := openWith(t, dir, &state.Options{Write: func(path string, data []byte, perm fs.FileMode) error {
				if fail.Load() && strings.HasSuffix(path, test.suffix) {
					return test.write(path, data, perm)
				}
				return quickWrite(path, data, perm)
			}})
			f := homekit(t, s)
			if err := f.Save(record{Device: "old"}); err != nil {
				t.Fatal(err)
			}
			fail.Store(true)
			if err := f.Save(record{Device: "new"}); !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("Save: %v", err)
			}
			if err := s.Writable(); !errors.Is(err, unix.ENOSPC) {
				t.Errorf("Writable: %v", err)
			}
			if r, err := f.Load(); err != nil || r.Device != test.want {
				t.Errorf("loaded %v, %v", r, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			fail.Store(false)
			s = openWith(t, dir, &state.Options{Write: quickWrite})
			if got := names(t, dir, "homekit"); !slices.Equal(got, []string{hostID + ".json", hostID + ".json.copy"}) {
				t.Errorf("left after the next start: %v", got)
			}
			if r, err := homekit(t, s).Load(); err != nil || r.Device != test.want {
				t.Errorf("after the next start: %v, %v", r, err)
			}
			if err := errors.Join(homekit(t, s).Save(record{Device: "newer"}), s.Writable()); err != nil {
				t.Errorf("a write that succeeds: %v", err)
			}
		})
	}
}

// TestKernelRefusesToWrite has the kernel stop a write in its middle (RLIMIT_FSIZE, EFBIG), in a process of its own.
func TestKernelRefusesToWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.Command(os.Args[0], dir)
	child.Env = append(os.Environ(), roleVariable+"=filler")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := names(t, dir, "homekit"); !slices.Equal(got, []string{hostID + ".json", hostID + ".json.copy"}) {
		t.Errorf("left: %v", got)
	}
	if r, err := homekit(t, open(t, dir)).Load(); err != nil || r.Device != "old" {
		t.Errorf("%v, %v", r, err)
	}
}

func writeTooMuch(dir string) int {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := state.Open(dir, nil)
	if err != nil {
		return 2
	}
	f := state.HomeKit[record](s, hostID)
	if f.Save(record{Device: "old"}) != nil {
		return 3
	}
	if unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: 4096}) != nil {
		return 4
	}
	if err := f.Save(record{Device: strings.Repeat("x", 10_000)}); !errors.Is(err, unix.EFBIG) {
		return 5
	}
	return 0
}

// TestRenameFails: the temporary file goes when the last step cannot be done.
func TestRenameFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "target")
	if err := os.MkdirAll(filepath.Join(path, "occupied"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := state.WriteFile(path, []byte("x"), 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"target"}) {
		t.Errorf("left: %v", got)
	}
}

func TestWritableWithoutDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	if err := s.Writable(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Writable(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestErrorsOfOneCauseAreEqual: a log folds what is said again, and nobody knows what to do with the name of a temporary file.
func TestErrorsOfOneCauseAreEqual(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing", "file.json")
	first, second := state.WriteFile(path, nil, 0o600), state.WriteFile(path, nil, 0o600)
	if !errors.Is(first, fs.ErrNotExist) || first.Error() != second.Error() {
		t.Errorf("%v, then %v", first, second)
	}
}
