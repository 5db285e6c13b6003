package packages_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// debian returns the command that makes the smallest Debian with systemd and
// what the guide's commands need, from the mirror that this machine uses.
func debian() []string {
	return []string{
		"mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd,systemd-sysv,sudo,ufw", "--dpkgopt=force-unsafe-io",
		"--aptopt=Acquire::Languages none", "bookworm",
	}
}

// newRoot unpacks a fresh Debian.
func newRoot(t *testing.T) string {
	t.Helper()
	needs(t, "mmdebstrap", "tar")
	archive := debianArchive(t)
	root := filepath.Join(t.TempDir(), "root")
	must(t, os.Mkdir(root, 0o755)) //nolint:gosec // a root directory
	run(t, nil, "tar", "-C", root, "-xf", archive)
	return root
}

// debianArchive returns an archive of that Debian, which it makes only once.
func debianArchive(t *testing.T) string {
	t.Helper()
	shared.debian.Lock()
	defer shared.debian.Unlock()
	recipe := sha256.Sum256([]byte(strings.Join(debian(), " ")))
	cached := fmt.Sprintf("../../.cache/debian-%x.tar", recipe[:6])
	if _, err := os.Stat(cached); err != nil {
		must(t, os.MkdirAll(filepath.Dir(cached), 0o755)) //nolint:gosec // no secret
		unfinished := strings.TrimSuffix(cached, ".tar") + "-unfinished.tar"
		run(t, nil, append(debian(), unfinished)...)
		must(t, os.Rename(unfinished, cached))
	}
	return cached
}

// bring copies a version's package into a machine and returns its path there.
func bring(t *testing.T, root, version string) string {
	t.Helper()
	file := one(t, dist(t, version), "*_amd64.deb")
	content, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(root, "root", filepath.Base(file)), content, 0o644)) //nolint:gosec // no secret
	return "/root/" + filepath.Base(file)
}

// machine is a Debian booted by systemd, with a network of its own that has
// only loopback.
type machine struct {
	t      *testing.T
	name   string
	root   string
	nspawn *exec.Cmd
	leader string // process id of its systemd
}

// bootScript becomes the machine $0 in the directory $1. Loopback has no
// broadcast, so the address that ps4kit searches is routed to it. Without
// control groups of its own, the machine would share those of the next one.
const bootScript = `
ip link set lo up && ip route replace 255.255.255.255/32 dev lo src 127.0.0.1 || exit
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	if [ -e $tree/cgroup.procs ]; then
		mkdir -p $tree/$0 && echo $$ >$tree/$0/cgroup.procs || exit
	fi
done
exec systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe --machine="$0" --directory="$1"`

// boot starts a machine, waits until it is up, and switches it off when the
// test ends.
func boot(t *testing.T, root string) *machine {
	t.Helper()
	needs(t, "systemd-nspawn", "unshare", "nsenter", "ip")
	m := &machine{t: t, root: root, name: fmt.Sprintf("ps4kit-%d-%s", os.Getpid(), filepath.Base(filepath.Dir(root)))}
	var console bytes.Buffer
	m.nspawn = exec.Command("unshare", "--net", "sh", "-c", bootScript, m.name, root) //nolint:gosec // it is switched off
	m.nspawn.Stdout, m.nspawn.Stderr = &console, &console
	must(t, m.nspawn.Start())
	t.Cleanup(func() {
		m.off()
		if t.Failed() {
			t.Logf("console of the machine:\n%s", &console)
		}
	})
	eventually(t, "the machine boots", func() error {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", m.nspawn.Process.Pid, m.nspawn.Process.Pid))
		if m.leader = strings.TrimSpace(string(children)); err != nil || m.leader == "" || strings.Contains(m.leader, " ") {
			return errors.New("its systemd is not there")
		}
		_, err = m.try("root", "systemctl", "is-active", "multi-user.target")
		return err
	})
	return m
}

// off switches the machine off.
func (m *machine) off() {
	if m.nspawn == nil {
		return
	}
	_ = m.nspawn.Process.Signal(syscall.SIGTERM) // an orderly power-off
	_ = m.nspawn.Wait()
	m.nspawn = nil
	_ = exec.Command("find", "/sys/fs/cgroup", "-depth", "-path", "*/"+m.name+"*", "-type", "d", "-delete").Run() //nolint:gosec // tidies up
}

// try runs a command in the machine as one of its users, with the groups of a new login.
func (m *machine) try(user string, words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	enter := []string{"--target", m.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--", "setpriv", "--reuid", user, "--init-groups"}
	if user == "root" {
		enter = append(enter, "--regid", "0")
	} else {
		enter = append(enter, "--regid", user)
	}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, words...)...) //nolint:gosec // the test's own words
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/" + user, "USER=" + user, "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(words, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// do is try for a command that must succeed.
func (m *machine) do(user string, words ...string) string {
	m.t.Helper()
	said, err := m.try(user, words...)
	if err != nil {
		journal, _ := m.try("root", "journalctl", "--no-pager", "-u", "ps4kit")
		m.t.Fatalf("as %s: %v\njournal:\n%s", user, err, journal)
	}
	return said
}

// property returns a property of the service.
func (m *machine) property(name string) string {
	m.t.Helper()
	return strings.TrimSpace(m.do("root", "systemctl", "show", "--value", "-p", name, "ps4kit"))
}

// mainPID returns the service's process id in the machine.
func (m *machine) mainPID() int {
	m.t.Helper()
	pid, err := strconv.Atoi(m.property("MainPID"))
	if err != nil || pid == 0 {
		m.t.Fatalf("the service has no process: %v", err)
	}
	return pid
}

// beside returns the command that runs one of this machine's programs in the
// network of the other one.
func (m *machine) beside(words ...string) []string {
	return append([]string{"nsenter", "--target", m.leader, "--net", "--"}, words...)
}
