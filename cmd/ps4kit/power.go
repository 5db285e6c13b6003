package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Results of wakeup, standby and toggle.
var (
	isOn   = did(done{Done: "awake"}, "The console is on.")
	woken  = did(done{Done: "wakeup"}, "A wake-up call was sent.")
	rested = did(done{Done: "standby"}, "The console is in rest mode.")
)

func newWakeup(p *program) *cobra.Command {
	f, wait := &consoleFlags{}, false
	cmd := f.add(p.verb(&cobra.Command{
		Use:     "wakeup",
		Aliases: []string{"on", "wake"},
		Short:   "Turn a console on",
		Long: `Turns on a console that is in rest mode. A console never answers a wake-up call:
without --wait the command ends once one is sent. A running server repeats it
for a minute.

A console that has just entered rest mode ignores wake-up calls for about a
minute.`,
		Example: examples("wakeup", "on --wait", "wakeup --name Den"),
	}, f, "Waking the console", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		c, err := answering(ctx, client, host)
		if err != nil {
			return result{}, err
		}
		// A console that is on may be entering rest mode: wait for that, too.
		if wait || c.State == api.StateAwake {
			return isOn, api.Power.Do(ctx, client, api.PowerRequest{Host: host, State: api.StateAwake, Wait: true})
		}
		return woken, api.Power.Do(ctx, client, api.PowerRequest{Host: host, State: api.StateAwake})
	}))
	cmd.Flags().BoolVarP(&wait, "wait", "w", false, "wait until the console is on")
	return cmd
}

func newStandby(p *program) *cobra.Command {
	f := &consoleFlags{}
	return f.add(p.verb(&cobra.Command{
		Use:     "standby",
		Aliases: []string{"off"},
		Short:   "Put a console into rest mode",
		Example: examples("standby", "off --name Den"),
	}, f, "Putting the console into rest mode", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		return rested, api.Power.Do(ctx, client, api.PowerRequest{Host: host, State: api.StateStandby})
	}))
}

func newToggle(p *program) *cobra.Command {
	f := &consoleFlags{}
	return f.add(p.verb(&cobra.Command{
		Use:   "toggle",
		Short: "Turn a console on, or put it into rest mode",
		Long: `Wakes a console in rest mode, as "wakeup" does, or puts one that is on into rest
mode, as "standby" does, and reports which.`,
		Example: examples("toggle", "toggle --name Den"),
	}, f, "Toggling the console", func(ctx context.Context, client *api.Client, host string, _ []string) (result, error) {
		c, err := answering(ctx, client, host)
		switch {
		case err != nil:
			return result{}, err
		case c.State == api.StateAwake:
			return rested, api.Power.Do(ctx, client, api.PowerRequest{Host: host, State: api.StateStandby})
		}
		return woken, api.Power.Do(ctx, client, api.PowerRequest{Host: host, State: api.StateAwake})
	}))
}
