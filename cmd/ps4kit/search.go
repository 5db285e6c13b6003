package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
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

None found is no error: the exit code is 0, and -o json prints [].`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *searchOptions) run(ctx context.Context, p *program) error {
	var found []api.Console
	wait := o.prepare()
	err := p.onConsole(ctx, &o.console, "Searching", func(ctx context.Context, b api.Backend, _ string) (err error) {
		found, err = b.Search(ctx, wait)
		return err
	})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(c api.Console) bool { return !o.wants(c) })
	if p.json() {
		return p.printJSON(found)
	}
	if len(found) == 0 {
		_, err = io.WriteString(p.stderr, noneFound)
		return err
	}
	return printConsoles(p.stdout, found)
}

// searchTime is how long a search waits for answers without --timeout.
const searchTime = 2 * time.Second

// prepare returns how long to search: for a search the timeout is no failure. An
// address is one more place to ask.
func (o *searchOptions) prepare() time.Duration {
	f := &o.console
	wait := cmp.Or(f.timeout, searchTime)
	f.timeout = 0
	if f.address != "" {
		f.broadcast = append(f.broadcast, f.address)
	}
	return wait
}

// wants says whether a console is one of those that the flags name.
func (o *searchOptions) wants(c api.Console) bool {
	return (o.console.hostID == "" || strings.EqualFold(o.console.hostID, c.HostID)) &&
		(o.console.name == "" || strings.EqualFold(o.console.name, c.Name))
}

const noneFound = `No console answered. Check that
  - it is on, or in rest mode with "Stay Connected to the Internet" ticked
  - it is in the same network as this machine, and no firewall drops UDP 987
  - it answers when it is asked by itself: ps4kit status -i ADDRESS
`

// printConsoles prints a line for each console.
func printConsoles(w io.Writer, list []api.Console) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "NAME\tSTATE\tADDRESS\tHOST ID\tTYPE\tVERSION\tTITLE")
	for _, c := range list {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			orDash(c.Name), c.State, orDash(c.Address), orDash(c.HostID), orDash(c.HostType), orDash(systemVersion(c)), orDash(titleOf(c)))
	}
	return t.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
