package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// startOptions are the flags of `ps4kit start`.
type startOptions struct {
	console consoleFlags
	noQuit  bool
}

func newStart(p *program) *cobra.Command {
	o := &startOptions{}
	cmd := &cobra.Command{
		Use:   "start TITLE_ID|NAME",
		Short: "Start a title",
		Long: `Starts a title, by its id (CUSA00129) or by the name of an input as "titles"
lists them, in any case, and returns when the console says that it runs. A
console in rest mode is woken first.

Another title that runs is quit; what was not saved in it is lost. With --no-quit
it is left alone, and the command fails.`,
		Args:              oneText("the id or the name of a title"),
		ValidArgsFunction: completeTitles(p, &o.console, canStart),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args[0]) },
	}
	o.console.add(cmd)
	cmd.Flags().BoolVar(&o.noQuit, "no-quit", false, "leave another title alone that is running")
	return cmd
}

func (o *startOptions) run(ctx context.Context, p *program, title string) error {
	if title = strings.TrimSpace(title); title == "" {
		return usageError(errors.New("the id or the name of a title is missing"))
	}
	if id, err := ps4.ParseTitleID(title); err == nil {
		title = id // in upper case
	}
	err := p.onConsole(ctx, &o.console, "Starting "+title, func(ctx context.Context, b api.Backend, host string) error {
		return b.Start(ctx, host, title, o.noQuit)
	})
	if err != nil {
		return err
	}
	return p.report(done{Done: "start", Title: title}, "%s is running.", title)
}
