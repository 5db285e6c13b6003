package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

func newHomekitCheck(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "check [NAME|HOST_ID]",
		Short: "Hold an accessory against the HomeKit contract",
		Long: `Reads the accessory of a console as a HomeKit controller does, or every accessory,
and holds it against docs/homekit.md. It lists what is wrong, and exits with 1 when
something is. Nothing should be: please report what it finds.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.homekitCheck(cmd.Context(), strings.Join(args, ""))
		},
	}
}

func (p *program) homekitCheck(ctx context.Context, host string) error {
	b, _, end, err := p.owner(ctx, app.Override{})
	if err != nil {
		return err
	}
	defer end()
	findings, err := b.CheckHomekit(ctx, host)
	if err != nil {
		return err
	}
	if err := p.printFindings(findings); err != nil || len(findings) == 0 {
		return err
	}
	return exitError{code: exitRefused}
}

func (p *program) printFindings(findings []api.Finding) error {
	if p.json() {
		return json.NewEncoder(p.stdout).Encode(findings)
	}
	for _, f := range findings {
		where := f.Where
		if where != "" {
			where = " (" + where + ")"
		}
		if _, err := fmt.Fprintf(p.stdout, "%s: docs/homekit.md %s%s: %s\n", f.Accessory, f.Rule, where, f.What); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return nil
	}
	_, err := fmt.Fprintln(p.stdout, "Every accessory is as docs/homekit.md has it.")
	return err
}
