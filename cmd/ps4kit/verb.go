package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

// done is the JSON result of a verb that changes something (docs/cli.md).
type done struct {
	Done  string   `json:"done"`
	Title string   `json:"title,omitempty"`
	Keys  []string `json:"keys,omitempty"`

	text string // the result without -o json
}

// command completes cmd, a verb that does one thing with the console that the
// flags name.
func (f *consoleFlags) command(p *program, cmd *cobra.Command, waiting string,
	run func(ctx context.Context, b api.Backend, host string, args []string) (done, error),
) *cobra.Command {
	f.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var result done
		err := p.onConsole(cmd.Context(), f, waiting, func(ctx context.Context, b api.Backend, host string) (err error) {
			result, err = run(ctx, b, host, args)
			return err
		})
		if err != nil {
			return err
		}
		return p.report(result, "%s", result.text)
	}
	return cmd
}

// onConsole calls do with a client and the console that the flags name, showing
// progress.
func (p *program) onConsole(ctx context.Context, f *consoleFlags, waiting string,
	do func(ctx context.Context, b api.Backend, host string) error,
) error {
	defer p.progress(waiting)()
	ctx, b, host, release, err := f.connect(ctx, p)
	if err != nil {
		return err
	}
	defer release()
	return orCause(ctx, do(ctx, b, host))
}

// query is onConsole for a method of the backend that returns a result.
func query[T any](ctx context.Context, p *program, f *consoleFlags, waiting string,
	get func(b api.Backend, ctx context.Context, host string) (T, error),
) (result T, err error) {
	err = p.onConsole(ctx, f, waiting, func(ctx context.Context, b api.Backend, host string) (err error) {
		result, err = get(b, ctx, host)
		return err
	})
	return result, err
}

// orCause returns why ctx ended, if it did: that is more specific than an error
// such as "context canceled".
func orCause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// notice prints a message besides the result, once.
func (p *program) notice(text string) {
	if _, told := p.noticed.LoadOrStore(text, true); !told {
		_, _ = fmt.Fprintln(p.stderr, "ps4kit: "+text)
	}
}

// report prints the result of a verb: v as JSON, or a formatted line.
func (p *program) report(v any, format string, args ...any) error {
	if p.json() {
		return p.printJSON(v)
	}
	_, err := fmt.Fprintf(p.stdout, format+"\n", args...)
	return err
}

// reportTable prints v as JSON, or rows in columns.
func (p *program) reportTable(v any, rows [][]string) error {
	if p.json() {
		return p.printJSON(v)
	}
	return printTable(p.stdout, rows)
}

func printTable(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// known returns the rows of a name and a value whose value isn't empty.
func known(rows [][]string) [][]string {
	return slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
}

func (p *program) printJSON(v any) error { return writeJSON(p.stdout, v) }

// writeJSON does not escape & and >, because people read the output too.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
