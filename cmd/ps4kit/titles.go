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
	const title = "the id or the name of a title"
	cmd.AddCommand(
		newTitlesList(p, "list", "List the inputs"),
		newTitlesAdd(p),
		newTitlesImport(p),
		titlesEditor(p, "rename TITLE_ID|NAME [NEW_NAME]", "Rename an input, or restore its own name", texts(title, 2), "rename Netflix Films",
			func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
				return edited(args[0], "renamed"),
					api.ChangeTitle.Do(ctx, client, api.ChangeTitleRequest{Host: host, ID: args[0], Name: new(second(args))})
			}),
		titlesMarker(p, "hide", "Hide an input in Home", "hidden", "shown", "show it again",
			func(on bool) api.ChangeTitleRequest { return api.ChangeTitleRequest{Hidden: &on} }),
		titlesMarker(p, "pin", "Keep an input at the front", "pinned", "unpinned", "let it move again",
			func(on bool) api.ChangeTitleRequest { return api.ChangeTitleRequest{Pinned: &on} }),
		titlesEditor(p, "forget TITLE_ID|NAME", "Remove an input and what is known about it", oneText(title), "forget Netflix",
			func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
				return edited(args[0], "forgotten"),
					api.ForgetTitle.Do(ctx, client, api.TitleRequest{Host: host, ID: args[0]})
			}),
	)
	return cmd
}

func newTitlesAdd(p *program) *cobra.Command {
	country := ""
	add := titlesEditor(p, "add TITLE_ID|ADDRESS|APP [NAME]", "Add an input for a title", texts("the id of a title", 2), "add CUSA00129 Films",
		func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
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
	var apps []string
	for _, app := range titles.Apps() {
		apps = append(apps, app.Name)
	}
	add.Long = `Adds an input for a title, which is given by its id (CUSA00129), a content id,
the address of its page in the PS Store, or the name of a media app:

` + wrap("  "+strings.Join(apps, ", "), "  ") + `

A media app has another id in each region: --country chooses it, and art.country
of the configuration otherwise. Look up other ids at
` + titles.ListURL + `.`
	add.Example = examples("titles add CUSA00129 Films", "titles add EP4544-CUSA01703_00-WEBMAF000000PLEX", "titles add netflix --country de")
	add.Flags().StringVar(&country, "country", "", "`CODE` of the country of the PSN account, such as de")
	add.ValidArgsFunction = nil // the id is new
	return add
}

// titlesMarker returns a verb that marks an input, or with --undo removes the
// mark.
func titlesMarker(p *program, verb, short, marked, unmarked, undoUsage string, change func(mark bool) api.ChangeTitleRequest) *cobra.Command {
	undo := false
	cmd := titlesEditor(p, verb+" TITLE_ID|NAME", short, oneText("the id or the name of a title"), verb+" Netflix",
		func(ctx context.Context, client *api.Client, host string, args []string) (result, error) {
			request, did := change(!undo), marked
			if undo {
				did = unmarked
			}
			request.Host, request.ID = host, args[0]
			return edited(args[0], did), api.ChangeTitle.Do(ctx, client, request)
		})
	cmd.Flags().BoolVar(&undo, "undo", false, undoUsage)
	return cmd
}

// titlesEditor returns a verb that edits the input that its first argument names.
func titlesEditor(p *program, use, short string, args cobra.PositionalArgs, example string,
	edit func(ctx context.Context, client *api.Client, host string, args []string) (result, error),
) *cobra.Command {
	f := &consoleFlags{}
	return f.add(p.verb(&cobra.Command{
		Use:               use,
		Short:             short,
		Example:           examples("titles " + example),
		Args:              args,
		ValidArgsFunction: completeTitles(p, f, func(api.Title) bool { return true }),
	}, f, "Editing the titles", edit))
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
	}, f, "Asking for the titles", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		list, err := api.Titles.Do(ctx, client, api.HostRequest{Host: host})
		rows := [][]string{{"ID", "NAME", "PLAYED", "NOTES"}}
		for _, t := range list {
			var played string
			var notes []string
			if !t.LastPlayed.IsZero() {
				played = t.LastPlayed.Local().Format(time.DateTime)
			}
			for _, n := range []struct {
				applies bool
				note    string
			}{{t.Configured, "configured"}, {t.Pinned, "pinned"}, {t.Hidden, "hidden"}, {t.Renamed, "renamed"}, {t.Missing, "not installed"}} {
				if n.applies {
					notes = append(notes, n.note)
				}
			}
			rows = append(rows, []string{t.ID, t.Name, played, strings.Join(notes, ", ")})
		}
		return result{value: list, text: table(rows)}, err
	}))
}
