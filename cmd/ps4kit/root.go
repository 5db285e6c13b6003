package main

import (
	"fmt"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "ps4kit",
		Short: "PlayStation 4 consoles as televisions in Apple Home",
		Long: `ps4kit makes each PlayStation 4 of the house a television in Apple Home, and
drives consoles from the command line.

Try it with no console at all:  ps4kit serve --simulate 1`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if err := p.checkGlobals(); err != nil {
				return err
			}
			p.started = true
			return nil
		},
	}
	root.SetGlobalNormalizationFunc(dashes)
	f := root.PersistentFlags()
	f.StringVar(&p.configFile, "config", "", "configuration `FILE` (default: config.yaml in ., ~/.config/ps4kit, /etc/ps4kit)")
	f.StringVar(&p.stateDir, "state-dir", "", "`DIR` for what ps4kit remembers")
	f.StringVar(&p.logLevel, "log-level", "", "log `LEVEL`: error, warn, info or debug")
	f.StringVar(&p.logFormat, "log-format", "", "log `FORMAT`: text or json")
	f.BoolVarP(&p.debug, "debug", "v", false, "log everything (--log-level debug)")
	f.StringVarP(&p.output, "output", "o", "text", "`FORMAT` of the result: text or json")
	f.BoolVar(&p.version, "version", false, "print the version and exit")
	root.AddCommand(
		newServe(p), newSearch(p), newConsoles(p), newStatus(p), newWakeup(p), newStandby(p), newToggle(p), newStart(p),
		newRemote(p), newKeyboard(p), newInteractive(p), newTitles(p), newTitle(p), newCredential(p), newLink(p),
		newHomekit(p), newWeb(p), newSimulate(p), newDoctor(p), newConfig(p), newBackup(p), newRestore(p), newVersion(p),
	)
	root.InitDefaultCompletionCmd()
	addCompletions(p, root)
	addVersion(p, root)
	return root
}

// dashes lets flags be spelled with underscores too, as in --ip_address.
func dashes(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
}

// addVersion makes cmd and every verb below it print the version with --version,
// whatever their arguments. Verbs that only group others print their help.
func addVersion(p *program, cmd *cobra.Command) {
	if !cmd.Runnable() {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	check, run := cmd.Args, cmd.RunE
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if p.version || check == nil {
			return nil
		}
		return check(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if p.version {
			return p.printVersion()
		}
		return run(cmd, args)
	}
	for _, sub := range cmd.Commands() {
		addVersion(p, sub)
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
			return fmt.Errorf("%s is missing: %s", what, cmd.UseLine())
		case len(args) > most:
			return fmt.Errorf("too many arguments: %s; quote a text of several words", strings.Join(args[most:], " "))
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
