// Package netns runs a program in namespaces of its own: fixed ports are free
// there, nothing reaches a real network, and mounts end with the program.
package netns

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Interface is the network interface for multicast. It leads nowhere.
const Interface = "home0"

const variable = "TEST_NETNS"

// script sets up the network and becomes the program. Loopback has no
// broadcast, so the address that consoles are searched at is routed to it.
const script = `
ip link set lo up &&
ip route replace 255.255.255.255/32 dev lo src 127.0.0.1 &&
ip link add ` + Interface + ` type veth peer name far0 &&
ip address add 10.77.0.1/24 dev ` + Interface + ` &&
ip link set far0 up &&
ip link set ` + Interface + ` up || exit 77
exec "$0" "$@"`

// Inside reports whether this process was started by Command.
func Inside() bool { return os.Getenv(variable) != "" }

// Command returns the command that runs this program again, with args, in
// namespaces of its own. It needs root, or user namespaces. When ctx ends, the
// program is interrupted, and killed ten seconds later.
func Command(ctx context.Context, args ...string) *exec.Cmd {
	words := []string{"--net", "--mount"}
	if os.Geteuid() != 0 {
		words = append(words, "--map-root-user")
	}
	words = append(append(words, "sh", "-c", script, os.Args[0]), args...)
	cmd := exec.CommandContext(ctx, "unshare", words...) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), variable+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}
