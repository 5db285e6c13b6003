package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// completeTitles completes the first argument with the names of the inputs that
// offer accepts.
func completeTitles(p *program, f *consoleFlags, offer func(api.Title) bool) cobra.CompletionFunc {
	return complete(p, f, func(ctx context.Context, client *api.Client, host string, args []string) (names []cobra.Completion) {
		if len(args) > 0 {
			return nil
		}
		list, _ := api.Titles.Do(ctx, client, api.HostRequest{Host: host})
		for _, t := range list {
			if offer(t) {
				names = append(names, cobra.CompletionWithDesc(t.Name, t.ID))
			}
		}
		return names
	})
}

// isTitle reports whether an input is a title, unlike the home screen and "Other".
func isTitle(t api.Title) bool {
	_, err := ps4.ParseTitleID(t.ID)
	return err == nil
}

// completeConsoles completes a value that describe returns for each known console.
func completeConsoles(p *program, describe func(api.Console) (value, description string)) cobra.CompletionFunc {
	return complete(p, &consoleFlags{}, func(ctx context.Context, client *api.Client, _ string, _ []string) (values []cobra.Completion) {
		list, _ := api.Consoles.Do(ctx, client, api.None{})
		for _, c := range list {
			if value, description := describe(c); value != "" {
				values = append(values, cobra.CompletionWithDesc(value, description))
			}
		}
		return values
	})
}

// complete asks the backend for completions. It takes two seconds at most and
// ignores errors: the shell has no place to show them.
func complete(p *program, f *consoleFlags, ask func(ctx context.Context, client *api.Client, host string, args []string) []cobra.Completion) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		ctx, client, host, release, err := f.connect(ctx, p)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer release()
		return ask(ctx, client, host, args), cobra.ShellCompDirectiveNoFileComp
	}
}

// flagCompletions returns the completions of the values of flags, by name.
func flagCompletions(p *program) map[string]cobra.CompletionFunc {
	fixed := func(values ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	return map[string]cobra.CompletionFunc{
		"output":     fixed("text", "json"),
		"log-format": fixed("text", "json"),
		"log-level":  fixed("error", "warn", "info", "debug"),
		"host-id":    completeConsoles(p, func(c api.Console) (string, string) { return c.HostID, c.Name }),
		"name":       completeConsoles(p, func(c api.Console) (string, string) { return c.Name, c.HostID }),
	}
}
