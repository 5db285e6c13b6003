package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// inNamespace is set in the process that runs in a network namespace of its own.
const inNamespace = "PS4KIT_BENCH_NAMESPACE"

// network is what that namespace has: loopback, to which searches are routed because
// it has no broadcast, and an interface for multicast DNS.
var network = []string{
	"ip link set lo up",
	"ip route replace 255.255.255.255/32 dev lo src 127.0.0.1",
	"ip link add " + mdnsInterface + " type veth peer name far0",
	"ip address add 10.77.0.1/24 dev " + mdnsInterface,
	"ip link set far0 up",
	"ip link set " + mdnsInterface + " up",
}

const mdnsInterface = "home0"

func isolated() bool { return os.Getenv(inNamespace) != "" }

// isolate runs this program again in a namespace of its own, as root or as a user who
// may make user namespaces.
func isolate(ctx context.Context, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	unshare := []string{"--net"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	script := strings.Join(network, " && ") + ` && exec "$0" "$@"`
	unshare = append(append(unshare, "sh", "-c", script, self), args...)
	cmd := exec.CommandContext(ctx, "unshare", unshare...) //nolint:gosec // our own binary
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopLimit * 2
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w (Debian: apt-get install util-linux iproute2)", err)
	}
	return err
}
