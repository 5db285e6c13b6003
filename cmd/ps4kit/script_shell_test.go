package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// shell is a process that runs the command lines of one script, one after the
// other, because starting a process takes longer than most of them.
type shell struct {
	lines    *json.Encoder // of commandLine
	outcomes *json.Decoder // of outcome
}

type commandLine struct {
	Args, Env []string
	Dir       string
}

type outcome struct {
	Code           int
	Stdout, Stderr []byte
}

// runShell is the shell's process. It fails if a command left a goroutine behind.
func runShell() {
	lines, outcomes := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var err error
	for err == nil {
		var line commandLine
		if err = lines.Decode(&line); err == nil {
			err = outcomes.Encode(line.run())
		}
	}
	if errors.Is(err, io.EOF) {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (l commandLine) run() outcome {
	os.Clearenv()
	for _, variable := range l.Env {
		name, value, _ := strings.Cut(variable, "=")
		_ = os.Setenv(name, value) // a name that a process was started with is valid
	}
	if err := os.Chdir(l.Dir); err != nil {
		panic(err)
	}
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		panic(err)
	}
	defer stdin.Close()
	var stdout, stderr output
	code := execute(l.Args, stdin, &stdout, &stderr)
	return outcome{code, stdout.take(), stderr.take()}
}

// output is written to by several goroutines.
type output struct {
	mu    sync.Mutex
	bytes []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes = append(o.bytes, p...)
	return len(p), nil
}

func (o *output) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

// runVerb runs a command line of the script in its shell.
func runVerb(ts *testscript.TestScript, args []string) outcome {
	r := rigOf(ts)
	if r.shell == nil {
		r.shell = startShell(ts)
	}
	ts.Check(r.shell.lines.Encode(commandLine{args, environment(ts), ts.MkAbs(".")}))
	var o outcome
	if err := r.shell.outcomes.Decode(&o); err != nil {
		ts.Fatalf("the shell ended: %v", err)
	}
	return o
}

func startShell(ts *testscript.TestScript) *shell {
	path, err := exec.LookPath("ps4kit-shell")
	ts.Check(err)
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	ts.Check(err)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil { // it has said why
			rigOf(ts).t.Errorf("the shell: %v", err)
		}
	})
	return &shell{json.NewEncoder(in), json.NewDecoder(out)}
}
