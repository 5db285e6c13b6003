package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

// titlesOptions are the flags of `ps4kit titles` and of the verbs below it.
type titlesOptions struct {
	console consoleFlags
	undo    bool
}

func newTitles(p *program) *cobra.Command {
	cmd := newTitlesList(p, "titles", "The inputs of a console")
	cmd.Long = `Lists and edits the inputs of a console, as Home shows them. Titles that are seen
running are added by themselves.

A title is named by its id (CUSA00129) or by the name of its input, in any case.`
	cmd.AddCommand(
		newTitlesList(p, "list", "List the inputs"),
		newTitlesAdd(p),
		newTitlesRename(p),
		newTitlesHide(p),
		newTitlesPin(p),
		newTitlesForget(p),
	)
	return cmd
}

func newTitlesList(p *program, use, short string) *cobra.Command {
	o := &titlesOptions{}
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.list(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *titlesOptions) list(ctx context.Context, p *program) error {
	var list []api.Title
	err := p.onConsole(ctx, &o.console, "Asking for the titles", func(ctx context.Context, b api.Backend, host string) (err error) {
		list, err = b.Titles(ctx, host)
		return err
	})
	if err != nil {
		return err
	}
	if p.json() {
		return p.printJSON(list)
	}
	return printTitles(p.stdout, list)
}

func printTitles(w io.Writer, list []api.Title) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "ID\tNAME\tPLAYED\tNOTES")
	for _, title := range list {
		played := "-"
		if !title.LastPlayed.IsZero() {
			played = title.LastPlayed.Local().Format(time.DateTime)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", title.ID, title.Name, played, orDash(marksOf(title)))
	}
	return t.Flush()
}

// marksOf says what was done to an input.
func marksOf(title api.Title) string {
	var marks []string
	for _, m := range []struct {
		is   bool
		mark string
	}{{title.Configured, "configured"}, {title.Pinned, "pinned"}, {title.Hidden, "hidden"}, {title.Renamed, "renamed"}} {
		if m.is {
			marks = append(marks, m.mark)
		}
	}
	return strings.Join(marks, ", ")
}
