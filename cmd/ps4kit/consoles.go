package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

func newSearch(p *program) *cobra.Command {
	f, wait := &consoleFlags{}, 2*time.Second
	return f.add(p.verb(&cobra.Command{
		Use:   "search",
		Short: "Search the network for consoles",
		Long: `Searches the network and lists the consoles that answer.

Finding none is not an error: the exit code is 0, and -o json prints [].`,
		Example: examples("search", "search --timeout 5s", "search --broadcast 192.168.20.255"),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			wait, f.timeout = cmp.Or(f.timeout, wait), 0 // a search that ends then has not failed
			if addr, err := app.ResolveAddress(cmd.Context(), f.address); err == nil {
				f.network.Broadcast = append(f.network.Broadcast, addr) // one more place to ask
			}
			return nil
		},
	}, f, "Searching", func(ctx context.Context, client *api.Client, _ string, _ []string) (result, error) {
		found, err := api.Search.Do(ctx, client, api.SearchRequest{Wait: wait.String()})
		found = slices.DeleteFunc(found, func(c api.Console) bool {
			return f.hostID != "" && !strings.EqualFold(f.hostID, c.HostID) || f.name != "" && !strings.EqualFold(f.name, c.Name)
		})
		rows := [][]string{{"NAME", "STATE", "ADDRESS", "HOST ID", "TYPE", "VERSION", "TITLE"}}
		for _, c := range found {
			rows = append(rows, []string{c.Name, c.State, c.Address, c.HostID, c.HostType, systemVersion(c), titleOf(c)})
		}
		r := result{value: found, text: table(rows)}
		if len(found) == 0 {
			r.text, r.note = "", noneFound
		}
		return r, err
	}))
}

const noneFound = `No console answered. Check that
  - it is on, or in rest mode with "Stay Connected to the Internet" enabled
  - it is in this machine's network, and no firewall drops UDP 987 or 9302
  - it answers when asked directly: ps4kit status -i ADDRESS`

func newStatus(p *program) *cobra.Command {
	f := &consoleFlags{}
	return f.add(p.verb(&cobra.Command{
		Use:     "status",
		Aliases: []string{"check"},
		Short:   "Show what a console is doing",
		Long: `Shows what a console is doing. The exit code is 0 when it is on, 1 in rest mode,
and 2 when it doesn't answer.

A console that has just entered rest mode doesn't answer for about a minute.`,
		Example: examples("status", "status --name Den", "status -i 192.168.1.20 -o json"),
	}, f, "Asking the console", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		c, err := api.Status.Do(ctx, client, api.HostRequest{Host: host})
		r := result{value: c, text: statusText(c)}
		switch c.State {
		case api.StateStandby:
			r.err = exitError{code: exitRefused}
		case api.StateUnreachable:
			r.err = notAnswering(c)
		}
		return r, err
	}))
}

