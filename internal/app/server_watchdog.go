package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/ps4kit/ps4kit/internal/api"
)

// notifyReady tells systemd, if it started this process, that the server is up.
func notifyReady() { _, _ = daemon.SdNotify(false, daemon.SdNotifyReady) }

func notifyStopping() { _, _ = daemon.SdNotify(false, daemon.SdNotifyStopping) }

// feedWatchdog tells systemd's watchdog, if there is one, that the server works; one
// that hangs is not fed, and restarted.
func (s *server) feedWatchdog(ctx context.Context) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return
	}
	w := watchdog{
		interval: interval,
		check:    s.alive,
		feed:     func() { _, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog) },
		hungry:   func(err error) { s.Log.WithError(err).Error("the server hangs; the watchdog is not fed") },
	}
	w.run(ctx)
}

// watchdog feeds while a check succeeds.
type watchdog struct {
	interval time.Duration // within which it must be fed
	check    func(context.Context) error
	feed     func()
	hungry   func(error)
}

// run checks four times in the interval, so that one check may fail, until ctx is
// done. A check that does not return feeds nothing either.
func (w *watchdog) run(ctx context.Context) {
	for pause(ctx, w.interval/4) {
		bounded, cancel := context.WithTimeout(ctx, w.interval/4)
		err := w.check(bounded)
		cancel()
		switch {
		case err == nil:
			w.feed()
		case ctx.Err() == nil:
			w.hungry(err)
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
