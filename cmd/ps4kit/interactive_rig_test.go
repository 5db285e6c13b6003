package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ps4kit/ps4kit/test/ptytest"
)

// terminalLimit is how long one program on a terminal may take; it needs a few seconds.
const terminalLimit = time.Minute

// terminal FILE PROGRAM [ARG]... runs a program on a terminal of 80 columns and 24 rows
// and follows the lines of FILE: "type KEYS" (with \x1b and so on), "see TEXT", which
// waits for it, "mode", which waits until the terminal's mode changes, "ps4kit ARG...",
// which runs another one meanwhile, or "hangup". Then the program must exit by itself,
// with an error if the command is negated, and leave the mode as it was. What the
// terminal showed after the last line goes to the file terminal.out.
func cmdTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: terminal FILE PROGRAM [ARG]...")
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), terminalLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args[2:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(environment(ts), "TERM=xterm-256color")
	term, err := ptytest.Start(cmd, 80, 24)
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		err := follow(ctx, term, strings.TrimSpace(line))
		if rest, ok := strings.CutPrefix(line, "ps4kit "); ok {
			err = ts.Exec("ps4kit", strings.Fields(rest)...)
		}
		if err != nil {
			cancel()
			rest, _ := term.End()
			ts.Fatalf("%s: %v; it shows %q", line, err, rest)
		}
	}
	rest, err := term.End()
	ts.Logf("[terminal]\n%q", rest)
	ts.Check(os.WriteFile(ts.MkAbs("terminal.out"), []byte(rest), 0o600))
	if !term.Restored() {
		ts.Fatalf("%s left the terminal in another mode", args[1])
	}
	if (err != nil) != neg {
		ts.Fatalf("%s ended with %v", args[1], err)
	}
}

// follow executes a line of the file.
func follow(ctx context.Context, term *ptytest.Terminal, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "see":
		_, err := term.Await(ctx, rest)
		return err
	case "type":
		keys, err := strconv.Unquote(`"` + rest + `"`)
		if err != nil {
			return err
		}
		return term.Send(keys)
	case "mode":
		return term.AwaitMode(ctx)
	case "hangup":
		return term.Hangup()
	case "", "ps4kit":
		return nil
	}
	return strconv.ErrSyntax
}