// statusText describes a console in two columns.
func statusText(c api.Console) string {
	return table(known([][]string{
		{"State", c.State},
		{"Name", c.Name},
		{"Title", titleOf(c)},
		{"Address", c.Address},
		{"Host id", c.HostID},
		{"Type", c.HostType},
		{"Version", systemVersion(c)},
	}))
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

// answering returns the state of a console, or an error if it does not answer.
func answering(ctx context.Context, client *api.Client, host string) (api.Console, error) {
	c, err := api.Status.Do(ctx, client, api.HostRequest{Host: host})
	if err == nil && c.State == api.StateUnreachable {
		err = notAnswering(c)
	}
	return c, err
}

func newConsoles(p *program) *cobra.Command {
	cmd := newConsolesList(p, "consoles", "List, add or forget consoles")
	cmd.Long = `Lists the consoles that ps4kit knows. Each is configured in config.yaml,
accepted, or only found by a search. Adding a console accepts it, and so does
linking it or naming it in a command. ps4kit never sends a credential to a
console that was only found.`
	cmd.Example = examples("consoles", "consoles add 192.168.1.20", "consoles forget Den")
	cmd.AddCommand(newConsolesList(p, "list", "List the known consoles"), newConsolesAdd(p), newConsolesForget(p))
	return cmd
}

const noneKnown = "No console is known. Find one with ps4kit search, or add one with\nps4kit consoles add ADDRESS."

func newConsolesList(p *program, use, short string) *cobra.Command {
	return p.verb(&cobra.Command{
		Use:     use,
		Short:   short,
		Example: examples("consoles list", "consoles list -o json"),
	}, &consoleFlags{}, "Asking the consoles", func(ctx context.Context, client *api.Client, _ string, _ []string) (result, error) {
		list, err := api.Consoles.Do(ctx, client, api.None{})
		if err != nil {
			return result{}, err
		}
		if len(list) == 0 {
			return result{value: list, note: noneKnown}, nil
		}
		var asked sync.WaitGroup
		for i, known := range list {
			asked.Go(func() {
				if c, err := api.Status.Do(ctx, client, api.HostRequest{Host: known.HostID}); err == nil {
					list[i] = c
					list[i].Origin = known.Origin
				}
			})
		}
		asked.Wait()
		rows := [][]string{{"NAME", "STATE", "ADDRESS", "HOST ID", "TYPE", "KNOWN"}}
		for _, c := range list {
			rows = append(rows, []string{c.Name, c.State, c.Address, c.HostID, c.HostType, c.Origin})
		}
		return result{value: list, text: table(rows)}, nil
	})
}

func newConsolesAdd(p *program) *cobra.Command {
	f := &consoleFlags{}
	cmd := p.verb(&cobra.Command{
		Use:   "add ADDRESS",
		Short: "Add the console at an address",
		Long: `Adds the console at an address, ADDR[:DDPPORT] or a host name, and accepts it:
commands and HomeKit may use it from then on. Use it for consoles that a search
doesn't find, such as those in another network. The console must be on or in
rest mode.`,
		Example: examples("consoles add 192.168.1.20", "consoles add ps4.lan"),
		Args:    oneText("the address of a console"),
	}, f, "Asking the console", func(ctx context.Context, client *api.Client, _ string, args []string) (result, error) {
		c, err := api.AddConsole.Do(ctx, client, api.AddConsoleRequest{Address: args[0]})
		return result{value: c, text: fmt.Sprintf("Added %s (%s) at %s.", c.Name, c.HostID, c.Address)}, err
	})
	f.addNetwork(cmd)
	return cmd
}

func newConsolesForget(p *program) *cobra.Command {
	yes := false
	cmd := p.verb(&cobra.Command{
		Use:   "forget NAME|HOST_ID|ADDRESS",
		Short: "Remove a console and everything stored about it",
		Long: `Removes everything that is stored about a console: its HomeKit identity and
pairings, its inputs, its own credential, and its entry in the list. Remove the
accessory in the Home app, too.

A console that still answers searches comes back as one that was only found. If
config.yaml names the console, remove it there first.`,
		Example:           examples("consoles forget Den", "consoles forget A0B1C2D3E4F5 --yes"),
		Args:              oneText("the name, the host id or the address of a console"),
		ValidArgsFunction: completeConsoles(p, func(c api.Console) (string, string) { return c.Name, c.HostID }),
	}, &consoleFlags{}, "", func(ctx context.Context, client *api.Client, _ string, args []string) (result, error) {
		host := args[0]
		if !yes {
			if err := checkKnown(ctx, client, host); err != nil {
				return result{}, err
			}
			question := "Forget " + host + ", with its pairings, inputs and credential?"
			if err := p.confirm(ctx, "this removes everything stored about the console", question); err != nil {
				return result{}, err
			}
		}
		defer p.progress("Forgetting the console")()
		return did(done{Done: "forgotten"}, "%s is forgotten.", host), api.ForgetConsole.Do(ctx, client, api.HostRequest{Host: host})
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return cmd
}

// checkKnown returns an error unless host names a listed console. It accepts
// every host id: something may be stored for a console that is no longer listed.
func checkKnown(ctx context.Context, client *api.Client, host string) error {
	list, err := api.Consoles.Do(ctx, client, api.None{})
	if err != nil || isHostID(host) || slices.ContainsFunc(list, func(c api.Console) bool {
		return strings.EqualFold(host, c.Name) || host == c.Address
	}) {
		return err
	}
	return &api.Error{Code: api.CodeNotFound, Message: "no console is known as " + host,
		Hint: "List the known consoles with ps4kit consoles, or give a host id."}
}
