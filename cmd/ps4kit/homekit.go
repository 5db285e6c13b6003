package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

func newHomekit(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "homekit",
		Short: "Setup codes and pairings",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
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
		newHomekitCheck(p),
	)
	return cmd
}

// accessories asks the running server, or else the state that the last one left.
func (p *program) accessories(ctx context.Context) ([]api.Accessory, error) {
	b, _, done, err := p.owner(ctx, app.Override{})
	if err != nil {
		return nil, err
	}
	defer done()
	return b.Homekit(ctx)
}

func (p *program) homekitList(ctx context.Context) error {
	list, err := p.accessories(ctx)
	if err != nil {
		return err
	}
	if p.json() {
		return json.NewEncoder(p.stdout).Encode(list)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "NAME\tHOST ID\tDEVICE ID\tADDRESS\tPORT\tSETUP CODE\tPAIRED")
	for _, a := range list {
		paired, code := "no", a.SetupCode
		if a.Paired {
			paired, code = "yes", "-"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", a.Name, a.HostID, a.DeviceID, a.Address, a.Port, code, paired)
	}
	return w.Flush()
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
			Hint: "ps4kit homekit list shows the consoles that are known."}
	}
	if p.json() {
		return json.NewEncoder(p.stdout).Encode(shown)
	}
	out := bufio.NewWriter(p.stdout) // which keeps the error that PrintCode does not return
	for _, a := range shown {
		app.PrintCode(out, a)
	}
	if len(shown) == 0 {
		_, _ = fmt.Fprintln(out, "No console waits to be paired.")
	}
	return out.Flush()
}
