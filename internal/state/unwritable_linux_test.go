package state_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/test/need"
	"golang.org/x/sys/unix"
)

// TestUnwritable opens directories that this user may not write to, one on a
// read-only file system, and one where another user, such as root by sudo, wrote
// a document: each error names the command that helps.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	const user = 65534
	for name, want := range map[string]string{
		"closed": "sudo chown -R 65534 '", "missing": "sudo install -d -o 65534 '", "homekit": "sudo chown -R 65534 '",
		"document": "sudo chown -R 65534 '", "readonly": "is read-only for this process: mount it writable",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "ps4kit-state") // t.TempDir is closed to other users
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			opened := dir
			switch name {
			case "missing":
				opened = filepath.Join(dir, "state")
			case "homekit":
				mkdir(t, dir, "homekit")
				mkdir(t, dir, "inputs")
				if err := os.Chown(dir, user, user); err != nil {
					need.Skip(t, fmt.Sprint("only root can give a directory away: ", err))
				}
			case "document":
				if err := os.Chown(dir, user, user); err != nil {
					need.Skip(t, fmt.Sprint("only root can give a directory away: ", err))
				}
				if err := os.WriteFile(filepath.Join(dir, "credentials.json"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			child := exec.Command(os.Args[0], opened)
			child.Env = append(os.Environ(), roleVariable+"=opener", "PS4KIT_STATE_TEST_CASE="+name)
			if name == "readonly" {
				child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
					UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}}
			}
			out, err := child.Output() // not its errors, which -cover adds to
			if err != nil || strings.HasPrefix(string(out), "skip") {
				need.Skip(t, fmt.Sprintf("neither root nor a user namespace: %v, %s", err, out))
			}
			text := string(out)
			if !strings.Contains(text, want) || !strings.Contains(text, opened) || !strings.Contains(text, "--state-dir") ||
				!strings.Contains(text, "StateDirectory=ps4kit") || strings.Count(text, "\n") != 1 {
				t.Errorf("%s, want %q", text, want)
			}
		})
	}
}

// openUnwritable opens a directory as another user, or on a read-only file
// system of its own, and prints the error.
func openUnwritable(dir string) int {
	var err error
	if os.Getenv("PS4KIT_STATE_TEST_CASE") == "readonly" {
		err = unix.Mount("none", dir, "tmpfs", unix.MS_RDONLY, "mode=755")
	} else {
		err = syscall.Setuid(65534)
	}
	if err != nil {
		fmt.Println("skip:", err)
		return 0
	}
	s, err := state.Open(dir, nil)
	if err == nil {
		_, err = s.Credentials().Load()
	}
	fmt.Println(err)
	return 0
}
