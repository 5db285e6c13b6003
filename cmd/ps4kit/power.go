package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Results of wakeup, standby and toggle.
var (
	isOn   = done{Done: "awake", text: "The console is on."}
	woken  = done{Done: "wakeup", text: "A wake-up call was sent."}
	rested = done{Done: "standby", text: "The console is in rest mode."}
)

func newWakeup(p *program) *cobra.Command {
	f, wait := &consoleFlags{}, false
	cmd := f.command(p, &cobra.Command{
		Use:   "wakeup",
		Short: "Turn a console on",
		Long: `Turns on a console that is in rest mode. The console never answers a wake-up
call: without --wait this says only that one was sent. A running server repeats
it for a minute.

A console that has just gone into rest mode hears nothing for about a minute.`,
		Args: noArgs,
	}, "Waking the console", func(ctx context.Context, b api.Backend, host string, _ []string) (done, error) {
		c, err := answering(ctx, b, host)
		if err != nil {
			return done{}, err
		}
		// A console that is on may be entering rest mode: wait for that, too.
		if wait || c.State == api.StateAwake {
			return isOn, b.Wake(ctx, host, true)
		}
		return woken, b.Wake(ctx, host, false)
	})
	cmd.Flags().BoolVarP(&wait, "wait", "w", false, "wait until the console is on")
	return cmd
}

func newStandby(p *program) *cobra.Command {
	return new(consoleFlags).command(p, &cobra.Command{
		Use:   "standby",
		Short: "Put a console into rest mode",
		Args:  noArgs,
	}, "Putting the console into rest mode", func(ctx context.Context, b api.Backend, host string, _ []string) (done, error) {
		return rested, b.Standby(ctx, host)
	})
}

func newToggle(p *program) *cobra.Command {
	return new(consoleFlags).command(p, &cobra.Command{
		Use:   "toggle",
		Short: "Turn a console on, or put it into rest mode",
		Long: `Sends a wake-up call to a console in rest mode, as "wakeup" does, and puts one
that is on into rest mode, as "standby" does. It says which of the two it did.`,
		Args: noArgs,
	}, "Toggling the console", func(ctx context.Context, b api.Backend, host string, _ []string) (done, error) {
		c, err := answering(ctx, b, host)
		switch {
		case err != nil:
			return done{}, err
		case c.State == api.StateAwake:
			return rested, b.Standby(ctx, host)
		}
		return woken, b.Wake(ctx, host, false)
	})
}

// answering returns the state of a console, or an error if it does not answer.
func answering(ctx context.Context, b api.Backend, host string) (api.Console, error) {
	c, err := b.Status(ctx, host)
	if err == nil && c.State == api.StateUnreachable {
		err = notAnswering(c)
	}
	return c, err
}
