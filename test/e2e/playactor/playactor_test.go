//go:build linux

// Package playactor_test tests the simulated consoles of Remote Play with an
// independent client: the npm package playactor 0.4.1, unchanged. It uses the
// ports of real consoles, so the test runs in network namespaces.
package playactor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

const (
	patience = 4 * time.Minute // for the whole test, which takes about half a minute
	address  = "192.0.2.5"
	pin      = "01234567"
	account  = 1234567890123456789
	base64ID = "FYHpffQQIhE=" // account, little endian
	rpPort   = 9295
)

// timing has no gap between init and control: playactor connects for control
// before the console has closed the connection of init.
func timing() ps4test.Timing {
	t := ps4test.RealTiming()
	t.ControlGap = 0
	t.Wake, t.Service = 1500*time.Millisecond, 500*time.Millisecond
	t.StandbyDelay, t.BeforeSilence, t.Silence = 500*time.Millisecond, 0, time.Second
	t.Heartbeat, t.Grace = 300*time.Millisecond, 3*time.Second
	return t
}

// TestPlayactor registers with consoles of each family that playactor knows,
// asks for their state, puts them into rest mode and wakes them.
func TestPlayactor(t *testing.T) {
	peer.NodeModules(t, ".")
	if !peer.Isolate(t, patience) {
		return
	}
	other := connectMachines(t)
	for _, cfg := range []ps4test.Config{
		{HostType: ps4.TypePS5, DDPPort: ps4.PortPS5},
		{HostType: ps4.TypePS4, DDPPort: ps4.DefaultPort, SystemVersion: "09508011"},
		{HostType: ps4.TypePS4, DDPPort: ps4.DefaultPort, SystemVersion: "07550001"},
	} {
		t.Run(cfg.HostType+" "+cfg.SystemVersion, func(t *testing.T) {
			cfg.Addr, cfg.PIN, cfg.Timing, cfg.Broadcast = address, pin, timing(), true
			cfg.RemotePlay = &ps4test.RemotePlay{Port: rpPort, Accounts: []uint64{account}}
			cfg.Trace = func(line string) { t.Log(line) }
			c := ps4test.Start(t, cfg)
			p := &playactor{t, other, filepath.Join(t.TempDir(), "credentials.json")}

			if code := p.run("register.js", address, pin, base64ID, p.file); code != 0 {
				t.Fatalf("registering: exit code %d", code)
			}
			p.check(0)
			if code := p.command("standby"); code != 0 {
				t.Errorf("standby: exit code %d", code)
			}
			p.await(c, ps4.StateStandby)
			p.check(1)
			if code := p.command("wake"); code != 0 {
				t.Errorf("wake: exit code %d", code)
			}
			p.await(c, ps4.StateAwake)
			p.check(0)
			n := c.Counters()
			if n.Registrations != 1 || n.RemotePlayLogins != 1 || n.Standbys != 1 || n.WakeupsIgnored != 0 || n.ProtocolErrors != 0 {
				t.Errorf("counters %+v", n)
			}
		})
	}
}

// TestPlayactorWrongPIN: the console refuses to register playactor with a wrong
// PIN.
func TestPlayactorWrongPIN(t *testing.T) {
	peer.NodeModules(t, ".")
	if !peer.Isolate(t, patience) {
		return
	}
	other := connectMachines(t)
	c := ps4test.Start(t, ps4test.Config{
		HostType: ps4.TypePS5, Addr: address, DDPPort: ps4.PortPS5, PIN: pin, Timing: timing(), Broadcast: true,
		RemotePlay: &ps4test.RemotePlay{Port: rpPort},
	})
	p := &playactor{t, other, filepath.Join(t.TempDir(), "credentials.json")}
	if code := p.run("register.js", address, "00000001", base64ID, p.file); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if n := c.Counters(); n.Registrations != 1 {
		t.Errorf("counters %+v", n)
	}
}

// connectMachines gives this network namespace the address of the console, and
// returns the path of a namespace for its client: playactor binds UDP port
// 9295, which the console has.
func connectMachines(t *testing.T) (other string) {
	t.Helper()
	m := peer.NewMachine(t)
	peer.Shell(t, fmt.Sprintf(`
ip link add lan0 type veth peer name lan1 netns %d
ip addr add %s/24 dev lan0
ip link set lan0 up
`, m.PID, address))
	m.Shell(t, `
ip addr add 192.0.2.9/24 dev lan1
ip link set lan1 up
ip route add default dev lan1
`)
	return m.Namespace()
}

