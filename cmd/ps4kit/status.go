package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// statusOptions are the flags of `ps4kit status`.
type statusOptions struct{ console consoleFlags }

func newStatus(p *program) *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:     "status",
		Aliases: []string{"check"},
		Short:   "Show what a console is doing",
		Long: `Asks a console what it is doing. The exit code is 0 when it is on, 1 in rest
mode, and 2 when it does not answer.

For about a minute after it went into rest mode a console does not answer.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *statusOptions) run(ctx context.Context, p *program) error {
	var c api.Console
	err := p.onConsole(ctx, &o.console, "Asking the console", func(ctx context.Context, b api.Backend, host string) (err error) {
		c, err = b.Status(ctx, host)
		return err
	})
	if err != nil {
		return unlessRefused(err)
	}
	if p.json() {
		err = p.printJSON(c)
	} else {
		err = printConsole(p.stdout, c)
	}
	if err != nil {
		return err
	}
	switch c.State {
	case api.StateStandby:
		return exitError{code: exitRefused}
	case api.StateUnreachable:
		return notAnswering(c)
	}
	return nil
}

// unlessRefused keeps an error from exiting with the code of rest mode.
func unlessRefused(err error) error {
	if exitCode(app.Explain(err)) != exitRefused {
		return err
	}
	return exitError{err, exitUnreachable}
}

// printConsole prints what is known of a console, a line each.
func printConsole(w io.Writer, c api.Console) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"State", c.State},
		{"Name", c.Name},
		{"Title", titleOf(c)},
		{"Address", c.Address},
		{"Host id", c.HostID},
		{"Type", c.HostType},
		{"Version", systemVersion(c)},
	} {
		if line[1] != "" {
			_, _ = fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
		}
	}
	return t.Flush()
}

// systemVersion is the version as the console's menu shows it.
func systemVersion(c api.Console) string { return ps4.Status{SystemVersion: c.SystemVersion}.Version() }

// titleOf names the running title; empty when none runs.
func titleOf(c api.Console) string {
	if c.TitleName == "" || c.TitleName == c.TitleID {
		return c.TitleID
	}
	return fmt.Sprintf("%s (%s)", c.TitleName, c.TitleID)
}

// notAnswering returns the error of a console that does not answer.
func notAnswering(c api.Console) error {
	e := app.Explain(ps4.ErrUnreachable)
	if c.Name != "" {
		e.Message = c.Name + " does not answer"
	}
	return e
}
