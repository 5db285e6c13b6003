package app

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"net/netip"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// Local is a Backend for one command when no server runs. It works on the state
// directory, which is open and so locked, and drives the consoles that the command
// names by itself; HomeKit gets nothing of it.
type Local struct {
	*server
	cancel context.CancelFunc
}

// Override is what a command line says instead of the configuration; zero fields say
// nothing.
type Override struct {
	LocalPort  uint16     // UDP
	Bind       netip.Addr // local address
	Broadcast  []netip.AddrPort
	ConsoleKey *rsa.PublicKey // of simulated consoles
	Credential ps4.Credential
	Passcode   ps4.Passcode
}

// IsZero says whether the command line says nothing.
func (o Override) IsZero() bool {
	return o.LocalPort == 0 && !o.Bind.IsValid() && len(o.Broadcast) == 0 && o.ConsoleKey == nil &&
		o.Credential.IsZero() && o.Passcode.IsZero()
}

// apply lays the override over the options of a console.
func (o Override) apply(to *ps4.Options) {
	to.LocalPort = cmp.Or(int(o.LocalPort), to.LocalPort)
	to.Bind = o.Bind
	if len(o.Broadcast) > 0 {
		to.Broadcast = o.Broadcast
	}
	if o.ConsoleKey != nil {
		to.ServerKey = o.ConsoleKey
	}
}

// Stopped returns a Local; Close ends it.
func Stopped(c *config.Config, store *state.Store, log *logrus.Logger, o Override) (*Local, error) {
	s := newServer(Options{Config: c, State: store, Log: log})
	s.override, s.alone = o, true
	var err error
	if s.installation, err = s.State.InstallationID(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.listenUDP(ctx); err != nil {
		cancel()
		return nil, err
	}
	s.group, s.life = errgroup.WithContext(ctx)
	s.openArt()
	for _, k := range s.knownConsoles(nil) {
		u, err := s.newUnit(k)
		if err != nil {
			cancel()
			return nil, err
		}
		s.add(u)
	}
	return &Local{s, cancel}, nil
}

// Close ends what the command began, closing open sessions, and waits for it.
func (l *Local) Close() error {
	l.cancel()
	return errors.Join(l.group.Wait(), l.network.Close())
}

// Homekit implements api.Backend: it lists what a server would serve, and what one
// served before. A configured console that was never served gets its setup code now.
func (l *Local) Homekit(ctx context.Context) ([]api.Accessory, error) {
	if err := l.offerCompanion(); err != nil {
		return nil, err
	}
	if err := l.addServed(); err != nil {
		return nil, err
	}
	for _, u := range l.list() {
		if err := l.offer(u); err != nil {
			return nil, err
		}
	}
	return l.server.Homekit(ctx)
}

// addServed adds units of the consoles that a server served before.
func (l *Local) addServed() error {
	hosts, err := l.State.HomeKitHosts()
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if l.unit(host) != nil {
			continue
		}
		u, err := l.newUnit(known{hostID: host, name: simulatedName(host)})
		if err != nil {
			return err
		}
		l.add(u)
	}
	return nil
}

// offerCompanion makes the companion bridge, if it is wanted. It comes before
// addServed: the bridge is for the consoles that a server would serve.
func (l *Local) offerCompanion() error {
	if !l.Config.Companion.Enabled || l.companion.Load() != nil {
		return nil
	}
	c, err := l.makeCompanion()
	if err == nil {
		l.companion.Store(c)
	}
	return err
}
