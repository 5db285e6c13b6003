package ps4waker_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// inNamespace is set in the process that runs in a network namespace of its own.
const inNamespace = "PS4KIT_TEST_NAMESPACE"

// patience bounds the whole test; it takes about half a minute.
const patience = 3 * time.Minute

// isolate returns true in a network namespace of our own, where ports 987 and
// 997 are free and nothing reaches a real network; else it runs the test again
// in one and returns false.
func isolate(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		setUpLoopback(t)
		return true
	}
	peer.NodeModules(t, ".")
	unshare := unshareCommand(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args := append(unshare[1:], os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd := exec.CommandContext(ctx, unshare[0], args...) //nolint:gosec // our own binary
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	t.Logf("in a namespace of its own:\n%s", out)
	if err != nil {
		t.Errorf("in the namespace: %v", err)
	} else if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Error("the test did not run in the namespace")
	}
	return false
}

// unshareCommand returns the command that makes a network namespace: as root, or
// as a user who may make user namespaces.
func unshareCommand(t *testing.T) []string {
	t.Helper()
	for _, tool := range []string{"unshare", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			peer.Skip(t, "needs "+tool+" on the PATH (Debian: apt-get install util-linux iproute2)")
		}
	}
	command := []string{"unshare", "--net"}
	if os.Geteuid() != 0 {
		command = []string{"unshare", "--net", "--map-root-user"}
	}
	probe := exec.CommandContext(t.Context(), command[0], append(command[1:], "ip", "link", "set", "lo", "up")...) //nolint:gosec // constants
	if out, err := probe.CombinedOutput(); err != nil {
		peer.Skip(t, "this machine allows no network namespace: "+strings.TrimSpace(string(out)))
	}
	return command
}

// setUpLoopback brings up the only interface. A loopback has no broadcast, so
// the address to which ps4-waker searches is routed to it.
func setUpLoopback(t *testing.T) {
	t.Helper()
	for _, command := range []string{
		"ip link set lo up",
		"ip route replace 255.255.255.255/32 dev lo src 127.0.0.1",
	} {
		words := strings.Fields(command)
		if out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput(); err != nil { //nolint:gosec // constants
			t.Fatalf("%s: %v: %s", command, err, out)
		}
	}
}
