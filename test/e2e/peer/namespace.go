package peer

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/need"
	"github.com/ps4kit/ps4kit/test/netns"
)

// Isolate reports whether the test runs in a network namespace. If it doesn't,
// Isolate runs it again in one, for at most the given time.
func Isolate(t *testing.T, limit time.Duration) bool {
	t.Helper()
	if netns.Inside() {
		return true
	}
	need.Tools(t, "unshare", "nsenter", "ip")
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out bytes.Buffer
	cmd := netns.Command(ctx, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(cmd.Env, "PS4KIT_BIN="+Binary(t))
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with everything it started
	err := cmd.Run()
	t.Logf("in the namespace:\n%s", &out)
	switch {
	case !strings.Contains(out.String(), "=== RUN"):
		need.Skip(t, "no network namespace on this machine")
	case err != nil || !strings.Contains(out.String(), "--- PASS: "+t.Name()):
		t.Errorf("in the namespace: %v", err)
	}
	return false
}

// Machine is another network namespace, for what runs on another machine. It
// has no interfaces besides loopback, which is down.
type Machine struct {
	PID int // of a process that runs there, for `ip link set … netns PID`
}

// NewMachine makes a machine that lasts until the test ends. The test must run
// in a network namespace: see Isolate.
func NewMachine(t *testing.T) Machine {
	t.Helper()
	sleep := exec.CommandContext(t.Context(), "unshare", "--net", "sleep", "1h")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sleep.Process.Kill(); _ = sleep.Wait() })
	m := Machine{sleep.Process.Pid}
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for { // until unshare has made the namespace
		theirs, err := os.Readlink(m.Namespace())
		if err != nil {
			t.Fatal(err)
		}
		if theirs != ours {
			return m
		}
		runtime.Gosched()
	}
}

// Namespace returns the path of the machine's network namespace.
func (m Machine) Namespace() string { return fmt.Sprintf("/proc/%d/ns/net", m.PID) }

// On returns the command that runs words on the machine.
func (m Machine) On(words ...string) []string {
	return append([]string{"nsenter", "--net=" + m.Namespace()}, words...)
}

// Shell runs a script on the machine.
func (m Machine) Shell(t *testing.T, script string) {
	t.Helper()
	run(t, m.On("sh", "-exc", script))
}

// Shell runs a script in the namespace of the test.
func Shell(t *testing.T, script string) {
	t.Helper()
	run(t, []string{"sh", "-exc", script})
}

func run(t *testing.T, command []string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // our own words
		t.Fatalf("%v\n%s", err, out)
	}
}
