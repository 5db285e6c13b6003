package main

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// searchOptions are the flags of `ps4kit search`.
type searchOptions struct{ console consoleFlags }

func newSearch(p *program) *cobra.Command {
	o := &searchOptions{}
	cmd := &cobra.Command{
		Use:   "search",
		Short: "List the consoles that answer",
		Long: `Asks the network for consoles, and lists those that answer. PlayStation 5
consoles are listed too; ps4kit can do nothing else with them.

Finding none is not an error: the exit code is 0, and -o json prints [].`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

const noneFound = `No console answered. Check that
  - it is on, or in rest mode with "Stay Connected to the Internet" ticked
  - it is in the same network as this machine, and no firewall drops UDP 987
  - it answers when asked directly: ps4kit status -i ADDRESS
`

func (o *searchOptions) run(ctx context.Context, p *program) error {
	f := &o.console
	wait := cmp.Or(f.timeout, 2*time.Second)
	f.timeout = 0 // a search that ends then has not failed
	if addr, err := ps4.ParseAddress(f.address); err == nil {
		f.network.Broadcast = append(f.network.Broadcast, addr) // one more place to ask
	}
	found, err := query(ctx, p, f, "Searching", func(b api.Backend, ctx context.Context, _ string) ([]api.Console, error) {
		return b.Search(ctx, wait)
	})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(c api.Console) bool {
		return f.hostID != "" && !strings.EqualFold(f.hostID, c.HostID) || f.name != "" && !strings.EqualFold(f.name, c.Name)
	})
	if len(found) == 0 && !p.json() {
		_, err = io.WriteString(p.stderr, noneFound)
		return err
	}
	rows := [][]string{{"NAME", "STATE", "ADDRESS", "HOST ID", "TYPE", "VERSION", "TITLE"}}
	for _, c := range found {
		rows = append(rows, []string{
			orDash(c.Name), c.State, orDash(c.Address), orDash(c.HostID), orDash(c.HostType), orDash(systemVersion(c)), orDash(titleOf(c)),
		})
	}
	return p.reportTable(found, rows)
}
