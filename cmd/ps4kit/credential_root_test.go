package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The users that take over from root here; nobody need have these ids.
const (
	stateOwner = 65534
	sudoer     = 64321
)

func TestHeir(t *testing.T) {
	t.Parallel()
	env := func(vars ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for i := 0; i < len(vars); i += 2 {
				if vars[i] == name {
					return vars[i+1], true
				}
			}
			return "", false
		}
	}
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	sudo := env("SUDO_UID", strconv.Itoa(sudoer), "SUDO_GID", "7")
	if to, found := heir(missing, sudo); !found || to != (account{sudoer, 7, true}) {
		t.Errorf("without a state directory: %+v, %v, want who called sudo", to, found)
	}
	for name, lookup := range map[string]func(string) (string, bool){
		"no sudo": env(), "sudo of root": env("SUDO_UID", "0", "SUDO_GID", "0"), "half": env("SUDO_UID", "5"),
		"garbage": env("SUDO_UID", "-1", "SUDO_GID", "7"), "too high": env("SUDO_UID", "4294967296", "SUDO_GID", "7"),
	} {
		if to, found := heir(missing, lookup); found {
			t.Errorf("%s: %+v takes over", name, to)
		}
	}
	to, found := heir(dir, sudo)
	if uid := os.Getuid(); found != (uid != 0) || to.ownState || found && to.uid != uid {
		t.Errorf("with a state directory of %d: %+v, %v", uid, to, found)
	}
}

// TestCaptureGivesRootUp runs a capture as root and looks at the process while it
// waits, and at what it stored.
func TestCaptureGivesRootUp(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for name, tt := range map[string]struct {
		exists bool // the state directory
		owner  int
	}{
		"to the owner of the state directory": {true, stateOwner},
		"to who called sudo":                  {false, sudoer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(openTempDir(t), "state")
			if tt.exists {
				must(t, errors.Join(os.Mkdir(dir, 0o750), os.Chown(dir, tt.owner, tt.owner)))
			}
			captureAs(t, dir, tt.owner)
			for _, file := range []string{dir, filepath.Join(dir, "credentials.json")} {
				info, err := os.Stat(file)
				must(t, err)
				if uid := info.Sys().(*syscall.Stat_t).Uid; int(uid) != tt.owner {
					t.Errorf("%s belongs to %d, want %d", file, uid, tt.owner)
				}
				if mode := info.Mode().Perm(); mode&0o027 != 0 || !info.IsDir() && mode != 0o600 {
					t.Errorf("%s has the mode %o", file, mode)
				}
			}
		})
	}
}

// TestRootWritesAsTheOwner: what "sudo ps4kit restore" and "sudo ps4kit backup" leave in
// the service's state directory can be used by the service.
func TestRootWritesAsTheOwner(t *testing.T) {
	t.Parallel()
	needRoot(t)
	program, dir := installed(t), openTempDir(t)
	from, to, archive := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(dir, "backup")
	for _, state := range []string{from, to} {
		must(t, errors.Join(os.Mkdir(state, 0o750), os.Chown(state, stateOwner, stateOwner)))
	}
	for _, words := range [][]string{
		{"credential", "--account-id", "1", "--state-dir", from},
		{"backup", archive, "--state-dir", from},
		{"restore", archive, "--state-dir", to},
		{"backup", archive, "--force", "--state-dir", to},
	} {
		cmd := exec.CommandContext(t.Context(), program, words...)
		cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH"), "HOME=/root"}, "/"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
	}
	for _, state := range []string{from, to} {
		files, err := os.ReadDir(state)
		must(t, err)
		for _, file := range files {
			info, err := file.Info()
			must(t, err)
			if uid := info.Sys().(*syscall.Stat_t).Uid; uid != stateOwner {
				t.Errorf("%s/%s belongs to %d, want %d", state, file.Name(), uid, stateOwner)
			}
		}
		if len(files) < 2 {
			t.Errorf("%s holds %d files", state, len(files))
		}
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	const why = "only root can give root up"
	if os.Getenv("PS4KIT_REQUIRE_ALL") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// openTempDir is a directory that every user may enter and write to.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, errors.Join(os.Chmod(dir, 0o777|fs.ModeSticky), os.Chmod(filepath.Dir(dir), 0o755)))
	return dir
}

// captureAs captures a credential with the real program, started by root.
func captureAs(t *testing.T, stateDir string, owner int) {
	t.Helper()
	port := freeUDPPort(t)
	cmd := exec.CommandContext(t.Context(), installed(t), "credential", "--capture", "-o", "json", "--bind", "127.0.0.1",
		"--port", port, "--state-dir", stateDir, "--timeout", "20s")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/root", "SUDO_UID=" + strconv.Itoa(sudoer), "SUDO_GID=" + strconv.Itoa(sudoer)}
	cmd.Dir = "/"
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	must(t, cmd.Start())
	defer func() {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, log.String())
		}
		var result credentialResult
		if err := json.Unmarshal([]byte(out.String()), &result); err != nil || !result.Stored {
			t.Errorf("printed %s: %v", out.String(), err)
		}
	}()
	conn, err := net.Dial("udp4", "127.0.0.1:"+port)
	must(t, err)
	defer conn.Close()
	if _, err := searchUntilAnswered(conn); err != nil {
		_ = cmd.Process.Kill()
		t.Errorf("no answer: %v", err)
		return
	}
	wantUser(t, cmd.Process.Pid, owner)
	_, err = conn.Write([]byte("WAKEUP * HTTP/1.1\nauth-type:C\nuser-credential:" + testCredential + "\n"))
	must(t, err)
}

// wantUser reads which users and rights every thread of a process has.
func wantUser(t *testing.T, pid, want int) {
	t.Helper()
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	must(t, err)
	ids := strings.Repeat("\t"+strconv.Itoa(want), 4)
	for _, file := range threads {
		status, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has ended
		}
		must(t, err)
		for _, line := range []string{"\nUid:" + ids + "\n", "\nGid:" + ids + "\n", "\nCapEff:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n"} {
			if !strings.Contains(string(status), line) {
				t.Errorf("a thread lacks %q:\n%s", line, status)
			}
		}
	}
	if len(threads) == 0 {
		t.Error("the process has no thread")
	}
}

// installed is this test binary under the name that makes it ps4kit, see TestMain.
func installed(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	path := filepath.Join(openTempDir(t), "ps4kit")
	must(t, os.Symlink(self, path))
	return path
}

func freeUDPPort(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	defer conn.Close()
	return strconv.Itoa(int(conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
