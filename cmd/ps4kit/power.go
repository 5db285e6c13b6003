package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// wakeupOptions are the flags of `ps4kit wakeup`.
type wakeupOptions struct {
	console consoleFlags
	wait    bool
}

func newWakeup(p *program) *cobra.Command {
	o := &wakeupOptions{}
	cmd := &cobra.Command{
		Use:   "wakeup",
		Short: "Turn a console on",
		Long: `Turns a console on that is in rest mode. The console never answers a wake-up
call: without --wait this says only that one was sent. A running server repeats
it for a minute.

A console that has just gone into rest mode hears nothing for about a minute.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	cmd.Flags().BoolVarP(&o.wait, "wait", "w", false, "wait until the console is on")
	return cmd
}

func (o *wakeupOptions) run(ctx context.Context, p *program) error {
	var on bool
	err := p.onConsole(ctx, &o.console, "Waking the console", func(ctx context.Context, b api.Backend, host string) error {
		was, err := answering(ctx, b, host)
		if err != nil {
			return err
		}
		on = o.wait || was.State == api.StateAwake // it may say so on its way into rest mode; then it is waited for
		return b.Wake(ctx, host, on)
	})
	switch {
	case err != nil:
		return err
	case on:
		return p.report(done{Done: "awake"}, "The console is on.")
	}
	return p.reportWakeup()
}

// answering asks a console for its state. One that does not answer, or is no PS4, is
// an error.
func answering(ctx context.Context, b api.Backend, host string) (api.Console, error) {
	c, err := b.Status(ctx, host)
	switch {
	case err != nil:
		return c, err
	case c.State == api.StateUnreachable:
		return c, notAnswering(c)
	case c.HostType != ps4.TypePS4:
		return c, ps4.ErrUnsupported
	}
	return c, nil
}

func (p *program) reportWakeup() error {
	return p.report(done{Done: "wakeup"}, "A wake-up call was sent.")
}

// standbyOptions are the flags of `ps4kit standby`.
type standbyOptions struct{ console consoleFlags }

func newStandby(p *program) *cobra.Command {
	o := &standbyOptions{}
	cmd := &cobra.Command{
		Use:   "standby",
		Short: "Put a console into rest mode",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *standbyOptions) run(ctx context.Context, p *program) error {
	err := p.onConsole(ctx, &o.console, "Putting the console into rest mode",
		func(ctx context.Context, b api.Backend, host string) error { return b.Standby(ctx, host) })
	if err != nil {
		return err
	}
	return p.reportStandby()
}

func (p *program) reportStandby() error {
	return p.report(done{Done: "standby"}, "The console is in rest mode.")
}

// toggleOptions are the flags of `ps4kit toggle`.
type toggleOptions struct{ console consoleFlags }

func newToggle(p *program) *cobra.Command {
	o := &toggleOptions{}
	cmd := &cobra.Command{
		Use:   "toggle",
		Short: "Turn a console on, or put it into rest mode",
		Long: `Sends a wake-up call to a console in rest mode, as "wakeup" does, and puts one
that is on into rest mode, as "standby" does. It says which of the two it did.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	o.console.add(cmd)
	return cmd
}

func (o *toggleOptions) run(ctx context.Context, p *program) error {
	var was api.Console
	err := p.onConsole(ctx, &o.console, "Toggling the console", func(ctx context.Context, b api.Backend, host string) (err error) {
		was, err = answering(ctx, b, host)
		if err != nil {
			return err
		}
		if was.State == api.StateAwake {
			return b.Standby(ctx, host)
		}
		return b.Wake(ctx, host, false)
	})
	switch {
	case err != nil:
		return err
	case was.State == api.StateAwake:
		return p.reportStandby()
	}
	return p.reportWakeup()
}
