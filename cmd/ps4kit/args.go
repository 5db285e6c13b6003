package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// noArgs wants no arguments; of a verb that is only the head of others it says which
// there are.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return fmt.Errorf("%s takes no arguments: %q", cmd.CommandPath(), args[0])
	}
	cmd.SuggestionsMinimumDistance = 2 // as cobra itself
	likely := cmd.SuggestionsFor(args[0])
	if len(likely) == 0 {
		return fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
	}
	return fmt.Errorf("unknown command %q for %q: did you mean %s?", args[0], cmd.CommandPath(), strings.Join(likely, " or "))
}

// oneText wants exactly one argument, and says which when there is none. Words of a
// name that lacks its quotes are many.
func oneText(what string) cobra.PositionalArgs { return texts(what, 1) }

// textAndName wants an argument and takes a name after it.
func textAndName(what string) cobra.PositionalArgs { return texts(what, 2) }

func texts(what string, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s is missing: %s", what, cmd.UseLine())
		case len(args) > most:
			return fmt.Errorf("too many arguments: %s; quote a text of several words", strings.Join(args[most:], " "))
		}
		return nil
	}
}

// second returns the second argument, if there is one.
func second(args []string) string {
	if len(args) < 2 {
		return ""
	}
	return args[1]
}
