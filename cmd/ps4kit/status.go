package main

import (
	"context"
	"fmt"

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
	c, err := query(ctx, p, &o.console, "Asking the console", api.Backend.Status)
	if err != nil {
		if exitCode(app.Explain(err)) == exitRefused { // the code of rest mode
			err = exitError{err, exitUnreachable}
		}
		return err
	}
	if err := p.reportTable(c, statusRows(c)); err != nil {
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

// statusRows describes a console in two columns.
func statusRows(c api.Console) [][]string {
	return known([][]string{
		{"State", c.State},
		{"Name", c.Name},
		{"Title", titleOf(c)},
		{"Address", c.Address},
		{"Host id", c.HostID},
		{"Type", c.HostType},
		{"Version", systemVersion(c)},
	})
}

// systemVersion returns the version as the console's menu shows it.
func systemVersion(c api.Console) string { return ps4.Status{SystemVersion: c.SystemVersion}.Version() }

// titleOf names the running title; it returns "" if none runs.
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
