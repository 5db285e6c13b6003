package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/config"
)

func newConfig(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check and show the configuration",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "check",
			Short: "Say what is wrong with the configuration",
			Long: `Reads config.yaml and the PS4KIT_ variables as every other command does, and says
all that is wrong with them, each with its line. The exit code is 0 when nothing
is, and 3 otherwise.`,
			Args: noArgs,
			RunE: func(*cobra.Command, []string) error { return p.configCheck() },
		},
		&cobra.Command{
			Use:   "show",
			Short: "Show every key with its value and where that comes from",
			Long: `Shows every key with the value that holds and where that comes from: the default,
a line of config.yaml, a variable or a flag. Secrets are shown as [redacted].`,
			Args: noArgs,
			RunE: func(*cobra.Command, []string) error { return p.configShow() },
		},
	)
	return cmd
}

// checked is what `config check -o json` prints of a good configuration.
type checked struct {
	File     string   `json:"file"`     // empty: there is none
	Searched []string `json:"searched"` // directories, when no file was named
}

func (p *program) configCheck() error {
	c, err := p.configuration()
	if err != nil {
		return err
	}
	result := checked{File: c.File, Searched: []string{}}
	if p.configFile == "" {
		result.Searched = config.SearchDirs(nil)
	}
	if c.File == "" {
		return p.report(result, "There is no config.yaml in %s: the defaults and the PS4KIT_ variables hold.", strings.Join(result.Searched, ", "))
	}
	return p.report(result, "%s is good.", c.File)
}

// setting is a key as `config show -o json` prints it.
type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`  // a list as ["a", "b"], a secret as [redacted]
	Source string `json:"source"` // default, FILE:LINE, a variable or a flag
	Env    string `json:"env"`    // the variable that sets it; empty for what is inside a list
}

func (p *program) configShow() error {
	c, err := p.configuration()
	if err != nil {
		return err
	}
	settings := p.settings(c)
	if p.json() {
		return p.printJSON(settings)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "KEY\tVALUE\tSOURCE")
	for _, s := range settings {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", s.Key, s.Value, s.Source)
	}
	return w.Flush()
}

// settings lists the configuration, the global flags laid over it.
func (p *program) settings(c *config.Config) []setting {
	var list []setting
	for _, s := range c.Settings() {
		shown := setting(s)
		switch {
		case s.Key == "log.level" && p.debug:
			shown.Value, shown.Source = c.Log.Level, "--debug"
		case s.Key == "log.level" && p.logLevel != "":
			shown.Value, shown.Source = c.Log.Level, "--log-level"
		case s.Key == "log.format" && p.logFormat != "":
			shown.Value, shown.Source = c.Log.Format, "--log-format"
		}
		list = append(list, shown)
	}
	return list
}
