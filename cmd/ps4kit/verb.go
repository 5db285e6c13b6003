package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

// A result is what a verb prints.
type result struct {
	value any    // with -o json
	text  string // otherwise
	note  string // printed on stderr after it
	err   error  // returned after printing
}

// done is the JSON result of a verb that changes something (docs/cli.md).
type done struct {
	Done  string   `json:"done"`
	Title string   `json:"title,omitempty"`
	Keys  []string `json:"keys,omitempty"`
}

// did returns the result of a verb that changed something.
func did(done done, format string, args ...any) result {
	return result{value: done, text: fmt.Sprintf(format, args...)}
}

// verb makes cmd call run with a client and the console that the flags name,
// show progress meanwhile, and print the result.
func (p *program) verb(cmd *cobra.Command, f *consoleFlags, waiting string,
	run func(ctx context.Context, client *api.Client, host string, args []string) (result, error),
) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		stop := p.progress(waiting)
		defer stop()
		ctx, client, host, release, err := f.connect(cmd.Context(), p)
		if err != nil {
			return err
		}
		r, err := run(ctx, client, host, args)
		err = orCause(ctx, err)
		release()
		stop()
		if err != nil {
			return err
		}
		return p.print(r)
	}
	return cmd
}

// confirm asks a question on a terminal. Elsewhere it refuses what the verb does.
func (p *program) confirm(ctx context.Context, what, question string) error {
	if !isTerminal(p.stdin) {
		return usageError(fmt.Errorf("%s: pass --yes to confirm", what))
	}
	answer, err := p.ask(ctx, question+" [y/N] ")
	if err == nil && !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		err = errors.New("nothing was changed")
	}
	return err
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
		p.say("ps4kit: " + text)
	}
}

// print prints a result and returns its error.
func (p *program) print(r result) error {
	if p.json() {
		return errors.Join(writeJSON(p.stdout, r.value), r.err)
	}
	var err error
	if r.text != "" || r.note == "" {
		_, err = fmt.Fprintln(p.stdout, r.text)
	}
	if r.note != "" && err == nil {
		_, err = fmt.Fprintln(p.stderr, r.note)
	}
	return errors.Join(err, r.err)
}

// say prints a line of text on stderr, wrapped if that is a terminal.
func (p *program) say(text string) {
	if isTerminal(p.stderr) {
		text = wrap(text, "  ")
	}
	_, _ = fmt.Fprintln(p.stderr, text)
}

// report prints v as JSON, or a formatted line.
func (p *program) report(v any, format string, args ...any) error {
	return p.print(result{value: v, text: fmt.Sprintf(format, args...)})
}

// table formats rows in columns, with a dash for an empty value.
func table(rows [][]string) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, value := range row {
			row[i] = cmp.Or(value, "-")
		}
		_, _ = fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// known returns the rows of a name and a value whose value isn't empty.
func known(rows [][]string) [][]string {
	return slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
}

// writeJSON does not escape & and >, because people read the output too.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// wrap breaks text into lines of 80 columns. Lines after the first start with
// indent. Words that are longer than a line stay whole.
func wrap(text, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(text, " ") {
		width := utf8.RuneCountInString(word)
		switch {
		case i > 0 && column+1+width > helpWidth:
			b.WriteString("\n" + indent)
			column = len(indent)
		case i > 0:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	return b.String()
}
