package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// completeLimit is how long somebody who pressed TAB is kept waiting.
const completeLimit = 2 * time.Second

// completeTitles offers the names of those of a console's inputs that are wanted, for
// the first argument.
func completeTitles(p *program, f *consoleFlags, wanted func(api.Title) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []cobra.Completion
		if len(args) == 0 {
			quietly(cmd, p, f, func(ctx context.Context, b api.Backend, host string) {
				list, _ := b.Titles(ctx, host) // nothing to offer then
				for _, t := range list {
					if wanted(t) {
						names = append(names, cobra.CompletionWithDesc(t.Name, t.ID))
					}
				}
			})
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// anyInput and canStart are what completeTitles may want: the home screen and "Other"
// are inputs, but no titles.
func anyInput(api.Title) bool { return true }

func canStart(t api.Title) bool {
	_, err := ps4.ParseTitleID(t.ID)
	return err == nil
}

// completeConsoles offers what the known consoles have as that.
func completeConsoles(p *program, that func(api.Console) (value, description string)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var values []cobra.Completion
		quietly(cmd, p, &consoleFlags{}, func(ctx context.Context, b api.Backend, _ string) {
			list, _ := b.Consoles(ctx)
			for _, c := range list {
				if value, description := that(c); value != "" {
					values = append(values, cobra.CompletionWithDesc(value, description))
				}
			}
		})
		return values, cobra.ShellCompDirectiveNoFileComp
	}
}

// quietly asks the backend and forgets every error: a completion has nobody to tell.
func quietly(cmd *cobra.Command, p *program, f *consoleFlags, do func(context.Context, api.Backend, string)) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completeLimit)
	defer cancel()
	ctx, b, host, done, err := f.connect(ctx, p)
	if err != nil {
		return
	}
	defer done()
	do(ctx, b, host)
}

// addCompletions completes the values of flags, those of every verb below cmd too.
func addCompletions(p *program, cmd *cobra.Command) {
	if !cmd.Runnable() { // cobra's own, which takes an unknown shell for a call for help
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	offer := func(flag string, values cobra.CompletionFunc) {
		if cmd.LocalFlags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, values) // fails when the verb has its own
		}
	}
	fixed := func(values ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	offer("output", fixed("text", "json"))
	offer("log-format", fixed("text", "json"))
	offer("log-level", fixed("error", "warn", "info", "debug"))
	offer("host-id", completeConsoles(p, func(c api.Console) (string, string) { return c.HostID, c.Name }))
	offer("name", completeConsoles(p, func(c api.Console) (string, string) { return c.Name, c.HostID }))
	for _, sub := range cmd.Commands() {
		addCompletions(p, sub)
	}
}
