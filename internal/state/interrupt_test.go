package state_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
)

// killed is what a step panics with, so that nothing is done after it, as after a kill.
type killed struct{}

// stopAt runs a restore, or the end of one, up to its n-th step. It reports whether it was stopped.
func stopAt(n int, run func(before func(string))) (stopped bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			stopped = true
		}
	}()
	run(func(string) {
		if n--; n < 0 {
			panic(killed{})
		}
	})
	return false
}

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
	if _, err := state.Restore(dir, bytes.NewReader(smallBackup(t))); err != nil {
		t.Fatal(err)
	}
	return before, tree(t, dir)
}

// TestRestoreInterrupted stops a restore before each of its steps, half of the time stops what the next start does about
// it, too, and starts once more: there is the old state or the new one, whole, and nothing else.
func TestRestoreInterrupted(t *testing.T) {
	t.Parallel()
	before, after := oldAndNew(t)
	archive := smallBackup(t)
	seen := map[string]int{}
	for n := 0; ; n++ {
		for _, again := range []bool{false, true} {
			dir := smallState(t)
			if !stopAt(n, func(step func(string)) { _, _ = state.RestoreStopping(dir, bytes.NewReader(archive), step) }) {
				checkSeen(t, seen, n)
				return
			}
			if again {
				stopAt(n/2, func(step func(string)) { _ = state.FinishStopping(dir, step) })
			}
			seen[found(t, fmt.Sprintf("step %d, again %v", n, again), dir, before, after)]++
		}
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
	if seen["old"] == 0 || seen["new"] == 0 || steps < 10 {
		t.Errorf("%d steps, %v: nothing is proved", steps, seen)
	}
}

// TestRestoreInterruptedInRemoval: the kill came while the directories of the restore were removed.
func TestRestoreInterruptedInRemoval(t *testing.T) {
	t.Parallel()
	before, after := oldAndNew(t)
	for name, left := range map[string][]string{
		"of what was moved":     {"restore.moving", "restore.old/homekit"},
		"of the old state":      {"restore.old/inputs"},
		"of a staged one":       {"restore.new/homekit"},
		"of everything at once": {"restore.moving/inputs", "restore.old", "restore.new"},
	} {
		dir := smallState(t)
		if name != "of a staged one" {
			if _, err := state.Restore(dir, bytes.NewReader(smallBackup(t))); err != nil {
				t.Fatal(err)
			}
		}
		for _, l := range left {
			if err := os.MkdirAll(filepath.Join(dir, l), 0o750); err != nil {
				t.Fatal(err)
			}
		}
		want := "new"
		if name == "of a staged one" {
			want = "old"
		}
		if got := found(t, name, dir, before, after); got != want {
			t.Errorf("%s: the %s state", name, got)
		}
	}
}

// TestKillRestore kills a process that restores one backup after the other, at random instants.
func TestKillRestore(t *testing.T) {
	t.Parallel()
	kills, limit := 100, 1500*time.Millisecond
	if testing.Short() {
		kills, limit = 20, time.Second
	}
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
		if _, err := state.Restore(dir, bytes.NewReader(numbered(t, n))); err != nil {
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

// restoreUntilKilled restores two backups in turn.
func restoreUntilKilled(dir string) int {
	for n := 0; ; n++ {
		archive, err := os.ReadFile(backupFile(dir, n%2))
		if err == nil {
			_, err = state.Restore(dir, bytes.NewReader(archive))
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
