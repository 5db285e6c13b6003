package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/config"
)

func newConfig(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check and show the configuration",
		Example: examples("config check", "config show"),
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "check",
			Short: "Find mistakes in the configuration",
			Long: `Reads config.yaml and the PS4KIT_ variables as every other command does, and
lists all mistakes, each with its line or its variable. The exit code is 0 if
there are none, and 3 otherwise.`,
			Example: examples("config check", "config check --config new.yaml"),
			RunE:    func(*cobra.Command, []string) error { return p.configCheck() },
		},
		&cobra.Command{
			Use:   "show",
			Short: "Show every key with its value and where it was set",
			Long: `Shows every key with its value and where it was set: the default, the web page,
a line of config.yaml, a variable or a flag. Secrets are shown as [redacted].`,
			Example: examples("config show", "config show -o json"),
			RunE:    func(*cobra.Command, []string) error { return p.configShow() },
		},
	)
	return cmd
}

// checked is the output of `config check -o json` for a valid configuration.
type checked struct {
	File     string   `json:"file"`     // empty if there is none
	Searched []string `json:"searched"` // directories; empty if --config names the file
}

func (p *program) configCheck() error {
	c, err := p.configuration()
	if err != nil {
		return err
	}
	result := checked{File: c.File, Searched: []string{}}
	if p.configFile == "" {
		result.Searched = config.SearchDirs()
	}
	if c.File == "" {
		return p.report(result, "There is no config.yaml in %s.\nThe defaults and the PS4KIT_ variables apply.", strings.Join(result.Searched, ", "))
	}
	return p.report(result, "%s is good.", c.File)
}

func (p *program) configShow() error {
	c, err := p.configuration()
	if err != nil {
		return err
	}
	settings, rows := c.Settings(), [][]string{{"KEY", "VALUE", "SOURCE"}}
	for _, s := range settings {
		rows = append(rows, []string{s.Key, s.Value, s.Source})
	}
	return p.print(result{value: settings, text: table(rows)})
}
