package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

func newStart(p *program) *cobra.Command {
	f, noQuit := &consoleFlags{}, false
	cmd := f.command(p, &cobra.Command{
		Use:   "start TITLE_ID|NAME",
		Short: "Start a title",
		Long: `Starts a title, given by its id (CUSA00129) or by the name of an input as "titles"
lists them, in any case, and returns once the console reports that it runs. A
console in rest mode is woken first.

Another running title is quit and loses what was not saved. With --no-quit it keeps
running, and the command fails.`,
		Args:              oneText("the id or the name of a title"),
		ValidArgsFunction: completeTitles(p, f, isTitle),
	}, "Starting the title", func(ctx context.Context, b api.Backend, host string, args []string) (done, error) {
		title := strings.TrimSpace(args[0])
		if title == "" {
			return done{}, usageError(errors.New("the id or the name of a title is missing"))
		}
		if id, err := ps4.ParseTitleID(title); err == nil {
			title = id // in upper case
		}
		return done{Done: "start", Title: title, text: title + " is running."}, b.Start(ctx, host, title, noQuit)
	})
	cmd.Flags().BoolVar(&noQuit, "no-quit", false, "don't quit another title that is running")
	return cmd
}
