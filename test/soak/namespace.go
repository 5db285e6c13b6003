package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// inNamespace names the work directory for the process that runs in namespaces of its own.
const inNamespace = "PS4KIT_SOAK_DIR"

// network is the interface on which the server announces itself; it leads nowhere.
const network = "soak0"

// isolate runs this program again with a network and mounts of its own, and the seed
// that was chosen here.
func isolate(ctx context.Context, o options) error {
	if o.bin == "" {
		return errors.New("no server to test: give -bin or PS4KIT_BIN, as `make soak` does")
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return fmt.Errorf("work directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	command := []string{"unshare", "--net", "--mount"}
	if os.Geteuid() != 0 {
		command = append(command, "--map-root-user")
	}
	command = append(append(command, os.Args...), "-seed", strconv.FormatUint(o.seed, 10))
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), inNamespace+"="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("in its namespaces: %w", err)
	}
	return nil
}

// setUp makes the network and the small disk.
func setUp(ctx context.Context, dir string) error {
	if err := os.Mkdir(stateDir(dir), 0o750); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	for _, command := range []string{
		"ip link set lo up",
		"ip link add " + network + " type veth peer name soak1",
		"ip addr add 192.0.2.1/24 dev " + network,
		"ip link set soak1 up",
		"ip link set " + network + " up",
		"mount -t tmpfs -o size=2m,mode=0750 soak " + stateDir(dir),
	} {
		if err := sh(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

func stateDir(dir string) string { return filepath.Join(dir, "state") }

// sh runs a command of plain words.
func sh(ctx context.Context, command string) error {
	words := strings.Fields(command)
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput() //nolint:gosec // our own words
	if err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
	}
	return nil
}
