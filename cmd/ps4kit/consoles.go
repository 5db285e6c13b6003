package main

import (
	"context"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

func newConsoles(p *program) *cobra.Command {
	cmd := newConsolesList(p, "consoles", "List, add or forget consoles")
	cmd.Long = `Lists the consoles that ps4kit knows. Each is configured in config.yaml,
accepted, or only found by a search. Adding a console accepts it, and so does
linking it or naming it in a command. ps4kit never sends a credential to a
console that was only found.`
	cmd.AddCommand(newConsolesList(p, "list", "List the known consoles"), newConsolesAdd(p), newConsolesForget(p))
	return cmd
}

func newConsolesList(p *program, use, short string) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := query(cmd.Context(), p, &consoleFlags{}, "Asking the consoles", func(b api.Backend, ctx context.Context, _ string) ([]api.Console, error) {
				list, err := b.Consoles(ctx)
				refresh(ctx, b, list)
				return list, err
			})
			if err != nil {
				return err
			}
			if len(list) == 0 && !p.json() {
				_, err := io.WriteString(p.stderr, "No console is known. Find one with ps4kit search, or add one with ps4kit consoles add ADDRESS.\n")
				return err
			}
			rows := [][]string{{"NAME", "STATE", "ADDRESS", "HOST ID", "TYPE", "KNOWN"}}
			for _, c := range list {
				rows = append(rows, []string{orDash(c.Name), c.State, orDash(c.Address), orDash(c.HostID), orDash(c.HostType), c.Origin})
			}
			return p.reportTable(list, rows)
		},
	}
}

// refresh asks every console of a list for its state. One that cannot be asked
// stays as it was.
func refresh(ctx context.Context, b api.Backend, list []api.Console) {
	var asked sync.WaitGroup
	for i := range list {
		asked.Go(func() {
			if c, err := b.Status(ctx, list[i].HostID); err == nil {
				c.Origin = list[i].Origin
				list[i] = c
			}
		})
	}
	asked.Wait()
}

func newConsolesAdd(p *program) *cobra.Command {
	f := &consoleFlags{}
	cmd := &cobra.Command{
		Use:   "add ADDRESS",
		Short: "Add the console that answers at an address",
		Long: `Asks the console at an address, ADDR[:DDPPORT] or a host name, and accepts it:
commands and HomeKit may use it from then on. Use it for consoles that a search
does not find, such as those in another network. The console must be on or in
rest mode.`,
		Args: oneText("the address of a console"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := query(cmd.Context(), p, f, "Asking the console", func(b api.Backend, ctx context.Context, _ string) (api.Console, error) {
				return b.AddConsole(ctx, args[0])
			})
			if err != nil {
				return err
			}
			return p.report(c, "Added %s (%s) at %s.", c.Name, c.HostID, c.Address)
		},
	}
	f.addNetwork(cmd)
	return cmd
}

func newConsolesForget(p *program) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:   "forget NAME|HOST_ID|ADDRESS",
		Short: "Remove a console and everything that is stored of it",
		Long: `Removes everything that is stored of a console: its HomeKit identity and
pairings, its inputs, its own credential, and its entry in the list. Remove the
accessory in the Home app, too.

A console that still answers searches comes back as one that was only found. One
that config.yaml names has to be removed there first.`,
		Args:              oneText("the name, the host id or the address of a console"),
		ValidArgsFunction: completeConsoles(p, func(c api.Console) (string, string) { return c.Name, c.HostID }),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, host := cmd.Context(), args[0]
			if !yes {
				if err := p.checkKnown(ctx, host); err != nil {
					return err
				}
				err := p.confirm(ctx, "this removes everything that is stored of the console", "Forget "+host+", with its pairings, inputs and credential?")
				if err != nil {
					return err
				}
			}
			err := p.onConsole(ctx, &consoleFlags{}, "Forgetting the console", func(ctx context.Context, b api.Backend, _ string) error {
				return b.ForgetConsole(ctx, host)
			})
			if err != nil {
				return err
			}
			return p.report(done{Done: "forgotten"}, "%s is forgotten.", host)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// checkKnown returns an error unless host names a listed console. Any host id is
// good: something may be stored of a console that is no longer listed.
func (p *program) checkKnown(ctx context.Context, host string) error {
	list, err := query(ctx, p, &consoleFlags{}, "Looking for the console", func(b api.Backend, ctx context.Context, _ string) ([]api.Console, error) {
		return b.Consoles(ctx)
	})
	if err != nil || isHostID(host) || slices.ContainsFunc(list, func(c api.Console) bool {
		return strings.EqualFold(host, c.Name) || host == c.Address
	}) {
		return err
	}
	return &api.Error{Code: api.CodeNotFound, Message: "no console is known as " + host,
		Hint: "List the known consoles with ps4kit consoles, or give a host id."}
}

// isHostID reports whether text has the form of a host id.
func isHostID(text string) bool {
	id, err := hex.DecodeString(text)
	return err == nil && len(id) == 6
}
