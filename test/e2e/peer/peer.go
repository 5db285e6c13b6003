// Package peer runs ps4kit and independent programs for the end-to-end tests.
package peer

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/test/need"
)

// NodeModules installs the locked dependencies of a directory, unless they are
// there. Their install scripts don't run. Only `make e2e` runs the test, since
// `make test` needs nothing but Go.
func NodeModules(t *testing.T, dir string) {
	t.Helper()
	need.Make(t, "e2e")
	need.Tools(t, "node", "npm")
	unlock := lock(t, dir)
	defer unlock()
	if upToDate(dir) {
		return
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		need.Skip(t, "npm ci failed: "+err.Error()+"\n"+string(bytes.TrimSpace(out)))
	}
	if err := copyFile(filepath.Join(dir, "package-lock.json"), filepath.Join(dir, installedLock)); err != nil {
		t.Fatal(err)
	}
}

// installedLock is the lock file from which node_modules was installed.
var installedLock = filepath.Join("node_modules", ".ps4kit-lock.json")

func upToDate(dir string) bool {
	want, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return false
	}
	have, err := os.ReadFile(filepath.Join(dir, installedLock))
	return err == nil && bytes.Equal(want, have)
}

// lock keeps two test processes from installing into one directory at once.
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
