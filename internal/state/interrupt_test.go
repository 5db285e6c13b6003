package state_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ps4kit/ps4kit/internal/state"
)

// smallState makes a state directory of three documents, and smallBackup a backup of two others.
func smallState(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, inside := range []string{"homekit", "inputs"} {
		if err := os.Mkdir(filepath.Join(dir, inside), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	write(t, `{"version": 1, "data": "old"}`, dir, "web.json")
	write(t, `{"version": 1, "data": "old"}`, dir, "homekit", hostID+".json")
	write(t, `{"version": 1, "data": "old"}`, dir, "inputs", hostID+".json")
	return dir
}

func smallBackup(t testing.TB) []byte {
	t.Helper()
	return forge(t,
		entry{name: "web.json", content: `{"version": 1, "data": "new"}`},
		entry{name: "homekit/" + otherID + ".json", content: `{"version": 1, "data": "new"}`})
}

// oldAndNew are the trees of smallState before and after smallBackup was restored.
func oldAndNew(t *testing.T) (before, after map[string]string) {
	t.Helper()
	dir := smallState(t)
	before = tree(t, dir)
	if _, err := state.Restore(dir, smallBackup(t)); err != nil {
		t.Fatal(err)
	}
	return before, tree(t, dir)
}

var errStopped = errors.New("stopped")

// stopAt returns options that stop a restore before its n-th change on disk. A
// killed one changes nothing any more; one that fails changes what it likes
// after that.
func stopAt(n int, kill bool) (opts *state.Options, stopped *bool) {
	stopped = new(bool)
	return state.WithStep(func() error {
		n--
		if n == -1 || n < 0 && kill {
			*stopped = true
			return errStopped
		}
		return nil
	}), stopped
}

// restart does what a server does: it stores a backup, closes the state and
// opens it again. It returns the error of the first thing that fails.
func restart(dir string, archive []byte, opts *state.Options) error {
	s, err := state.Open(dir, opts)
	if err != nil {
		return err
	}
	_, err = s.StageRestore(archive)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if s, err = state.Open(dir, opts); err != nil {
		return err
	}
	if s.Restored() == nil {
		err = errors.New("nothing was restored")
	}
	return errors.Join(err, s.Close())
}

// TestRestoreKilled kills a restore before each of its steps, and half of the
// time kills the next start too: the start after that finds either the old state
// or the new one, and nothing else.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	before, after := oldAndNew(t)
	archive := smallBackup(t)
	seen := map[string]int{}
	for n := 0; ; n++ {
		for _, again := range []bool{false, true} {
			dir := smallState(t)
			opts, stopped := stopAt(n, true)
			if err := restart(dir, archive, opts); !*stopped {
				if err != nil {
					t.Error(err)
				}
				checkSeen(t, seen, n)
				return
			}
			if again {
				opts, _ := stopAt(n/2, true)
				if s, err := state.Open(dir, opts); err == nil {
					_ = s.Close()
				}
			}
			seen[found(t, fmt.Sprintf("step %d, again %v", n, again), dir, before, after)]++
		}
	}
}

// TestRestoreFails fails each step of a restore in turn: the failure is reported
// and the old state is kept, or the next start completes the restore.
func TestRestoreFails(t *testing.T) {
	t.Parallel()
	before, after := oldAndNew(t)
	archive := smallBackup(t)
	seen := map[string]int{}
	for n := 0; ; n++ {
		dir := smallState(t)
		opts, stopped := stopAt(n, false)
		err := restart(dir, archive, opts)
		if !*stopped {
			checkSeen(t, seen, n)
			return
		}
		if !errors.Is(err, errStopped) {
			t.Errorf("step %d: %v", n, err)
		}
		seen[found(t, fmt.Sprintf("step %d", n), dir, before, after)]++
	}
}

// TestRestoreOnFullDisk: a disk too small for the documents keeps the old ones,
// and the store opens.
func TestRestoreOnFullDisk(t *testing.T) {
	t.Parallel()
	before, after := oldAndNew(t)
	for room := range 3 { // files that fit; the backup is the last
		dir := smallState(t)
		opts := &state.Options{Write: func(path string, data []byte, perm fs.FileMode) error {
			if room--; room < 0 {
				return errors.Join(os.WriteFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"1"), data[:1], perm), unix.ENOSPC)
			}
			return state.WriteFile(path, data, perm)
		}}
		if err := restart(dir, smallBackup(t), opts); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%v", err)
		}
		if state.RestorePending(dir) {
			t.Error("the backup is still waiting")
		}
		if got := found(t, "a full disk", dir, before, after); got != "old" {
			t.Errorf("the %s state", got)
		}
	}
}

