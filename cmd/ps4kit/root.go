package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "ps4kit",
		Short: "PlayStation consoles as televisions in Apple Home",
		Long: `ps4kit turns each PlayStation 4 and 5 into a television in Apple Home, and
controls consoles from the command line.`,
		Example:       examples("serve                a server for Apple Home", "serve --simulate 1   the same without a console", "status               what the console is doing"),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if err := p.checkGlobals(); err != nil {
				return err
			}
			p.started = true
			return nil
		},
	}
	root.SetOut(p.stdout) // first, because the completion command keeps it
	root.SetErr(p.stderr)
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-")) // as in --ip_address
	})
	f := root.PersistentFlags()
	f.StringVar(&p.configFile, "config", "", "configuration `FILE` (default: config.yaml in ., ~/.config/ps4kit, /etc/ps4kit)")
	f.StringVar(&p.stateDir, "state-dir", "", "state `DIR`: what ps4kit remembers")
	f.StringVar(&p.logLevel, "log-level", "", "log `LEVEL`: error, warn, info or debug")
	f.StringVar(&p.logFormat, "log-format", "", "log `FORMAT`: text or json")
	f.BoolVarP(&p.debug, "debug", "v", false, "log everything (--log-level debug)")
	f.StringVarP(&p.output, "output", "o", "text", "`FORMAT` of the result: text or json")
	f.BoolVar(&p.version, "version", false, "print the version and exit")
	for _, group := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"Console", []*cobra.Command{
			newSearch(p), newConsoles(p), newStatus(p), newWakeup(p), newStandby(p), newToggle(p),
			newStart(p), newRemote(p), newKeyboard(p), newInteractive(p),
		}},
		{"Setup", []*cobra.Command{newCredential(p), newLink(p), newHomekit(p), newDoctor(p)}},
		{"Titles", []*cobra.Command{newTitles(p), newTitle(p)}},
		{"Server", []*cobra.Command{
			newServe(p), newWeb(p), newConfig(p), newBackup(p), newRestore(p), newSimulate(p), newVersion(p),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, verb := range group.verbs {
			verb.GroupID = group.title
		}
		root.AddCommand(group.verbs...)
	}
	root.SetCompletionCommandGroupID("Server")
	root.SetHelpCommandGroupID("Server")
	root.SetUsageFunc(printUsage)
	root.InitDefaultCompletionCmd()
	prepare(p, root, flagCompletions(p))
	return root
}

// helpWidth is the width of a terminal that help texts fit.
const helpWidth = 80

// printUsage prints what cobra prints, but in 80 columns, and with the flags of
// the connection to a console in a section of their own.
func printUsage(cmd *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n", cmd.UseLine())
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", cmd.CommandPath())
	}
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", title, strings.TrimRight(text, "\n"))
		}
	}
	section("Aliases", strings.Join(cmd.Aliases, ", "))
	section("Examples", cmd.Example)
	commands := map[string]string{}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			commands[sub.GroupID] += fmt.Sprintf("  %-*s  %s\n", sub.NamePadding(), sub.Name(), sub.Short)
		}
	}
	for _, group := range cmd.Groups() {
		section(group.Title, commands[group.ID])
	}
	section("Commands", commands[""])
	own, connection := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	console := new(consoleFlags).add(&cobra.Command{}).Flags()
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if console.Lookup(f.Name) != nil {
			connection.AddFlag(f)
		} else {
			own.AddFlag(f)
		}
	})
	section("Flags", own.FlagUsagesWrapped(helpWidth))
	section("Which console, and how to reach it", connection.FlagUsagesWrapped(helpWidth))
	section("Global flags", cmd.InheritedFlags().FlagUsagesWrapped(helpWidth))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s COMMAND --help explains a command.\n", cmd.CommandPath())
	}
	_, err := io.WriteString(cmd.OutOrStderr(), b.String())
	return err
}

// examples formats the examples of a verb.
func examples(lines ...string) string { return "  ps4kit " + strings.Join(lines, "\n  ps4kit ") }

// prepare completes cmd and every verb below it. With --version they print the
// version, whatever their arguments. Verbs without Args take no arguments, verbs
// that only group others print their help, and completions has values of flags.
func prepare(p *program, cmd *cobra.Command, completions map[string]cobra.CompletionFunc) {
	if cmd.Args == nil {
		cmd.Args = noArgs
	}
	if !cmd.Runnable() {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if p.version {
			cmd.PreRunE = nil
			cmd.RunE = func(*cobra.Command, []string) error { return p.printVersion() }
			return nil
		}
		return check(cmd, args)
	}
	for flag, values := range completions {
		_ = cmd.RegisterFlagCompletionFunc(flag, values) // fails without the flag, or if the verb has its own
	}
	for _, sub := range cmd.Commands() {
		prepare(p, sub, completions)
	}
}

func (p *program) checkGlobals() error {
	if p.output != "text" && p.output != "json" {
		return fmt.Errorf("unknown output format %q: use text or json", p.output)
	}
	if p.logFormat != "" && p.logFormat != "text" && p.logFormat != "json" {
		return fmt.Errorf("unknown log format %q: use text or json", p.logFormat)
	}
	if p.logLevel != "" {
		if _, err := logrus.ParseLevel(p.logLevel); err != nil {
			return fmt.Errorf("unknown log level %q: use error, warn, info or debug", p.logLevel)
		}
	}
	return nil
}

// noArgs accepts no arguments. Its error suggests a verb if cmd groups others.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return fmt.Errorf("%s takes no arguments: %q", cmd.CommandPath(), args[0])
	}
	cmd.SuggestionsMinimumDistance = 2 // cobra's default
	likely := cmd.SuggestionsFor(args[0])
	if len(likely) == 0 {
		return fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
	}
	return fmt.Errorf("unknown command %q for %q: did you mean %s?", args[0], cmd.CommandPath(), strings.Join(likely, " or "))
}

// oneText accepts exactly one argument.
func oneText(what string) cobra.PositionalArgs { return texts(what, 1) }

// texts accepts between one and most arguments. More are probably the words of a
// name without quotes.
func texts(what string, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("missing %s: %s", what, cmd.UseLine())
		case len(args) > most:
			return fmt.Errorf("too many arguments: %s; put a name of several words in quotes", strings.Join(args[most:], " "))
		}
		return nil
	}
}

// second returns the second argument, or "".
func second(args []string) string {
	if len(args) < 2 {
		return ""
	}
	return args[1]
}
