package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/ps4kit/ps4kit/internal/api"
)

// notify tells systemd the state of the server, if systemd started this process.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// feedWatchdog tells systemd's watchdog, if there is one, that the server works; one
// that hangs is not fed, and restarted.
func (s *server) feedWatchdog(ctx context.Context) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return
	}
	watch(ctx, interval, s.alive, func(err error) {
		if err != nil {
			s.Log.WithError(err).Error("the server hangs; the watchdog is not fed")
			return
		}
		notify(daemon.SdNotifyWatchdog)
	})
}

// watch calls check four times in the interval, so that one check may fail, and
// report with each result, until ctx is done.
func watch(ctx context.Context, interval time.Duration, check func(context.Context) error, report func(error)) {
	for pause(ctx, interval/4) {
		bounded, cancel := context.WithTimeout(ctx, interval/4)
		err := check(bounded)
		cancel()
		if err == nil || ctx.Err() == nil {
			report(err)
		}
	}
}

// alive asks the server's own socket for what HomeKit has, which takes every lock
// on the way, and looks whether the loops of the consoles turn.
func (s *server) alive(ctx context.Context) error {
	client, err := api.Connect(ctx, SocketPath(s.State.Dir()))
	if err != nil {
		return err
	}
	if _, err := api.Homekit.Do(ctx, client, api.None{}); err != nil {
		return err
	}
	var hung []error
	for _, u := range s.registry.list() {
		if loop := u.tv.Hung(); loop != "" {
			hung = append(hung, fmt.Errorf("%s: its loop for %s hangs", u.hostID, loop))
		}
	}
	return errors.Join(hung...)
}
