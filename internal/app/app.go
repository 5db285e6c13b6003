// Package app runs ps4kit, as a server or for one command.
//
// Its parts are divided by job:
//
//   - registry knows which consoles exist and finds the one that a command names
//   - unit is one console: its library, its television, its HAP server
//   - homekit offers units and the companion bridge to HomeKit
//   - commands carries out what verbs and the API ask for
//   - setup links consoles and stores users, backups and passwords
//   - page adds what only the web page asks for
//   - server is the life cycle of `ps4kit serve`
//
// A command without a server composes the same parts but the last two: see
// Local. A part knows the parts it calls, and tells everyone else through
// api.Events that something has changed.
package app

import (
	"cmp"
	"context"
	"crypto/rsa"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// env is what every part uses.
type env struct {
	config    *config.Config                 // as of the start
	latest    *atomic.Pointer[config.Config] // as last reloaded or set on the page
	files     files
	log       *logrus.Logger
	events    *api.Events        // a console, a pairing or a release has changed
	simulated []*ps4test.Console // by this process
}

func newEnv(c *config.Config, store *state.Store, log *logrus.Logger, events *api.Events) env {
	f := files{store, log}
	e := env{config: f.withPage(c), latest: &atomic.Pointer[config.Config]{}, files: f, log: log, events: events}
	e.latest.Store(e.config)
	return e
}

// simulating reports whether this process simulates consoles, and so stays off
// real networks.
func (e env) simulating() bool { return len(e.simulated) > 0 }

// debugf returns a log for a part of the program.
func (e env) debugf(part string) func(string, ...any) { return e.log.WithField("part", part).Debugf }

// tasks runs goroutines until its context is done.
type tasks struct {
	ctx   context.Context
	group *errgroup.Group
}

// run starts a goroutine, which ends soon after the context.
func (t tasks) run(task func(context.Context)) {
	t.group.Go(func() error { task(t.ctx); return nil })
}

// Override is what a command line gives instead of the configuration. Zero
// fields keep the configuration's.
type Override struct {
	LocalPort  uint16     // UDP
	Bind       netip.Addr // local address
	Broadcast  []netip.AddrPort
	ConsoleKey *rsa.PublicKey // of simulated consoles
	Credential ps4.Credential
	Passcode   ps4.Passcode
}

// IsZero reports whether nothing is overridden.
func (o Override) IsZero() bool {
	return o.LocalPort == 0 && !o.Bind.IsValid() && len(o.Broadcast) == 0 && o.ConsoleKey == nil &&
		o.Credential.IsZero() && o.Passcode.IsZero()
}

// ps4Options returns the options of a console without settings of its own.
func (e env) ps4Options(over Override) ps4.Options {
	c := e.config
	o := ps4.Options{
		LocalPort:  cmp.Or(int(c.Discovery.LocalPort), ps4.AnyPort),
		Broadcast:  slices.Clone(c.Discovery.Broadcast),
		Interfaces: c.Discovery.Interfaces,
		ServerKey:  c.ConsoleKey,
		Idle:       c.Session.Idle,
		Logf:       e.debugf("ps4"),
		Warnf:      e.log.Warnf,
		Counters:   &ps4.Counters{},
	}
	if e.simulating() {
		o.LocalPort = ps4.AnyPort // leaves the port of real consoles alone
		o.Bind = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		o.Broadcast = slices.DeleteFunc(o.Broadcast, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
		for _, c := range e.simulated {
			o.Broadcast = append(o.Broadcast, c.Addr())
		}
		return o
	}
	o.LocalPort = cmp.Or(int(over.LocalPort), o.LocalPort)
	o.Bind = over.Bind
	if len(over.Broadcast) > 0 {
		o.Broadcast = slices.Clone(over.Broadcast)
	}
	for _, a := range o.Broadcast { // a PS5 doesn't listen on the port of a PS4
		if also := maybePS5(a); !slices.Contains(o.Broadcast, also) {
			o.Broadcast = append(o.Broadcast, also)
		}
	}
	o.ServerKey = cmp.Or(over.ConsoleKey, o.ServerKey)
	return o
}

// parts are the parts that a server and a command without one share.
type parts struct {
	env
	tasks
	network  *ps4.Network // the one UDP socket
	art      *art
	registry *registry
	homekit  *homekit
	setup    *setup
	commands *commands
}

// newParts composes the parts. publisher announces HAP servers; it is nil in a
// command without a server, which offers nothing to HomeKit.
func newParts(t tasks, e env, over Override, publisher hapserver.Publisher) (*parts, error) {
	installation, err := e.files.store.InstallationID()
	if err != nil {
		return nil, err
	}
	options := e.ps4Options(over)
	network, err := ps4.Listen(t.ctx, &options)
	if err != nil {
		return nil, err
	}
	users := users{e.files, over, installation}
	p := &parts{env: e, tasks: t, network: network, art: &art{}}
	p.registry = &registry{
		env: e, tasks: t, users: users, network: network, options: options, art: p.art,
		units: map[string]*unit{}, refused: map[string]error{},
	}
	p.homekit = &homekit{env: e, tasks: t, publisher: publisher, registry: p.registry}
	p.registry.homekit = p.homekit
	p.setup = &setup{env: e, users: users, registry: p.registry}
	p.commands = &commands{env: e, registry: p.registry, homekit: p.homekit, art: p.art}
	return p, nil
}

// backend joins the two parts that implement api.Backend.
type backend struct {
	*commands
	*setup
}

var _ api.Backend = backend{}

// pick returns the elements of a list that are wanted.
func pick[T any](list []T, wanted func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !wanted(v) })
}
