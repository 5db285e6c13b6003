package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
)

// onConsole calls do with a client and the console that the flags name, showing
// what it waits for.
func (p *program) onConsole(ctx context.Context, f *consoleFlags, waiting string,
	do func(ctx context.Context, b api.Backend, host string) error,
) error {
	defer p.progress(waiting)()
	ctx, b, host, done, err := f.connect(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	err = do(ctx, b, host)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // more specific than "context canceled"
	}
	return err
}

// confirm asks on the terminal whether to go on. Without a terminal it fails,
// and says what would have been done.
func (p *program) confirm(ctx context.Context, what, question string) error {
	if !isTerminal(p.stdin) {
		return usageError(errors.New(what + ": pass --yes to confirm"))
	}
	answer, err := p.ask(ctx, question+" [y/N] ")
	if err != nil {
		return err
	}
	if !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		return errors.New("nothing was changed")
	}
	return nil
}

// done is the JSON result of a verb that has no other one (docs/cli.md).
type done struct {
	Done  string   `json:"done"`
	Title string   `json:"title,omitempty"`
	Keys  []string `json:"keys,omitempty"`
}

// report prints the result of a verb: v as JSON, or a formatted line.
func (p *program) report(v any, format string, args ...any) error {
	if p.json() {
		return p.printJSON(v)
	}
	_, err := fmt.Fprintf(p.stdout, format+"\n", args...)
	return err
}

func (p *program) printJSON(v any) error { return writeJSON(p.stdout, v) }

// writeJSON does not escape & and >, because people read the output too.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
