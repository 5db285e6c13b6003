package hapcontroller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
	"github.com/ps4kit/ps4kit/test/need"
)

// Accounts by number, which are in no database. The user is in the group of the
// service, as docs/cli.md recommends; the stranger is not.
var (
	service  = &syscall.Credential{Uid: 64001, Gid: 64001}
	user     = &syscall.Credential{Uid: 64002, Gid: 64002, Groups: []uint32{64001}}
	stranger = &syscall.Credential{Uid: 64003, Gid: 64003}
)

// journey is an installed ps4kit: a program that everyone may run, and a
// directory of the service.
type journey struct {
	t       *testing.T
	program string
	server  *peer.Server
}

// TestJourney is an installation on a Pi: while the service runs as an account
// of its own, an ordinary user gets a credential, links, edits the inputs,
// pairs and uses the console.
func TestJourney(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	need.Root(t)
	console := ps4test.Start(t, ps4test.Config{
		Name: "Den", HostID: "A0B1C2D3E4F5", PIN: "12345678", Credentials: []string{credential}, Timing: ps4test.FastTiming(),
		Titles: []ps4test.Title{{ID: netflix, Name: "Netflix"}},
	})
	j := install(t, console)

	j.refused(stranger, 1, "permission", "remote", "up")
	j.refused(user, 4, "no_credential", "remote", "up")
	j.run("credential", "--account-id", "9019256736915509894")
	j.refused(user, 4, "pin_needed", "remote", "up")
	j.refused(user, 4, "pin_wrong", "link", "--pin", "8765 4321")
	j.run("link", "--pin", "1234 5678")
	j.run("titles", "add", netflix, "Netflix")
	j.run("titles", "rename", netflix, "Films")
	if out := j.run("titles"); !strings.Contains(out, "Films") {
		t.Errorf("titles:\n%s", out)
	}
	j.run("remote", "up")
	peer.WaitFor(t, console, "the press", func(s ps4test.Snapshot) bool { return len(s.Keys) > 0 })

	var waiting []peer.Television
	if err := json.Unmarshal([]byte(j.run("homekit", "qr", "-o", "json")), &waiting); err != nil {
		t.Fatal(err)
	}
	tv := onlyTelevision(t, waiting)
	c := startController(t)
	c.pairWith("phone", tv)
	db := readDatabase(c, "phone")
	c.put("phone", db.id(db.one(typeTelevision, typeActiveIdentifier)), db.identifierOf("Films"))
	peer.WaitFor(t, console, "the title", func(s ps4test.Snapshot) bool { return s.Title.ID == netflix })
	j.run("standby")
	if console.State() != ps4.StateStandby {
		t.Error("the console does not rest")
	}
	if strings.Contains(j.server.Log.String(), credential) {
		t.Error("the log holds the credential")
	}
}

// install makes the directories and starts the service.
func install(t *testing.T, console *ps4test.Console) *journey {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		must(t, os.Chmod(d, 0o755)) //nolint:gosec // other accounts pass through
	}
	must(t, os.Mkdir(filepath.Join(dir, "state"), 0o750))
	must(t, os.Chown(filepath.Join(dir, "state"), int(service.Uid), int(service.Gid)))
	j := &journey{t: t, program: filepath.Join(dir, "ps4kit")}
	program, err := os.ReadFile(peer.Binary(t))
	must(t, err)
	must(t, os.WriteFile(j.program, program, 0o755)) //nolint:gosec // everybody may run it
	for name, content := range map[string]string{
		"console.pem": string(console.PublicKeyPEM()),
		"config.yaml": fmt.Sprintf(`
consoles: [{address: "%s", name: Den}]
discovery: {enabled: false}
poll: {interval: 200ms}
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
console_key: console.pem
`, console.Addr()),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)) //nolint:gosec // no secret
	}
	j.server = peer.StartServerAs(t, service, j.program, dir)
	return j
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// command runs ps4kit as an account and returns both outputs and the exit code.
func (j *journey) command(as *syscall.Credential, words ...string) (stdout, stderr string, code int) {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(j.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, j.program, append(j.server.Globals(), words...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	cmd.Env = peer.CleanEnv("/nonexistent")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		j.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// run runs a command as the user, which must succeed.
func (j *journey) run(words ...string) string {
	j.t.Helper()
	stdout, stderr, code := j.command(user, words...)
	if code != 0 {
		j.t.Fatalf("ps4kit %s: exit code %d\n%s", strings.Join(words, " "), code, stderr)
	}
	if strings.Contains(stdout+stderr, credential) {
		j.t.Errorf("ps4kit %s shows the credential", strings.Join(words, " "))
	}
	return stdout
}

// refused runs a command that must fail with an exit code and an error code.
func (j *journey) refused(as *syscall.Credential, exit int, code string, words ...string) {
	j.t.Helper()
	_, stderr, got := j.command(as, append([]string{"-o", "json"}, words...)...)
	var refusal struct{ Error struct{ Code string } }
	if err := json.Unmarshal([]byte(stderr), &refusal); err != nil || got != exit || refusal.Error.Code != code {
		j.t.Errorf("ps4kit %s: exit code %d, want %d and %s:\n%s", strings.Join(words, " "), got, exit, code, stderr)
	}
}
