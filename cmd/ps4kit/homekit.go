package main

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

func newHomekit(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "homekit",
		Short: "Show setup codes, reset pairings",
		Long: `Shows the HomeKit accessories of the consoles and their setup codes, and resets
pairings.`,
		Example: examples("homekit list", "homekit qr", "homekit reset Den"),
	}
	cmd.AddCommand(
		newHomekitList(p),
		newHomekitQR(p),
		newHomekitReset(p),
	)
	return cmd
}

const noneServed = "No console has a HomeKit accessory yet. Start the server with ps4kit serve: each\nPS4 that it finds becomes one."

func newHomekitList(p *program) *cobra.Command {
	return p.verb(&cobra.Command{
		Use:     "list",
		Short:   "List the HomeKit accessories of the consoles",
		Example: examples("homekit list", "homekit list -o json"),
	}, &consoleFlags{}, "Asking for the accessories", func(ctx context.Context, client *api.Client, _ string, _ []string) (result, error) {
		list, err := api.Homekit.Do(ctx, client, api.None{})
		rows := [][]string{{"NAME", "HOST ID", "DEVICE ID", "ADDRESS", "PORT", "SETUP CODE", "PAIRED"}}
		how := ""
		for _, a := range list {
			paired, code := "no", a.SetupCode
			switch {
			case a.Paired:
				paired, code = "yes", ""
			case a.PairingLocked:
				paired, code = "locked", ""
				locked := a.LockedError()
				how += "\n\nThe " + locked.Message + ".\n" + locked.Hint
			}
			rows = append(rows, []string{a.Name, a.HostID, a.DeviceID, a.Address, strconv.Itoa(a.Port), code, paired})
		}
		r := result{value: list, text: table(rows) + how}
		if len(list) == 0 {
			r.text, r.note = "", noneServed
		}
		return r, err
	})
}

func newHomekitQR(p *program) *cobra.Command {
	return p.verb(&cobra.Command{
		Use:     "qr [NAME|HOST_ID]",
		Short:   "Show the QR and setup codes of consoles that aren't paired",
		Example: examples("homekit qr", "homekit qr Den"),
		Args:    cobra.MaximumNArgs(1),
	}, &consoleFlags{}, "Asking for the accessories", func(ctx context.Context, client *api.Client, _ string, args []string) (result, error) {
		list, err := api.Homekit.Do(ctx, client, api.None{})
		if err != nil {
			return result{}, err
		}
		if len(args) > 0 {
			list = slices.DeleteFunc(list, func(a api.Accessory) bool {
				return !strings.EqualFold(args[0], a.Name) && !strings.EqualFold(args[0], a.HostID)
			})
			switch {
			case len(list) == 0:
				return result{}, &api.Error{Code: "not_found", Message: "no console is known as " + args[0],
					Hint: "List the accessories with ps4kit homekit list."}
			case list[0].PairingLocked:
				return result{}, list[0].LockedError()
			case list[0].Paired:
				return result{}, &api.Error{Code: "paired", Message: list[0].Name + " is already paired", Hint: "Remove it in the Home app first."}
			}
		}
		if len(list) == 0 {
			return result{value: list, note: noneServed}, nil
		}
		list = slices.DeleteFunc(list, func(a api.Accessory) bool { return a.Paired })
		var text strings.Builder
		for _, a := range list {
			app.PrintCode(&text, a)
		}
		return result{value: list, text: cmp.Or(strings.TrimSuffix(text.String(), "\n"), "Every console is paired.")}, nil
	})
}

func newHomekitReset(p *program) *cobra.Command {
	yes := false
	cmd := p.verb(&cobra.Command{
		Use:   "reset NAME|HOST_ID|companion",
		Short: "Remove all pairings of a console, to pair it again",
		Long: `Removes all pairings of a console's accessory, allows pairing again after too
many wrong setup codes, and makes a new setup code unless the configuration has
one. Remove the accessory in the Home app, too. The console's names and inputs
stay.

A damaged HomeKit file is set aside, and the accessory gets a new identity.`,
		Example: examples("homekit reset Den", "homekit reset companion --yes"),
		Args:    oneText("the name or the host id of a console"),
	}, &consoleFlags{}, "", func(ctx context.Context, client *api.Client, _ string, args []string) (result, error) {
		if !yes {
			question := "Remove every pairing of " + args[0] + "? You will have to pair it again in Home."
			if err := p.confirm(ctx, "this removes every pairing", question); err != nil {
				return result{}, err
			}
		}
		defer p.progress("Removing the pairings")()
		return did(done{Done: "reset"}, "%s is reset. To pair it again: ps4kit homekit qr", args[0]),
			api.ResetHomekit.Do(ctx, client, api.HostRequest{Host: args[0]})
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return cmd
}
