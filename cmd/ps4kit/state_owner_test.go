package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/test/need"
)

// stateOwner is the user of the service here; no account needs to have this id.
const stateOwner = 65534

// TestRootLeavesTheStateOfOthersAlone runs commands as root on the state directory of
// another user, who could not read what root writes there.
func TestRootLeavesTheStateOfOthersAlone(t *testing.T) {
	t.Parallel()
	need.Root(t)
	program, dir := installed(t), openTempDir(t)
	own, other, archive := filepath.Join(dir, "own"), filepath.Join(dir, "other"), filepath.Join(dir, "backup")
	must(t, errors.Join(os.Mkdir(other, 0o750), os.Chown(other, stateOwner, stateOwner)))
	run := func(words ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, words...)
		cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH"), "HOME=/root"}, "/"
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, words := range [][]string{{"credential", "--account-id", "1234567890123456789"}, {"backup", archive}} {
		if out, err := run(append(words, "--state-dir", own)...); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
	}
	for _, words := range [][]string{
		{"credential", "--account-id", "1234567890123456789"}, {"homekit", "list"},
		{"backup", archive, "--force"}, {"restore", archive},
	} {
		out, err := run(append(words, "--state-dir", other)...)
		if err == nil || !strings.Contains(out, "belongs to the user") || !strings.Contains(out, "sudo -u") {
			t.Errorf("%v: %v\n%s", words, err, out)
		}
	}
	if files, err := os.ReadDir(other); err != nil || len(files) > 0 {
		t.Errorf("root left %v, %v", files, err)
	}
}

// openTempDir returns a directory that every user may enter and write to.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, errors.Join(os.Chmod(dir, 0o777|fs.ModeSticky), os.Chmod(filepath.Dir(dir), 0o755)))
	return dir
}

// installed returns this test binary under the name that makes it ps4kit, see
// TestMain.
func installed(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	path := filepath.Join(openTempDir(t), "ps4kit")
	must(t, os.Symlink(self, path))
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
