package app

import (
	"context"
	"errors"
	"strings"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
)

// Local carries out the commands of the owner in this process, for a verb that
// found no server. It works on the state directory, drives the consoles itself,
// and offers nothing to HomeKit.
type Local struct {
	*api.Client
	*parts
	cancel context.CancelFunc
}

// Stopped returns a Local on an open state, which the caller closes after it.
func Stopped(c *config.Config, store *state.Store, log *logrus.Logger, o Override) (*Local, error) {
	ctx, cancel := context.WithCancel(context.Background())
	group, ctx := errgroup.WithContext(ctx)
	p, err := newParts(tasks{ctx, group}, newEnv(c, store, log, api.NewEvents(ctx, nil)), o, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	l := &Local{parts: p, cancel: cancel}
	p.openArt(true)
	for _, k := range p.registry.known() {
		if _, err := p.registry.place(k, false); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	l.Client = api.Local(api.Services{Backend: localBackend{backend{p.commands, p.setup}}, Explain: Explain})
	return l, nil
}

// Close closes open sessions and waits for everything that the commands began.
func (l *Local) Close() error {
	l.cancel()
	return errors.Join(l.group.Wait(), l.network.Close())
}

// localBackend makes HAP servers when a command asks about them, without
// serving them.
type localBackend struct{ backend }

// Homekit lists what a server would serve, and what one served before. A
// configured console that was never served gets its setup code now.
func (l localBackend) Homekit(ctx context.Context, _ api.None) ([]api.Accessory, error) {
	if err := l.offerCompanion(); err != nil {
		return nil, err
	}
	if err := l.addServed(); err != nil {
		return nil, err
	}
	for _, u := range l.commands.registry.list() {
		if err := l.homekit.offer(u); err != nil {
			return nil, err
		}
	}
	return l.backend.Homekit(ctx, api.None{})
}

func (l localBackend) ResetHomekit(ctx context.Context, in api.HostRequest) error {
	if strings.EqualFold(in.Host, state.Companion) {
		if mended, err := l.homekit.mend(state.Companion); mended || err != nil {
			return err
		}
		if err := l.offerCompanion(); err != nil {
			return err
		}
		return l.homekit.resetCompanion()
	}
	if err := l.addServed(); err != nil {
		return err
	}
	u, err := l.commands.registry.find(ctx, in.Host)
	if err != nil {
		return err
	}
	if mended, err := l.homekit.mend(u.hostID); mended || err != nil {
		return err
	}
	if err := l.homekit.offer(u); err != nil {
		return err
	}
	return u.hap.Unpair()
}

// addServed adds units of the consoles that a server served before.
func (l localBackend) addServed() error {
	r := l.commands.registry
	hosts, err := r.files.store.HomeKitHosts()
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if r.unit(host) != nil {
			continue
		}
		if _, err := r.place(known{hostID: host, name: simulatedName(host), standing: added}, false); err != nil {
			return err
		}
	}
	return nil
}

// offerCompanion makes the companion bridge if it is enabled. It comes before
// addServed: the bridge is for the consoles that a server would serve.
func (l localBackend) offerCompanion() error {
	h := l.homekit
	if !h.config.Companion.Enabled || h.companion.Load() != nil {
		return nil
	}
	c, err := h.makeCompanion(h.registry.list())
	if err == nil {
		h.companion.Store(c)
	}
	return err
}
