package packages_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// TestJourney follows the commands in docs/guide on Debian machines booted by
// systemd: install, and as an ordinary user in the group get a credential, link
// and pair; restart the machine, upgrade, back up, restore on another machine,
// purge.
func TestJourney(t *testing.T) {
	needs(t, "node", "npm")
	t.Parallel()
	m := boot(t, newRoot(t))
	startConsole(m, "pin=12345678")
	addAlice(m)
	before := contents(t, m.root)

	m.replacePackage(oldVersion)
	m.follow("install.md", "Install")
	useSimulated(m)
	isConfined(m)
	m.follow("install.md", "Set up")
	m.follow("install.md", "Pair")
	tv := television(m)
	pairing := startPhone(m, tv, nil).pair(tv)

	m.off()
	m = boot(t, m.root) // the simulated console restarts too, and forgets its links
	startConsole(m, "linked=true")
	wantPaired(m, tv, pairing)

	was := m.mainPID()
	m.replacePackage(newVersion)
	m.follow("backup.md", "Upgrade")
	if said := alice(m, "version"); !strings.Contains(said, newVersion) || m.mainPID() == was {
		t.Errorf("after the upgrade runs %s, process %d, before %d", said, m.mainPID(), was)
	}
	wantPaired(m, tv, pairing)
	alice(m, "remote", "up")
	m.follow("backup.md", "Back up")

	was = m.mainPID()
	m.follow("backup.md", "Another Pi")
	restoreElsewhere(m, tv, pairing)

	m.follow("backup.md", "Remove")
	if _, err := m.try("root", "test", "-e", fmt.Sprintf("/proc/%d", was)); err == nil {
		t.Error("it still runs")
	}
	m.do("root", "sh", "-c", "rm /home/alice/ps4kit*")
	wantSame(t, before, contents(t, m.root))
}

// addAlice adds an ordinary user who may use sudo, like the first user of a Pi.
func addAlice(m *machine) {
	m.t.Helper()
	m.do("root", "useradd", "--create-home", "alice")
	must(m.t, os.WriteFile(filepath.Join(m.root, "etc/sudoers.d/alice"), []byte("alice ALL=(ALL) NOPASSWD: ALL\n"), 0o440)) //nolint:gosec // sudo demands it
}

// replacePackage leaves only one version's package in alice's home directory.
func (m *machine) replacePackage(version string) {
	m.t.Helper()
	m.do("root", "sh", "-c", "rm -f /home/alice/ps4kit_*.deb && mv "+bring(m.t, m.root, version)+" /home/alice/")
}

// follow runs the commands in a section of the guide, as alice in her home
// directory.
func (m *machine) follow(page, section string) {
	m.t.Helper()
	for _, block := range blocks(m.t, "../../docs/guide/"+page, section) {
		for command := range strings.Lines(block) {
			m.do("alice", "sh", "-c", "cd && "+command)
		}
	}
}

// alice runs a ps4kit command as the ordinary user.
func alice(m *machine, command ...string) string {
	m.t.Helper()
	return m.do("alice", append([]string{"ps4kit"}, command...)...)
}

// useSimulated is the one step that real owners skip: it configures the key of
// the simulated console, and loopback as the only network.
func useSimulated(m *machine) {
	m.t.Helper()
	must(m.t, os.WriteFile(filepath.Join(m.root, "etc/ps4kit/config.yaml"), []byte(`
console_key: /etc/console.pem
consoles: [{address: 127.0.0.5}]
homekit: {bind: 127.0.0.1, interfaces: [lo]}
art: {enabled: false}
`), 0o640)) //nolint:gosec // as the package made it
	m.do("root", "systemctl", "restart", "ps4kit")
}

// startConsole starts a simulated console in the machine's network.
func startConsole(m *machine, detail string) {
	m.t.Helper()
	program := filepath.Join(dist(m.t, newVersion), "bin", "ps4kit_linux_amd64")
	key := filepath.Join(m.root, "etc/console.pem") // a new one each time
	command := m.beside(program, "simulate", "-o", "json", "--console", "ip=127.0.0.5,name=Den,host_id=A0B1C2D3E4F5,"+detail, "--key", key)
	cmd := exec.CommandContext(m.t.Context(), command[0], command[1:]...) //nolint:gosec // the test's own words
	out, err := cmd.StdoutPipe()
	must(m.t, err)
	must(m.t, cmd.Start())
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		m.t.Fatalf("the simulated console: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
}

// isConfined checks from outside that the running service is confined as its
// unit says.
func isConfined(m *machine) {
	m.t.Helper()
	status := m.do("root", "cat", fmt.Sprintf("/proc/%d/status", m.mainPID()))
	for _, line := range []string{"CapEff:\t0000000000000400", "CapBnd:\t0000000000000400", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, line+"\n") {
			m.t.Errorf("not %q in\n%s", line, status)
		}
	}
	for name, want := range map[string]string{"ActiveState": "active", "NRestarts": "0", "User": "ps4kit", "WatchdogUSec": "1min"} {
		if got := m.property(name); got != want {
			m.t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// isWatched checks that systemd restarts a server that hangs, here within
// seconds.
func isWatched(m *machine) {
	m.t.Helper()
	m.do("root", "sh", "-c", `mkdir -p /run/systemd/system/ps4kit.service.d &&
		printf '[Service]\nWatchdogSec=2s\nTimeoutStopSec=1s\nRestartSec=0\n' >/run/systemd/system/ps4kit.service.d/test.conf &&
		systemctl daemon-reload && systemctl restart ps4kit`)
	was := m.mainPID()
	m.do("root", "sh", "-c", fmt.Sprint("kill -STOP ", was))
	eventually(m.t, "the restart", func() error {
		if m.property("NRestarts") == "0" || m.property("ActiveState") != "active" || m.mainPID() == was {
			return errors.New("the server that hangs is not restarted")
		}
		return nil
	})
}

// television waits until the console has a HAP server.
func television(m *machine) peer.Television {
	m.t.Helper()
	var list []peer.Television
	eventually(m.t, "the television", func() error {
		said, err := m.try("alice", "ps4kit", "homekit", "list", "-o", "json")
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(said), &list); err != nil || len(list) != 1 {
			return errors.Join(err, fmt.Errorf("there are %d: %s", len(list), said))
		}
		return nil
	})
	return list[0]
}

// restoreElsewhere restores the state of this machine on another machine, in
// another network.
func restoreElsewhere(m *machine, tv peer.Television, pairing json.RawMessage) {
	t := m.t
	t.Helper()
	other := boot(t, newRoot(t))
	startConsole(other, "linked=true")
	addAlice(other)
	other.replacePackage(newVersion)
	other.follow("install.md", "Install")
	useSimulated(other)
	backup, err := os.ReadFile(filepath.Join(m.root, "home/alice/ps4kit.tar.gz"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(other.root, "home/alice/ps4kit.tar.gz"), backup, 0o600))
	other.follow("backup.md", "Restore")
	wantPaired(other, tv, pairing)
	alice(other, "remote", "up") // with the credential and the link of the first machine
	isWatched(other)
	other.off()
}
