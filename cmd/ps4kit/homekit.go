package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

func newHomekit(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "homekit",
		Short: "Setup codes and pairings",
		Args:  noArgs,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "list",
			Short: "List the consoles as HomeKit sees them",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return p.homekitList(cmd.Context()) },
		},
		&cobra.Command{
			Use:   "qr [NAME|HOST_ID]",
			Short: "Show the QR code and the setup code of each console that is not paired",
			Args:  cobra.MaximumNArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return p.homekitQR(cmd.Context(), strings.Join(args, ""))
			},
		},
		newHomekitReset(p),
	)
	return cmd
}

// accessories asks the running server, or reads the state that the last one left.
func (p *program) accessories(ctx context.Context) ([]api.Accessory, error) {
	return query(ctx, p, &consoleFlags{}, "Asking for the accessories", func(b api.Backend, ctx context.Context, _ string) ([]api.Accessory, error) {
		return b.Homekit(ctx)
	})
}

func (p *program) homekitList(ctx context.Context) error {
	list, err := p.accessories(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"NAME", "HOST ID", "DEVICE ID", "ADDRESS", "PORT", "SETUP CODE", "PAIRED"}}
	for _, a := range list {
		paired, code := "no", a.SetupCode
		if a.Paired {
			paired, code = "yes", "-"
		}
		rows = append(rows, []string{a.Name, a.HostID, a.DeviceID, a.Address, strconv.Itoa(a.Port), code, paired})
	}
	return p.reportTable(list, rows)
}

func (p *program) homekitQR(ctx context.Context, wanted string) error {
	list, err := p.accessories(ctx)
	if err != nil {
		return err
	}
	shown := []api.Accessory{}
	for _, a := range list {
		if wanted != "" && !strings.EqualFold(wanted, a.Name) && !strings.EqualFold(wanted, a.HostID) {
			continue
		}
		if !a.Paired {
			shown = append(shown, a)
		} else if wanted != "" {
			return &api.Error{Code: "paired", Message: a.Name + " is paired already",
				Hint: "Remove it in the Home app first."}
		}
	}
	if wanted != "" && len(shown) == 0 {
		return &api.Error{Code: "not_found", Message: "there is no console " + wanted,
			Hint: "List the known consoles with ps4kit homekit list."}
	}
	if p.json() {
		return p.printJSON(shown)
	}
	var out bytes.Buffer
	for _, a := range shown {
		app.PrintCode(&out, a)
	}
	if len(shown) == 0 {
		_, _ = fmt.Fprintln(&out, "Every console is paired.")
	}
	_, err = p.stdout.Write(out.Bytes())
	return err
}

func newHomekitReset(p *program) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:   "reset NAME|HOST_ID|companion",
		Short: "Remove every pairing of a console, so that it can be paired again",
		Long: `Removes every pairing of a console's accessory, opens pairing again after too many
wrong setup codes, and makes a new setup code unless the configuration has one. Remove
the accessory in the Home app, too. The console's names and inputs stay.

A HomeKit file that is damaged is set aside, and the accessory gets a new identity.`,
		Args: oneText("the name or the host id of a console"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, host := cmd.Context(), args[0]
			if !yes {
				question := "Remove every pairing of " + host + "? You will have to pair it again in Home."
				if err := p.confirm(ctx, "this removes every pairing", question); err != nil {
					return err
				}
			}
			err := p.onConsole(ctx, &consoleFlags{}, "Removing the pairings", func(ctx context.Context, b api.Backend, _ string) error {
				return b.ResetHomekit(ctx, host)
			})
			if err != nil {
				return err
			}
			return p.report(done{Done: "reset"}, "%s is reset: ps4kit homekit qr shows how to pair it.", host)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
