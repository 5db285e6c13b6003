package api_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

func TestConnectSaysWhoMay(t *testing.T) {
	t.Parallel()
	path, gid := serveSocket(t, &backend{}), os.Getegid()
	if os.Geteuid() == 0 {
		gid = 54321 // nobody is told to join root's group
		if err := errors.Join(os.Chown(path, 0, gid), os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	becomeStranger(t)
	_, err := api.Connect(t.Context(), path)
	requireDenied(t, err, path, groupName(t, gid))
}

// TestDeniedDial is the same without the kernel, so that root tests it, too.
func TestDeniedDial(t *testing.T) {
	t.Parallel()
	denied := &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}
	dir := t.TempDir()
	gid := os.Getegid()
	if gid == 0 {
		gid = 54321 // which has no name
		if err := os.Chown(dir, -1, gid); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "behind-a-closed-directory")
	requireDenied(t, api.DialError(path, denied), path, groupName(t, gid))
}

func TestNobodyIsToldToJoinRoot(t *testing.T) {
	t.Parallel()
	var e *api.Error
	err := api.DialError("/proc/1/none", &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)})
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "sudo") || strings.Contains(e.Hint, "usermod") {
		t.Errorf("got %v, want the hint to use sudo alone", err)
	}
}

func requireDenied(t *testing.T, err error, path, group string) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) || !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("got %v, want an error of permission with a hint", err)
	}
	if e.Code != "permission" || !strings.Contains(e.Error(), path) || !strings.Contains(e.Hint, "usermod -aG "+group+" ") {
		t.Errorf("got %s: %s: %s, want %s and the group %s", e.Code, e, e.Hint, path, group)
	}
}

func groupName(t *testing.T, gid int) string {
	t.Helper()
	id := strconv.Itoa(gid)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}
