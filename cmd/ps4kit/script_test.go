package main

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain lets scripts run this test binary as ps4kit, or as a shell.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16") // scripts wait for consoles more than they compute; -parallel goes before
	testscript.Main(noLeaks{m}, map[string]func(){
		"ps4kit":       func() { os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"ps4kit-shell": runShell,
	})
}

// noLeaks are tests that end all that they start.
type noLeaks struct{ *testing.M }

func (m noLeaks) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// commands are what scripts have beside testscript's own. Each has its doc comment.
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"account":  cmdAccount,
		"console":  cmdConsole,
		"exits":    cmdExits,
		"field":    cmdField,
		"hangup":   cmdHangup,
		"learned":  cmdLearned,
		"logged":   cmdLogged,
		"mode":     cmdMode,
		"owner":    cmdOwner,
		"phone":    cmdPhone,
		"psn":      cmdPSN,
		"run":      cmdRun,
		"saw":      cmdSaw,
		"server":   cmdServer,
		"sim":      cmdSim,
		"sources":  cmdSources,
		"terminal": cmdTerminal,
		"udp":      cmdUDP,
	}
}

// TestScript runs testdata/script/*.txtar: the real binary against simulated consoles.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/script", false))
}

// TestScriptAlone and TestScriptServer run testdata/script/both/*.txtar, in which the
// command "owner" starts a server in the second and does nothing in the first: what a
// verb prints and does is the same either way.
func TestScriptAlone(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/script/both", false))
}

func TestScriptServer(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/script/both", true))
}

func params(dir string, served bool) testscript.Params {
	return testscript.Params{
		Dir:  dir,
		Cmds: commands(),
		Condition: func(cond string) (bool, error) {
			if cond == "server" {
				return served, nil
			}
			return false, fmt.Errorf("no such condition: %s", cond)
		},
		Setup:               func(env *testscript.Env) error { return setUp(env, served) },
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
}
