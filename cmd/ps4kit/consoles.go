package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

// consolesOptions are the flags of `ps4kit consoles` and the verbs below it.
type consolesOptions struct {
	console consoleFlags
	yes     bool
}

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
	o := &consolesOptions{}
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.list(cmd.Context(), p) },
	}
	return cmd
}

func (o *consolesOptions) list(ctx context.Context, p *program) error {
	var list []api.Console
	err := p.onConsole(ctx, &o.console, "Asking the consoles", func(ctx context.Context, b api.Backend, _ string) (err error) {
		if list, err = b.Consoles(ctx); err == nil {
			refresh(ctx, b, list)
		}
		return err
	})
	if err != nil {
		return err
	}
	if p.json() {
		return p.printJSON(list)
	}
	if len(list) == 0 {
		_, err := io.WriteString(p.stderr, "No console is known. Find one with ps4kit search, or add one with ps4kit consoles add ADDRESS.\n")
		return err
	}
	t := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "NAME\tSTATE\tADDRESS\tHOST ID\tTYPE\tKNOWN")
	for _, c := range list {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n",
			orDash(c.Name), c.State, orDash(c.Address), orDash(c.HostID), orDash(c.HostType), c.Origin)
	}
	return t.Flush()
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
	o := &consolesOptions{}
	cmd := &cobra.Command{
		Use:   "add ADDRESS",
		Short: "Add the console that answers at an address",
		Long: `Asks the console at an address, ADDR[:DDPPORT] or a host name, and accepts it:
commands and HomeKit may use it from then on. Use it for consoles that a search
does not find, such as those in another network. The console must be on or in
rest mode.`,
		Args: oneText("the address of a console"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.add(cmd.Context(), p, args[0]) },
	}
	o.console.addNetwork(cmd)
	return cmd
}

func (o *consolesOptions) add(ctx context.Context, p *program, address string) error {
	var c api.Console
	err := p.onConsole(ctx, &o.console, "Asking the console", func(ctx context.Context, b api.Backend, _ string) (err error) {
		c, err = b.AddConsole(ctx, address)
		return err
	})
	if err != nil {
		return err
	}
	return p.report(c, "Added %s (%s) at %s.", c.Name, c.HostID, c.Address)
}

func newConsolesForget(p *program) *cobra.Command {
	o := &consolesOptions{}
	cmd := &cobra.Command{
		Use:   "forget NAME|HOST_ID|ADDRESS",
		Short: "Remove a console and everything that is stored of it",
		Long: `Removes everything that is stored of a console: its HomeKit identity and
pairings, its inputs, its own credential, and its entry in the list. Remove the
accessory in the Home app, too.

A console that still answers searches comes back as one that was only found. One
that config.yaml names has to be removed there first.`,
		Args: oneText("the name, the host id or the address of a console"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.forget(cmd.Context(), p, args[0]) },
	}
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.ValidArgsFunction = completeConsoles(p, func(c api.Console) (string, string) { return c.Name, c.HostID })
	return cmd
}

func (o *consolesOptions) forget(ctx context.Context, p *program, host string) error {
	if !o.yes {
		if err := p.confirm(ctx, "this removes everything that is stored of the console",
			"Forget "+host+", with its pairings, inputs and credential?"); err != nil {
			return err
		}
	}
	b, _, end, err := p.owner(ctx, app.Override{})
	if err != nil {
		return err
	}
	defer end()
	if err := b.ForgetConsole(ctx, host); err != nil {
		return err
	}
	return p.report(done{Done: "forgotten"}, "%s is forgotten.", host)
}
