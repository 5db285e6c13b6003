// Package peer runs other people's programs for the end-to-end tests.
package peer

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// RequireAll is the environment variable that turns a skip for something that
// this machine lacks into a failure; `make e2e` sets it.
const RequireAll = "PS4KIT_REQUIRE_ALL"

// Required says whether nothing may be skipped.
func Required() bool { return os.Getenv(RequireAll) != "" }

// Skip ends a test that this machine cannot run, with the reason printed; where
// everything is required it fails instead.
func Skip(t *testing.T, reason string) {
	t.Helper()
	if Required() {
		t.Fatalf("%s (%s is set)", reason, RequireAll)
	}
	t.Skip(reason)
}

// NodeModules installs the locked dependencies of a folder, "." for the test's own,
// unless they are there. It skips the test where not everything is required, for `make test`
// needs Go alone. The dependencies' install scripts do not run.
func NodeModules(t *testing.T, dir string) {
	t.Helper()
	if !Required() {
		t.Skip("needs Node and npm packages: `make e2e` runs it")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			Skip(t, "needs "+tool+" on the PATH (Debian: apt-get install nodejs npm)")
		}
	}
	unlock := lock(t, dir)
	defer unlock()
	if upToDate(dir) {
		return
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		Skip(t, "npm ci failed: "+err.Error()+"\n"+string(bytes.TrimSpace(out)))
	}
	if err := copyFile(filepath.Join(dir, "package-lock.json"), filepath.Join(dir, installedLock)); err != nil {
		t.Fatal(err)
	}
}

// installedLock is, in the folder, the lock file that node_modules was made from.
var installedLock = filepath.Join("node_modules", ".ps4kit-lock.json")

func upToDate(dir string) bool {
	want, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return false
	}
	have, err := os.ReadFile(filepath.Join(dir, installedLock))
	return err == nil && bytes.Equal(want, have)
}

// lock keeps two test processes of one folder from installing at once.
func lock(t *testing.T, dir string) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "package.json"), os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(errors.Join(err, f.Close()))
	}
	return func() { _ = f.Close() }
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}
