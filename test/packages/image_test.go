package packages_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// imageConfig is what `skopeo inspect --config` prints of an image.
type imageConfig struct {
	Config struct {
		User            string
		Entrypoint, Cmd []string
		Env             []string
		Volumes         map[string]any
	}
}

// TestImage checks that there is one image for each architecture, with its
// program and an unprivileged user, reproducible; and that the image for this
// machine serves.
func TestImage(t *testing.T) {
	needs(t, "buildah", "skopeo", "tar")
	t.Parallel()
	sources := t.TempDir() // a copy: another test counts what is in dist/
	run(t, nil, "sh", "-c", `mkdir "$1"/dist && cp -r "$0"/deploy "$1" && cp -r "$0"/dist/bin "$1"/dist`, filepath.Dir(dist(t, newVersion)), sources)
	image := makeImage(t, sources)
	first, err := os.ReadFile(image)
	must(t, err)
	if again, err := os.ReadFile(makeImage(t, sources)); err != nil || sha256.Sum256(first) != sha256.Sum256(again) {
		t.Errorf("the image is not the same twice (%v)", err)
	}
	for _, machine := range [][2]string{{"arm", "v6"}, {"arm", "v7"}, {"arm64", ""}, {"amd64", ""}} {
		arch, variant := machine[0], machine[1]
		c := inspect(t, image, arch, variant).Config
		if c.User != "10990:10990" || !slices.Equal(c.Entrypoint, []string{"/usr/bin/ps4kit"}) || !slices.Equal(c.Cmd, []string{"serve"}) ||
			!slices.Contains(c.Env, "STATE_DIRECTORY=/var/lib/ps4kit") || len(c.Volumes) != 1 {
			t.Errorf("%v: %+v", machine, c)
		}
		// Debian 12's buildah writes the variant v7 for v6 too. The index, by which clients choose, is right.
		root := unpack(t, image, arch, variant)
		run(t, nil, "cmp", filepath.Join(root, "usr/bin/ps4kit"), filepath.Join(sources, "dist/bin/ps4kit_linux_"+arch+variant))
		if arch == runtime.GOARCH {
			serves(t, root)
		}
	}
}

func makeImage(t *testing.T, sources string) string {
	t.Helper()
	run(t, []string{"SOURCE_DATE_EPOCH=1700000000"}, filepath.Join(sources, "deploy/image.sh"))
	return filepath.Join(sources, "dist/ps4kit-image.tar")
}

// skopeo returns the command for one architecture.
func skopeo(arch, variant string, more ...string) []string {
	command := []string{"skopeo", "--override-os", "linux", "--override-arch", arch}
	if variant != "" {
		command = append(command, "--override-variant", variant)
	}
	return append(command, more...)
}

func inspect(t *testing.T, image, arch, variant string) imageConfig {
	t.Helper()
	var c imageConfig
	must(t, json.Unmarshal([]byte(run(t, nil, skopeo(arch, variant, "inspect", "--config", "oci-archive:"+image)...)), &c))
	return c
}

// unpack returns the root file system of the image for an architecture.
func unpack(t *testing.T, image, arch, variant string) string {
	t.Helper()
	dir, root := t.TempDir(), t.TempDir()
	run(t, nil, skopeo(arch, variant, "copy", "--quiet", "oci-archive:"+image, "dir:"+dir)...)
	var manifest struct{ Layers []struct{ Digest string } }
	content, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	must(t, err)
	must(t, json.Unmarshal(content, &manifest))
	for _, l := range manifest.Layers {
		run(t, nil, "tar", "-C", root, "-xf", filepath.Join(dir, strings.TrimPrefix(l.Digest, "sha256:")))
	}
	for _, d := range []string{filepath.Dir(root), root} {
		must(t, os.Chmod(d, 0o755)) //nolint:gosec // another account passes through
	}
	return root
}

// serves runs what the image runs, in its root and as its user, on loopback.
func serves(t *testing.T, root string) {
	t.Helper()
	page := freeAddress(t)
	cmd := exec.CommandContext(t.Context(), "/usr/bin/ps4kit", "serve", "--simulate", "1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 10990, Gid: 10990}}
	cmd.Dir = "/"
	cmd.Env = []string{
		"PATH=/usr/bin", "STATE_DIRECTORY=/var/lib/ps4kit",
		"PS4KIT_WEB_LISTEN=" + page, "PS4KIT_HOMEKIT_BIND=127.0.0.1", "PS4KIT_HOMEKIT_INTERFACES=lo", "PS4KIT_ART_ENABLED=false",
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	must(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v\n%s", err, &log)
		}
	}()
	eventually(t, "/readyz", func() error { return ready(page) })
}
