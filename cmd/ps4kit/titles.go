package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

func newTitles(p *program) *cobra.Command {
	cmd := newTitlesList(p, "titles", "The inputs of a console")
	cmd.Long = `Lists and edits the inputs of a console, as Home shows them. Titles that run on the
console are added automatically.

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
	f := &consoleFlags{}
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := query(cmd.Context(), p, f, "Asking for the titles", api.Backend.Titles)
			if err != nil {
				return err
			}
			rows := [][]string{{"ID", "NAME", "PLAYED", "NOTES"}}
			for _, t := range list {
				played := "-"
				if !t.LastPlayed.IsZero() {
					played = t.LastPlayed.Local().Format(time.DateTime)
				}
				rows = append(rows, []string{t.ID, t.Name, played, notes(t)})
			}
			return p.reportTable(list, rows)
		},
	}
	f.add(cmd)
	return cmd
}

// notes lists the properties that the user gave an input.
func notes(t api.Title) string {
	var list []string
	for _, n := range []struct {
		is   bool
		note string
	}{{t.Configured, "configured"}, {t.Pinned, "pinned"}, {t.Hidden, "hidden"}, {t.Renamed, "renamed"}} {
		if n.is {
			list = append(list, n.note)
		}
	}
	return orDash(strings.Join(list, ", "))
}

// edited is the result of an edit.
func edited(title, did string) done {
	return done{Done: did, Title: title, text: title + " is " + did + "."}
}

// titleEditor makes a verb that edits the input that its first argument names.
func titleEditor(p *program, use, short string, args cobra.PositionalArgs,
	edit func(ctx context.Context, b api.Backend, host string, args []string) (done, error),
) *cobra.Command {
	f := &consoleFlags{}
	return f.command(p, &cobra.Command{
		Use:               use,
		Short:             short,
		Args:              args,
		ValidArgsFunction: completeTitles(p, f, func(api.Title) bool { return true }),
	}, "Editing the titles", edit)
}

func newTitlesAdd(p *program) *cobra.Command {
	cmd := titleEditor(p, "add TITLE_ID [NAME]", "Add an input for a title", texts("the id of a title", 2),
		func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
			id, err := ps4.ParseTitleID(args[0])
			if err != nil {
				return done{}, usageError(err)
			}
			return edited(id, "added"), b.AddTitle(ctx, host, id, second(args))
		})
	cmd.ValidArgsFunction = nil // the id is new
	return cmd
}

func newTitlesRename(p *program) *cobra.Command {
	return titleEditor(p, "rename TITLE_ID|NAME [NEW_NAME]", "Rename an input, or restore its own name", texts("the id or the name of a title", 2),
		func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
			return edited(args[0], "renamed"), b.RenameTitle(ctx, host, args[0], second(args))
		})
}

func newTitlesHide(p *program) *cobra.Command {
	undo := false
	cmd := titleEditor(p, "hide TITLE_ID|NAME", "Hide an input in Home", oneText("the id or the name of a title"),
		func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
			did := "hidden"
			if undo {
				did = "shown"
			}
			return edited(args[0], did), b.HideTitle(ctx, host, args[0], !undo)
		})
	cmd.Flags().BoolVar(&undo, "undo", false, "show it again")
	return cmd
}

func newTitlesPin(p *program) *cobra.Command {
	undo := false
	cmd := titleEditor(p, "pin TITLE_ID|NAME", "Keep an input at the front", oneText("the id or the name of a title"),
		func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
			did := "pinned"
			if undo {
				did = "unpinned"
			}
			return edited(args[0], did), b.PinTitle(ctx, host, args[0], !undo)
		})
	cmd.Flags().BoolVar(&undo, "undo", false, "let it move again")
	return cmd
}

func newTitlesForget(p *program) *cobra.Command {
	return titleEditor(p, "forget TITLE_ID|NAME", "Remove an input and what is known about it", oneText("the id or the name of a title"),
		func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
			return edited(args[0], "forgotten"), b.ForgetTitle(ctx, host, args[0])
		})
}
