package packages_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEmulated runs the programs for a Raspberry Pi under emulation, on
// loopback: the server with a simulated console, and commands beside it.
func TestEmulated(t *testing.T) {
	t.Parallel()
	for arch, emulator := range map[string][]string{
		"armv6": {"qemu-arm-static", "-cpu", "arm1176"}, // the processor of the first Pi and of the Zero
		"arm64": {"qemu-aarch64-static"},
	} {
		t.Run(arch, func(t *testing.T) {
			needs(t, emulator[0])
			t.Parallel()
			smoke(t, append(emulator, filepath.Join(dist(t, newVersion), "bin", "ps4kit_linux_"+arch)))
		})
	}
}

// smoke runs a program under its emulator.
func smoke(t *testing.T, program []string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "emulated") // a socket's path is short
	must(t, err)
	defer os.RemoveAll(dir)
	page := freeAddress(t)
	config := filepath.Join(dir, "config.yaml")
	must(t, os.WriteFile(config, []byte("homekit: {bind: 127.0.0.1, interfaces: [lo]}\nweb: {listen: \""+page+"\"}\nart: {enabled: false}\n"), 0o600))
	program = append(program, "--config", config, "--state-dir", filepath.Join(dir, "state"))
	do := func(words ...string) string { return run(t, nil, slices.Concat(program, words)...) }
	if said := do("version"); !strings.Contains(said, newVersion) {
		t.Errorf("version: %s", said)
	}
	do("config", "check")

	cmd := exec.CommandContext(t.Context(), program[0], slices.Concat(program[1:], []string{"serve", "--simulate", "1"})...) //nolint:gosec // our own
	var log bytes.Buffer
	cmd.Stderr = &log
	must(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	eventually(t, "/readyz", func() error { return ready(page) })
	do("wakeup", "--wait")
	var console struct{ State string }
	must(t, json.Unmarshal([]byte(do("status", "-o", "json")), &console))
	if console.State != "awake" {
		t.Errorf("the console is %s", console.State)
	}
	do("remote", "up")
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v\n%s", err, &log)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// ready returns nil once /readyz is ready.
func ready(page string) error {
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + page + "/readyz")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}
