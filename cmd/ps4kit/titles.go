package main

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/titles"
)

func newTitles(p *program) *cobra.Command {
	cmd := newTitlesList(p, "titles", "List and edit the inputs of a console")
	cmd.Long = `Lists and edits the inputs of a console as Home shows them. Titles that run on
the console are added automatically.

A title is given by its id (CUSA00129) or by the name of its input, in any case.

To look up names, updates or cover art of any title, use "ps4kit title".`
	cmd.Example = examples("titles", "titles rename CUSA00129 Films", "titles pin Netflix")
	cmd.AddCommand(newTitlesList(p, "list", "List the inputs"))
	const title = "the id or the name of a title"
	addTitlesAdd(p, cmd)
	cmd.AddCommand(newTitlesImport(p))
	titlesEditor(p, cmd, "rename TITLE_ID|NAME [NEW_NAME]", "Rename an input, or restore its own name", texts(title, 2), "rename Netflix Films",
		func(ctx context.Context, client *api.Client, host string, args []string, _ bool) (result, error) {
			return edited(args[0], "renamed"),
				api.ChangeTitle.Do(ctx, client, api.ChangeTitleRequest{Host: host, ID: args[0], Name: new(second(args))})
		})
	titlesEditor(p, cmd, "hide TITLE_ID|NAME", "Hide an input in Home", oneText(title), "hide Netflix",
		func(ctx context.Context, client *api.Client, host string, args []string, undo bool) (result, error) {
			did := "hidden"
			if undo {
				did = "shown"
			}
			return edited(args[0], did),
				api.ChangeTitle.Do(ctx, client, api.ChangeTitleRequest{Host: host, ID: args[0], Hidden: new(!undo)})
		}, "show it again")
	titlesEditor(p, cmd, "pin TITLE_ID|NAME", "Keep an input at the front", oneText(title), "pin Netflix",
		func(ctx context.Context, client *api.Client, host string, args []string, undo bool) (result, error) {
			did := "pinned"
			if undo {
				did = "unpinned"
			}
			return edited(args[0], did),
				api.ChangeTitle.Do(ctx, client, api.ChangeTitleRequest{Host: host, ID: args[0], Pinned: new(!undo)})
		}, "let it move again")
	titlesEditor(p, cmd, "forget TITLE_ID|NAME", "Remove an input and what is known about it", oneText(title), "forget Netflix",
		func(ctx context.Context, client *api.Client, host string, args []string, _ bool) (result, error) {
			return edited(args[0], "forgotten"),
				api.ForgetTitle.Do(ctx, client, api.TitleRequest{Host: host, ID: args[0]})
		})
	return cmd
}

// addTitlesAdd adds the verb that adds an input.
func addTitlesAdd(p *program, parent *cobra.Command) {
	country := ""
	add := titlesEditor(p, parent, "add TITLE_ID|ADDRESS|APP [NAME]", "Add an input for a title", texts("the id of a title", 2), "add CUSA00129 Films",
		func(ctx context.Context, client *api.Client, host string, args []string, _ bool) (result, error) {
			c, err := p.configuration()
			if err != nil {
				return result{}, err
			}
			title, err := titles.Find(args[0], cmp.Or(country, c.Art.Country))
			if err != nil {
				return result{}, usageError(err)
			}
			return edited(title.ID, "added"),
				api.AddTitle.Do(ctx, client, api.AddTitleRequest{Host: host, ID: title.ID, Name: second(args)})
		})
	add.Long = `Adds an input for a title, which is given by its id (CUSA00129), a content id,
the address of its page in the PS Store, or the name of a media app:

` + mediaApps() + `

A media app has another id in each region: --country chooses it, and art.country
of the configuration otherwise. Look up other ids at
` + titles.ListURL + `.`
	add.Example = examples("titles add CUSA00129 Films", "titles add EP4544-CUSA01703_00-WEBMAF000000PLEX", "titles add netflix --country de")
	add.Flags().StringVar(&country, "country", "", "`CODE` of the country of the PSN account, such as de")
	add.ValidArgsFunction = nil // the id is new
}

// mediaApps lists the names of the media apps, wrapped.
func mediaApps() string {
	var names []string
	for _, app := range titles.Apps() {
		names = append(names, app.Name)
	}
	return wrap("  "+strings.Join(names, ", "), "  ")
}

// titlesEditor adds a verb that edits the input that its first argument names.
// A text for undo gives it the flag --undo.
func titlesEditor(p *program, parent *cobra.Command, use, short string, args cobra.PositionalArgs, example string,
	edit func(ctx context.Context, client *api.Client, host string, args []string, undo bool) (result, error), undo ...string,
) *cobra.Command {
	f, undone := &consoleFlags{}, false
	cmd := f.add(p.verb(&cobra.Command{
		Use:               use,
		Short:             short,
		Example:           examples("titles " + example),
		Args:              args,
		ValidArgsFunction: completeTitles(p, f, func(api.Title) bool { return true }),
	}, f, "Editing the titles", func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
		return edit(ctx, client, host, args, undone)
	}))
	for _, text := range undo {
		cmd.Flags().BoolVar(&undone, "undo", false, text)
	}
	parent.AddCommand(cmd)
	return cmd
}

// edited returns the result of an edit.
func edited(title, what string) result {
	return did(done{Done: what, Title: title}, "%s is %s.", title, what)
}

func newTitlesList(p *program, use, short string) *cobra.Command {
	f := &consoleFlags{}
	return f.add(p.verb(&cobra.Command{
		Use:     use,
		Short:   short,
		Example: examples("titles list", "titles list -o json"),
		Args:    noArgs,
	}, f, "Asking for the titles", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		list, err := api.Titles.Do(ctx, client, api.HostRequest{Host: host})
		rows := [][]string{{"ID", "NAME", "PLAYED", "NOTES"}}
		for _, t := range list {
			played := "-"
			if !t.LastPlayed.IsZero() {
				played = t.LastPlayed.Local().Format(time.DateTime)
			}
			rows = append(rows, []string{t.ID, t.Name, played, notes(t)})
		}
		return result{value: list, text: table(rows)}, err
	}))
}

// notes lists the properties of an input: what the user gave it, and that the
// console refused it.
func notes(t api.Title) string {
	var list []string
	for _, n := range []struct {
		is   bool
		note string
	}{{t.Configured, "configured"}, {t.Pinned, "pinned"}, {t.Hidden, "hidden"}, {t.Renamed, "renamed"}, {t.Missing, "not installed"}} {
		if n.is {
			list = append(list, n.note)
		}
	}
	return orDash(strings.Join(list, ", "))
}
