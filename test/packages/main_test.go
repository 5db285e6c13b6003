// Package packages_test tests what `make dist` and `make image` build. It needs
// root, Debian's tools and, the first time, Debian's mirror.
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

	"github.com/ps4kit/ps4kit/test/need"
)

// patience bounds every wait. A test that passes never waits so long.
const patience = 2 * time.Minute

// The versions that are built. The second one upgrades the first.
const (
	oldVersion = "v0.0.1"
	newVersion = "v0.0.2-rc1"
)

// needs skips the test on a machine that lacks one of the tools.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	need.Make(t, "packages")
	need.Root(t)
	need.Tools(t, tools...)
}

// dists are the builds so far, by version. TestMain removes them.
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

// dist returns the dist/ of a version, which is built once. The old version is
// built for this machine only.
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

// run runs a command, which must succeed, and returns what it printed.
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

// one returns the only file in a directory that matches a pattern.
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
