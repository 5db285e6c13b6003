package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/doctor"
	"github.com/ps4kit/ps4kit/internal/phone"
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
check with a suggested fix: configuration, clock, interfaces, ports, firewall, state
directory, server, consoles, credential, login, HomeKit and multicast DNS.

It logs in to each console that is on, which shows a message on its TV, unless you
pass --no-login. The exit code is 0 if no check failed, and 1 otherwise.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	cmd.Flags().BoolVar(&o.noLogin, "no-login", false, "don't log in to consoles")
	return cmd
}

func (o *doctorOptions) run(ctx context.Context, p *program) error {
	if _, _, err := o.console.parse(); err != nil {
		return usageError(err)
	}
	dir, err := p.stateDirectory()
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
		Connect: func(ctx context.Context) (doctor.Connection, error) { return o.connect(ctx, p) },
		System:  doctor.ThisMachine(phone.Holder),
		Report: func(f doctor.Finding) {
			all = append(all, f)
			if p.json() {
				return
			}
			stop()
			line := fmt.Sprintf("%-4s  %-13s  %s", f.Status, f.Check, f.Message)
			if f.Hint != "" {
				line += ". " + f.Hint
			}
			if _, err := fmt.Fprintln(p.stdout, strings.ReplaceAll(line, "\n", "; ")); err != nil {
				printErr = err
			}
			stop = p.progress("Examining")
		},
	})
	stop()
	if p.json() {
		printErr = p.printJSON(all)
	}
	switch {
	case printErr != nil:
		return printErr
	case err == nil && failed:
		return exitError{code: exitRefused}
	}
	return err
}

func (o *doctorOptions) connect(ctx context.Context, p *program) (doctor.Connection, error) {
	_, b, host, done, err := o.console.connect(ctx, p)
	if err != nil {
		return doctor.Connection{}, err
	}
	return doctor.Connection{Backend: b, Running: !b.IsLocal(), Host: host, Close: done}, nil
}
