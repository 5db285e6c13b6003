package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/app"
)

// resetOptions are the flags of `ps4kit homekit reset`.
type resetOptions struct{ yes bool }

func newHomekitReset(p *program) *cobra.Command {
	o := &resetOptions{}
	cmd := &cobra.Command{
		Use:   "reset NAME|HOST_ID|companion",
		Short: "Remove every pairing of a console, so that it can be paired anew",
		Long: `Removes every pairing of a console's accessory, opens pairing again after too many
wrong setup codes, and makes a new setup code unless the configuration has one. Remove
the accessory in the Home app, too. The console's names and inputs stay.

A HomeKit file that is damaged is set aside, and the accessory gets a new identity.`,
		Args: oneText("the name or the host id of a console"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args[0]) },
	}
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func (o *resetOptions) run(ctx context.Context, p *program, host string) error {
	if !o.yes {
		if err := p.confirm(ctx, "this removes every pairing", "Remove every pairing of "+host+"? It has to be paired anew in Home."); err != nil {
			return err
		}
	}
	b, _, end, err := p.owner(ctx, app.Override{})
	if err != nil {
		return err
	}
	defer end()
	if err := b.ResetHomekit(ctx, host); err != nil {
		return err
	}
	return p.report(done{Done: "reset"}, "%s is reset: ps4kit homekit qr shows how to pair it.", host)
}
