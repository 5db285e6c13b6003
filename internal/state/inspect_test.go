package state_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	fill(t, s, "x")
	in, err := state.Inspect(dir) // owned, all the while
	if err != nil {
		t.Fatal(err)
	}
	if in.Documents != len(filled()) || in.Writable != nil || in.Free == 0 || in.Mode.Perm() != 0o750 {
		t.Errorf("%+v", in)
	}
	if found := slices.Concat(in.Damaged, in.Newer, in.Aside, in.Exposed); len(found) > 0 {
		t.Errorf("wrong: %v", found)
	}
}

func TestInspectNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if in, err := state.Inspect(filepath.Join(dir, "not", "there")); !errors.Is(err, fs.ErrNotExist) || in.Writable != nil {
		t.Errorf("one that can be made: %+v, %v", in, err)
	}
	if in, err := state.Inspect("/proc/self/not/there"); !errors.Is(err, fs.ErrNotExist) || in.Writable == nil && os.Geteuid() != 0 {
		t.Errorf("one that cannot be made: %+v, %v", in, err)
	}
}

func TestInspectDamage(t *testing.T) {
	t.Parallel()
	dir := smallState(t)
	write(t, "{", dir, "web.json")
	write(t, "{", dir, "homekit", hostID+".json")
	write(t, `{"version": 99, "data": {}}`, dir, "inputs", hostID+".json")
	write(t, "{", dir, "consoles.json.damaged-1")
	write(t, "{", dir, "inputs", hostID+".json.damaged-12")
	write(t, "no document of ours", dir, "Other.json")
	write(t, `{"version": 1, "data": {"hosts": {}}}`, dir, "credentials.json")
	write(t, `{"version": 1, "data": {}}`, dir, "updates.json")
	for _, name := range []string{"credentials.json", "web.json", "updates.json"} { // no secret in the last
		if err := os.Chmod(filepath.Join(dir, name), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, dir)
	in, err := state.Inspect(dir)
	if err != nil {
		t.Fatal(err)
	}
	for what, lists := range map[string][2][]string{
		"damaged": {in.Damaged, {"web.json", "homekit/" + hostID + ".json"}},
		"newer":   {in.Newer, {"inputs/" + hostID + ".json"}},
		"aside":   {in.Aside, {"consoles.json.damaged-1", "inputs/" + hostID + ".json.damaged-12"}},
		"exposed": {in.Exposed, {"credentials.json", "web.json"}},
	} {
		if !slices.Equal(lists[0], lists[1]) {
			t.Errorf("%s: %v, want %v", what, lists[0], lists[1])
		}
	}
	if in.Documents != 5 {
		t.Errorf("%d documents", in.Documents)
	}
	if !maps.Equal(tree(t, dir), before) {
		t.Error("something was changed")
	}
}

func TestInspectWhatIsNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := state.Inspect(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	write(t, "x", dir, "file")
	if _, err := state.Inspect(filepath.Join(dir, "file")); err == nil {
		t.Error("a file was taken for a directory")
	}
}