// playactor runs playactor in a network namespace.
type playactor struct {
	t         *testing.T
	namespace string
	file      string // of its credentials
}

// run runs a script of Node and returns its exit code.
func (p *playactor) run(args ...string) int {
	p.t.Helper()
	return p.start(append([]string{"node"}, args...)...).ProcessState.ExitCode()
}

// start runs a command in the namespace to its end.
func (p *playactor) start(args ...string) *exec.Cmd {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + p.namespace}, args...)...) //nolint:gosec // of this test
	cmd.Env = append(os.Environ(), "HOME="+p.t.TempDir())
	out, err := cmd.CombinedOutput()
	p.t.Logf("%q:\n%s", args, out)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd
}

// command runs one of playactor's own commands.
func (p *playactor) command(name string) int {
	p.t.Helper()
	return p.run("node_modules/playactor/dist/cli/index.js", name, "--ip", address, "--timeout", "20000", "-c", p.file)
}

// check checks the state that playactor reports: 0 is awake, 1 rest mode.
func (p *playactor) check(want int) {
	p.t.Helper()
	if got := p.command("check"); got != want {
		p.t.Errorf("check: exit code %d, want %d", got, want)
	}
}

func (p *playactor) await(c *ps4test.Console, want ps4.State) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	if _, err := c.WaitFor(ctx, func(s ps4test.Snapshot) bool { return s.State == want }); err != nil {
		p.t.Fatalf("state %v instead of %v: %v", c.State(), want, err)
	}
}

// TestSideBySide runs the same commands of playactor and of ps4kit against one
// console, and logs the time and the memory that each took. docs/guide/ps5.md
// has the figures.
func TestSideBySide(t *testing.T) {
	peer.NodeModules(t, ".")
	if !peer.Isolate(t, patience) {
		return
	}
	p := &playactor{t, connectMachines(t), filepath.Join(t.TempDir(), "credentials.json")}
	c := ps4test.Start(t, ps4test.Config{
		HostType: ps4.TypePS5, Addr: address, DDPPort: ps4.PortPS5, PIN: pin, Timing: timing(), Broadcast: true,
		RemotePlay: &ps4test.RemotePlay{Port: rpPort},
	})
	state := filepath.Join(t.TempDir(), "state")
	ps4kit := func(words ...string) []string {
		return append([]string{peer.Binary(t), "--state-dir", state}, append(words, "-i", address)...)
	}
	node := []string{"node", "node_modules/playactor/dist/cli/index.js", "--ip", address, "--timeout", "20000", "-c", p.file}
	for _, step := range []struct {
		name              string
		state             ps4.State // in which it ends
		playactor, ps4kit []string
	}{
		{"register", ps4.StateAwake, []string{"node", "register.js", address, pin, base64ID, p.file}, ps4kit("link", "--pin", pin, "--account-id", base64ID)},
		{"standby", ps4.StateStandby, slices.Insert(slices.Clone(node), 2, "standby"), ps4kit("standby")},
		{"wake", ps4.StateAwake, slices.Insert(slices.Clone(node), 2, "wake"), ps4kit("wakeup", "--wait")},
	} {
		for i, command := range [][]string{step.playactor, step.ps4kit} {
			name := []string{"playactor", "ps4kit"}[i]
			if step.state == ps4.StateStandby {
				c.SetAwake()
			} else if step.name == "wake" {
				c.SetStandby()
			}
			began := time.Now()
			cmd := p.start(command...)
			if cmd.ProcessState.ExitCode() != 0 {
				t.Errorf("%s %s: %v", name, step.name, cmd.ProcessState)
			}
			ended := time.Since(began)
			p.await(c, step.state)
			usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			t.Logf("%-9s %-9s %5d ms, console %v after %5d ms, %3d MB", name, step.name,
				ended.Milliseconds(), step.state, time.Since(began).Milliseconds(), usage.Maxrss>>10)
		}
	}
}
