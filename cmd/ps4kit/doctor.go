package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/doctor"
	"github.com/ps4kit/ps4kit/internal/state"
)

// doctorOptions are the flags of `ps4kit doctor`.
type doctorOptions struct {
	console consoleFlags
	noLogin bool
}

func newDoctor(p *program) *cobra.Command {
	o := &doctorOptions{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find problems and suggest fixes",
		Long: `Checks this machine, its network and the consoles, and prints the result of each
check with a suggested fix: configuration, clock, interfaces, ports, firewall,
state directory, server, consoles, credential, login, HomeKit and multicast DNS.

It logs in to each console that is on, which shows a message on its TV, unless
you pass --no-login. The exit code is 0 if no check failed, and 1 otherwise.`,
		Example: examples("doctor", "doctor --name Den --no-login"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	cmd.Flags().BoolVar(&o.noLogin, "no-login", false, "don't log in to consoles")
	return cmd
}

func (o *doctorOptions) run(ctx context.Context, p *program) error {
	if _, _, err := o.console.parse(ctx); err != nil {
		return err
	}
	dir, err := state.Find(p.stateDir)
	if err != nil {
		return err
	}
	c, configErr := p.configuration()
	if configErr != nil {
		c = config.Default()
	}
	ctx, cancel := o.console.withTimeout(ctx)
	defer cancel()
	all := []doctor.Finding{}
	var printErr error
	stop := p.progress("Examining")
	failed, err := doctor.Examine(ctx, doctor.Options{
		Config: c, ConfigErr: configErr, StateDir: dir, NoLogin: o.noLogin,
		System: doctor.ThisMachine(),
		Connect: func(ctx context.Context) (doctor.Connection, error) {
			_, client, host, release, err := o.console.connect(ctx, p)
			if err != nil {
				return doctor.Connection{}, err
			}
			return doctor.Connection{Client: client, Running: !client.IsLocal(), Host: host, Close: release}, nil
		},
		Report: func(f doctor.Finding) {
			all = append(all, f)
			if p.json() {
				return
			}
			stop()
			printErr = cmp.Or(printErr, printFinding(p.stdout, f)) // the first
			stop = p.progress("Examining")
		},
	})
	stop()
	if p.json() {
		printErr = writeJSON(p.stdout, all)
	} else if err == nil && printErr == nil {
		_, printErr = fmt.Fprintln(p.stdout, summary(all))
	}
	switch {
	case printErr != nil:
		return printErr
	case err == nil && failed:
		return exitError{code: exitRefused}
	}
	return err
}

// printFinding prints a finding in columns, with its hint below the message.
func printFinding(w io.Writer, f doctor.Finding) error {
	const indent = "                     "
	text := wrap(fmt.Sprintf("%-4s  %-13s  %s", f.Status, f.Check, strings.ReplaceAll(f.Message, "\n", "; ")), indent)
	if f.Hint != "" {
		text += "\n" + wrap(indent+f.Hint, indent)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// summary returns the last line of the examination.
func summary(all []doctor.Finding) string {
	count := map[doctor.Status]int{}
	for _, f := range all {
		count[f.Status]++
	}
	if count[doctor.OK] == len(all) {
		return fmt.Sprintf("\nAll %d checks passed.", len(all))
	}
	return fmt.Sprintf("\n%d checks: %d passed, %d warned, %d failed.", len(all), count[doctor.OK], count[doctor.Warn], count[doctor.Fail])
}
