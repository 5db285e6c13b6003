// Package packages_test proves what `make dist` and `make image` build: `make packages` runs it. It needs root, Debian's tools
// and, the first time, Debian's mirror.
package packages_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// patience bounds every wait; it is never waited out when things work.
const patience = 2 * time.Minute

// The versions that are built: the second one replaces the first.
const (
	oldVersion = "v0.0.1"
	newVersion = "v0.0.2-rc1"
)

// needs skips the test on a machine that lacks what it needs.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	if !peer.Required() {
		t.Skip("needs root and Debian's tools: `make packages` runs it")
	}
	if os.Geteuid() != 0 {
		peer.Skip(t, "needs root")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			peer.Skip(t, "needs "+tool+", which .ci/run installs")
		}
	}
}

// dists are what was built by now, by version; TestMain removes them.
type dists struct {
	debian sync.Mutex // held while the archive of newRoot is made

	mu    sync.Mutex
	dir   string
	built map[string]string
}

var shared = dists{built: map[string]string{}} // one build for all tests

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// dist returns the dist/ of a version, which is built once. The old version is built for this machine alone.
func dist(t *testing.T, version string) string {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if d := shared.built[version]; d != "" {
		return d
	}
	if shared.dir == "" {
		dir, err := os.MkdirTemp("", "ps4kit-dist")
		must(t, err)
		shared.dir = dir
	}
	d := filepath.Join(shared.dir, version)
	if version == oldVersion {
		build(t, d, version, "umask 022", "TARGETS=linux/amd64")
	} else {
		build(t, d, version, "umask 022")
	}
	shared.built[version] = filepath.Join(d, "dist")
	return shared.built[version]
}

// build copies the sources to dir and runs deploy/dist.sh there.
func build(t *testing.T, dir, version, before string, env ...string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755)) //nolint:gosec // no secret
	script := before + ` && git -C ../.. ls-files -co --exclude-standard -z | (cd ../.. && xargs -0 cp --parents -t "$0") && exec "$0"/deploy/dist.sh`
	env = append(env, "VERSION="+version, "SOURCE_DATE_EPOCH=1700000000")
	run(t, env, "bash", "-c", script, dir)
}

// run runs a command that has to succeed and returns what it printed.
func run(t *testing.T, env []string, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // the test's own words
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(words, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one returns the only file of a directory that matches.
func one(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("%d files match %s: %v", len(found), pattern, found)
	}
	return found[0]
}

// eventually waits until ask returns nil.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
