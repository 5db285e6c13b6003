package packages_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestChroot installs, runs, upgrades and purges the package where systemd does
// not run, as when an SD card for a Pi is prepared.
func TestChroot(t *testing.T) {
	needs(t, "mmdebstrap")
	t.Parallel()
	root := newRoot(t)
	old, fresh := bring(t, root, oldVersion), bring(t, root, newVersion)
	before := contents(t, root)

	inRoot(t, root, "apt-get", "install", "-y", old)
	if said := inRoot(t, root, "ps4kit", "version"); !strings.Contains(said, oldVersion) {
		t.Errorf("version: %s", said)
	}
	for path, want := range map[string]string{
		"/usr/bin/ps4kit":         "755 root root",
		"/etc/ps4kit":             "755 root root",
		"/etc/ps4kit/config.yaml": "640 root ps4kit",
		"/var/lib/ps4kit":         "750 ps4kit ps4kit",
		"/etc/systemd/system/multi-user.target.wants/ps4kit.service": "777 root root",
	} {
		if got := strings.TrimSpace(inRoot(t, root, "stat", "-c", "%a %U %G", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	inRoot(t, root, "ps4kit", "config", "check")
	inRoot(t, root, "sh", "-c", "echo 'poll: {interval: 9s}' >>/etc/ps4kit/config.yaml && echo kept >/var/lib/ps4kit/mark && chown ps4kit: /var/lib/ps4kit/mark")

	inRoot(t, root, "apt-get", "install", "-y", fresh)
	if said := inRoot(t, root, "ps4kit", "version"); !strings.Contains(said, newVersion) {
		t.Errorf("version after the upgrade: %s", said)
	}
	inRoot(t, root, "grep", "-q", "9s", "/etc/ps4kit/config.yaml")
	inRoot(t, root, "grep", "-q", "kept", "/var/lib/ps4kit/mark")
	if got := inRoot(t, root, "stat", "-c", "%a %U %G", "/etc/ps4kit/config.yaml"); got != "640 root ps4kit\n" {
		t.Errorf("after the upgrade config.yaml is %s", got)
	}
	inRoot(t, root, "apt-get", "remove", "-y", "ps4kit")
	inRoot(t, root, "grep", "-q", "kept", "/var/lib/ps4kit/mark") // removing is not purging
	inRoot(t, root, "apt-get", "purge", "-y", "ps4kit")
	wantSame(t, before, contents(t, root))
}

// inRoot runs a command in a directory tree, without network and without
// answering questions, and returns what it printed.
func inRoot(t *testing.T, root string, words ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "unshare", append([]string{"--net", "--root", root, "--"}, words...)...) //nolint:gosec // the test's own words
	cmd.Dir = root
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(words, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// contents lists the files of a machine with their owners and modes, and its
// accounts. It leaves out what apt, dpkg and systemd write about their own
// work.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		if slices.ContainsFunc([]string{"/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/lib/apt", "/var/lib/dpkg"},
			func(skip string) bool { return name == skip }) {
			return filepath.SkipDir
		}
		if strings.HasPrefix(name, "/etc/") && strings.HasSuffix(name, "-") || name == "/etc/.pwd.lock" {
			return nil // a copy of the accounts before the last change
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		owner, _ := info.Sys().(*syscall.Stat_t)
		all[name] = info.Mode().String()
		if owner.Uid != 0 || owner.Gid != 0 {
			all[name] += " of another"
		}
		return nil
	}))
	for _, name := range []string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		must(t, err)
		all["content of "+name] = string(content)
	}
	return all
}

func wantSame(t *testing.T, before, after map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if was, there := before[name]; !there || was != after[name] {
			t.Errorf("%s is left: %q, before %q", name, after[name], was)
		}
	}
	for name := range before {
		if _, there := after[name]; !there {
			t.Errorf("%s was taken away", name)
		}
	}
}