// TestStoredBackupDamaged: a start that cannot tell what is half restored says
// what to do.
func TestStoredBackupDamaged(t *testing.T) {
	t.Parallel()
	dir := smallState(t)
	write(t, "damaged since", dir, "restore.tar.gz")
	_, err := state.Open(dir, nil)
	if !errors.Is(err, state.ErrBackup) || !strings.Contains(err.Error(), "delete "+filepath.Join(dir, "restore.tar.gz")) {
		t.Errorf("%v", err)
	}
}

// found opens a directory and says which state it holds.
func found(t *testing.T, when, dir string, before, after map[string]string) string {
	t.Helper()
	s, err := state.Open(dir, nil)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer s.Close()
	got := tree(t, dir)
	switch {
	case maps.Equal(got, before):
		return "old"
	case maps.Equal(got, after):
		return "new"
	}
	t.Fatalf("%s: there is %v", when, got)
	return ""
}

func checkSeen(t *testing.T, seen map[string]int, steps int) {
	t.Helper()
	if seen["old"] == 0 || seen["new"] == 0 || steps < 8 { // 3 writes, 2 renames, 3 removals
		t.Errorf("%d steps, %v: this proves nothing", steps, seen)
	}
}

// TestKillRestore kills a process that restores one backup after the other, at
// random instants.
func TestKillRestore(t *testing.T) {
	t.Parallel()
	const kills, limit = 40, 1500 * time.Millisecond
	dir, start, done := filepath.Join(t.TempDir(), "state"), time.Now(), 0
	for n := range 2 {
		if err := os.WriteFile(backupFile(dir, n), numbered(t, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	states := wholeStates(t)
	for ; done < kills && (done < 5 || time.Since(start) < limit); done++ {
		killRestorer(t, dir)
		s, err := state.Open(dir, nil)
		if err != nil {
			t.Fatalf("kill %d: %v", done, err)
		}
		got := tree(t, dir)
		if !maps.Equal(got, states[0]) && !maps.Equal(got, states[1]) {
			t.Fatalf("kill %d: there is %v", done, got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills", done)
}

func wholeStates(t *testing.T) []map[string]string {
	t.Helper()
	var states []map[string]string
	for n := range 2 {
		dir := t.TempDir()
		if _, err := state.Restore(dir, numbered(t, n)); err != nil {
			t.Fatal(err)
		}
		states = append(states, tree(t, dir))
	}
	return states
}

// numbered is a backup whose documents all hold a number; two of them have documents that the other does not have.
func numbered(t testing.TB, n int) []byte {
	t.Helper()
	text := fmt.Sprintf(`{"version": 1, "data": %d}`, n)
	return forge(t,
		entry{name: "web.json", content: text},
		entry{name: fmt.Sprintf("only-%d.json", n), content: text},
		entry{name: "homekit/" + hostID + ".json", content: text},
		entry{name: fmt.Sprintf("inputs/%012d.json", n), content: text})
}

func killRestorer(t *testing.T, dir string) {
	t.Helper()
	child := exec.Command(os.Args[0], dir)
	child.Env = append(os.Environ(), roleVariable+"=restorer")
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the restorer wrote nothing: %v", err)
	}
	time.AfterFunc(rand.N(12*time.Millisecond), func() { _ = child.Process.Kill() })
	if err := child.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the restorer ended by itself: %v", err)
	}
}

// backupFile is where the restorer of a directory finds its backups.
func backupFile(dir string, n int) string { return fmt.Sprintf("%s-%d.tar.gz", dir, n) }

// restoreUntilKilled restores two backups in turn, as a command and as a server
// does.
func restoreUntilKilled(dir string) int {
	for n := 0; ; n++ {
		archive, err := os.ReadFile(backupFile(dir, n%2))
		switch {
		case err != nil:
		case n/2%2 == 0:
			_, err = state.Restore(dir, archive)
		default:
			err = restart(dir, archive, nil)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if n == 0 {
			fmt.Println("restored")
		}
	}
}
