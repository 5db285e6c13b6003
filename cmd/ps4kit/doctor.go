package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
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
	if err := o.console.check(); err != nil {
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
	if o.console.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.console.timeout, &api.Error{
			Code: "unreachable", Message: fmt.Sprintf("not done after %v", o.console.timeout), Hint: "Give it more time with --timeout.",
		})
		defer cancel()
	}
	out := newFindings(p)
	failed, err := doctor.Examine(ctx, doctor.Options{
		Config: c, ConfigErr: configErr, StateDir: dir, NoLogin: o.noLogin,
		Connect: func(ctx context.Context) (doctor.Connection, error) { return o.connect(ctx, p) },
		System:  doctor.ThisMachine(phone.Holder),
		Report:  out.add,
	})
	if err := out.end(); err != nil {
		return err
	}
	if err == nil && failed {
		return exitError{code: exitRefused}
	}
	return err
}

// check validates the flags.
func (f *consoleFlags) check() error {
	if _, err := f.host(); err != nil {
		return err
	}
	_, err := f.override()
	return err
}

func (o *doctorOptions) connect(ctx context.Context, p *program) (doctor.Connection, error) {
	_, b, host, done, err := o.console.connect(ctx, p)
	if err != nil {
		return doctor.Connection{}, err
	}
	return doctor.Connection{Backend: b, Running: !b.IsLocal(), Host: host, Close: done}, nil
}

// findings prints findings one by one, or all at the end as JSON.
type findings struct {
	p    *program
	all  []doctor.Finding
	stop func() // ends the progress line
	err  error  // of printing
}

func newFindings(p *program) *findings {
	f := &findings{p: p, all: []doctor.Finding{}}
	f.wait()
	return f
}

func (f *findings) wait() { f.stop = f.p.progress("Examining") }

func (f *findings) add(found doctor.Finding) {
	f.stop()
	defer f.wait()
	if f.p.json() {
		f.all = append(f.all, found)
		return
	}
	line := fmt.Sprintf("%-4s  %-13s  %s", found.Status, found.Check, found.Message)
	if found.Hint != "" {
		line += ". " + found.Hint
	}
	if _, err := fmt.Fprintln(f.p.stdout, strings.ReplaceAll(line, "\n", "; ")); err != nil {
		f.err = err
	}
}

func (f *findings) end() error {
	f.stop()
	if f.p.json() {
		return f.p.printJSON(f.all)
	}
	return f.err
}
