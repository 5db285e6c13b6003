package state_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
)

func TestModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "state")
	s := open(t, dir)
	if err := homekit(t, s).Save(record{Device: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Credentials().Save(state.Credentials{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Consoles().Save(state.Consoles{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SimulatorKey(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		".":                           fs.ModeDir | 0o750,
		"homekit":                     fs.ModeDir | 0o750,
		"inputs":                      fs.ModeDir | 0o750,
		"homekit/" + hostID + ".json": 0o600,
		"credentials.json":            0o600,
		"simulator.pem":               0o600,
		"consoles.json":               0o640,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s is %v, want %v", name, info.Mode(), want)
		}
	}
}

// TestSavedSecretIsClosed: a save closes a secret document that others could read.
func TestSavedSecretIsClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	path := filepath.Join(dir, "credentials.json")
	for range 2 {
		if err := s.Credentials().Save(state.Credentials{}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // as a user's tool may
			t.Fatal(err)
		}
	}
}

// TestExistingDirectory: an empty one is closed to others, one with files is left as it is, one that everybody may write to
// is refused.
func TestExistingDirectory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode    fs.FileMode
		empty   bool
		want    fs.FileMode
		refused bool
	}{
		"empty":           {0o755, true, 0o750, false},
		"with files":      {0o755, false, 0o755, false},
		"open":            {0o777, false, 0o777, true},
		"open, sticky":    {0o777 | fs.ModeSticky, true, 0o777 | fs.ModeSticky, true},
		"open, but empty": {0o777, true, 0o750, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if !test.empty {
				write(t, "", dir, "file")
			}
			if err := os.Chmod(dir, test.mode); err != nil {
				t.Fatal(err)
			}
			s, err := state.Open(dir, nil)
			if err == nil {
				defer s.Close()
			}
			if (err != nil) != test.refused || test.refused && !strings.Contains(err.Error(), "chmod 750") {
				t.Errorf("Open: %v", err)
			}
			info, err := os.Stat(dir)
			if err != nil || info.Mode() != fs.ModeDir|test.want {
				t.Errorf("mode %v, %v, want %v", info.Mode(), err, test.want)
			}
		})
	}
}

func TestDirectoryThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, "", file)
	if _, err := state.Open(filepath.Join(file, "state"), nil); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("%v", err)
	}
}

// TestLock has another process own the directory, then lets it go.
func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := exec.Command(os.Args[0], dir)
	other.Env = append(os.Environ(), roleVariable+"=owner")
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "open\n" {
		t.Fatalf("%q, %v", line, err)
	}
	s, err := state.Open(dir, nil)
	if !errors.Is(err, state.ErrLocked) {
		t.Fatalf("%v, %v", s, err)
	}
	for _, part := range []string{dir, fmt.Sprintf("process %d", other.Process.Pid), "stop that one first"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

// ownUntilTold holds a state directory until its input ends, and leaves without closing it.
func ownUntilTold(dir string) int {
	if _, err := state.Open(dir, nil); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func TestLockWithinOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := state.Open(dir, nil); !errors.Is(err, state.ErrLocked) {
		t.Errorf("%v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	f := homekit(t, s)
	if err := f.Save(record{}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, loadErr := f.Load()
	_, idErr := s.InstallationID()
	for name, err := range map[string]error{
		"Load": loadErr, "Save": f.Save(record{}), "Remove": f.Remove(), "InstallationID": idErr, "Writable": s.Writable(),
		"Update": f.Update(func(r record) (record, error) { return r, nil }),
	} {
		if !errors.Is(err, state.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLeftovers: temporary files of a killed process go, everything else stays.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "homekit"), 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, "half", dir, ".consoles.json123456")
	write(t, "half", dir, "homekit", "."+hostID+".json987")
	write(t, "mine", dir, ".profile")
	write(t, "mine", dir, "consoles.json.damaged-1")
	open(t, dir)
	if got := names(t, dir); !slices.Equal(got, []string{".profile", "consoles.json.damaged-1", "homekit", "inputs", "lock"}) {
		t.Errorf("left: %v", got)
	}
	if got := names(t, dir, "homekit"); len(got) != 0 {
		t.Errorf("left in homekit: %v", got)
	}
}
