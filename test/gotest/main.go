// Gotest runs `go test` with the given arguments and prints what it prints, with one
// thing more: the tests that were skipped and their reasons, which `go test` tells
// only with -v among everything else.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...) //nolint:gosec,noctx // the arguments are the caller's
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(stderr, "gotest:", err)
		return 1
	}
	report(out, stdout)
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(stderr, "gotest:", err)
		return 1
	}
	return 0
}

// event is a line of `go test -json`.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// report prints packages' lines, and tests' lines when they failed or were skipped.
func report(in io.Reader, out io.Writer) {
	held := map[string]*strings.Builder{} // output of tests under way
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // a build failure, say
			continue
		}
		key := e.Package + " " + e.Test
		switch {
		case e.Action == "output" && e.Test == "":
			if e.Output != "PASS\n" {
				fmt.Fprint(out, e.Output)
			}
		case e.Action == "build-output":
			fmt.Fprint(out, e.Output)
		case e.Action == "output":
			if held[key] == nil {
				held[key] = &strings.Builder{}
			}
			held[key].WriteString(e.Output)
		case e.Action == "fail" && held[key] != nil:
			fmt.Fprint(out, held[key])
			delete(held, key)
		case e.Action == "skip" && e.Test != "":
			fmt.Fprintf(out, "SKIP\t%s %s: %s\n", e.Package, e.Test, reason(held[key]))
			delete(held, key)
		case e.Action == "pass":
			delete(held, key)
		}
	}
}

// reason is what a test said when it skipped, on one line and without its place.
func reason(said *strings.Builder) string {
	if said == nil {
		return "no reason given"
	}
	var words []string
	for line := range strings.SplitSeq(said.String(), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		if place, rest, found := strings.Cut(line, ": "); found && strings.Contains(place, "_test.go:") || found && strings.HasSuffix(place, ".go") {
			line = rest
		}
		words = append(words, line)
	}
	return strings.Join(words, " ")
}
