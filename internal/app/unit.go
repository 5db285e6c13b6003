package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	hapmodel "github.com/brutella/hap/accessory"
	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// unit is one console: the television that drives it, and the HAP server that offers
// it to HomeKit.
type unit struct {
	known
	console   *ps4.Console
	network   ps4.Counters // of console
	tv        *accessory.Television
	store     *homekitStore
	hap       *hapserver.Server // nil: not offered to HomeKit
	port      uint16            // 0: none was chosen yet
	bind      netip.Addr
	listening atomic.Bool
	made      time.Time
	accepted  atomic.Bool // by the owner, see gate
	isAdded   atomic.Bool // known.added, as of now
	started   sync.Once   // of the television, where it runs without a HAP server

	life context.Context // of what runs below
	stop context.CancelFunc
	runs sync.WaitGroup
}

// startUnit makes a console's unit and runs it; it returns nil if that fails, and
// logs why.
func (s *server) startUnit(ctx context.Context, k known) *unit {
	log := s.Log.WithFields(logrus.Fields{"console": k.name, "host_id": k.hostID})
	u, ln, err := s.offeredUnit(ctx, k)
	if err != nil {
		log.WithError(err).Error("this console is not offered to HomeKit")
		s.refuse(k.hostID, err)
		return nil
	}
	s.add(u)
	s.consolesChanged()
	log.WithFields(logrus.Fields{"address": FormatAddress(k.addr), "port": u.port}).Info("console added")
	s.runUnit(u, func(ctx context.Context) {
		if err := u.run(ctx, ln); err != nil {
			log.WithError(err).Error("this console is no longer offered to HomeKit")
		}
	})
	return u
}

// runUnit runs a part of a unit until the unit or the server is stopped.
func (s *server) runUnit(u *unit, run func(context.Context)) {
	u.runs.Add(1)
	s.group.Go(func() error {
		defer u.runs.Done()
		run(u.life)
		return nil
	})
}

func (s *server) offeredUnit(ctx context.Context, k known) (*unit, net.Listener, error) {
	u, err := s.newUnit(k)
	if err != nil {
		return nil, nil, err
	}
	if err := s.offer(u); err != nil {
		return nil, nil, err
	}
	ln, err := s.listenUnit(ctx, u)
	return u, ln, err
}

// newUnit makes a console's unit, without a HAP server; it does no network I/O.
func (s *server) newUnit(k known) (*unit, error) {
	u := &unit{known: k, bind: s.Config.HomeKit.Bind, made: time.Now()}
	u.life, u.stop = context.WithCancel(s.life)
	u.accepted.Store(!k.stranger)
	u.isAdded.Store(k.added)
	var err error
	if u.console, err = s.newConsole(k, &u.network); err != nil {
		return nil, err
	}
	if u.tv, err = s.newTelevision(u, gate{accessory.NewConsole(u.console), u}); err != nil {
		return nil, err
	}
	u.store, err = s.files.homekit(k.hostID)
	return u, err
}

// offer makes the HAP server of a unit; it makes an identity for a console that has
// none yet, and does no network I/O.
func (s *server) offer(u *unit) error {
	hap, err := hapserver.New(&hapserver.Options{
		Name:        u.tv.Accessory().Name(),
		Accessories: []*hapmodel.A{u.tv.Accessory()},
		Category:    categoryNumber(u.config.Category),
		SetupCode:   u.config.SetupCode.Reveal(),
		Store:       u.store,
		Log:         s.Log.WithField("console", u.name),
		Publisher:   s.mdns,
		Strangers:   &s.strangers,
		OnChange:    func() { s.tellPage() },
	})
	if err != nil {
		return fmt.Errorf("HomeKit server: %w", err)
	}
	if u.port, err = u.store.port(); err != nil {
		return err
	}
	u.tv.Attach(hap)
	u.hap = hap
	return nil
}

// listenUnit listens on the port that the console had before, or on its first one,
// and remembers it.
func (s *server) listenUnit(ctx context.Context, u *unit) (net.Listener, error) {
	fixed := s.Config.HomeKit.Port != 0
	if fixed {
		u.port = s.fixedPort(u.port)
	}
	ln, err := listenHAP(ctx, u.bind, u.port, fixed)
	if err != nil {
		return nil, err
	}
	u.port = portOf(ln)
	if err := u.store.setPort(u.port); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	u.listening.Store(true)
	return ln, nil
}

// fixedPort returns the port of a console when homekit.port is set: consoles take
// that one and those after it. One keeps the port that it had, if it is still one of
// these.
func (s *server) fixedPort(remembered uint16) uint16 {
	first := s.Config.HomeKit.Port
	taken := map[uint16]bool{}
	for _, u := range s.list() {
		taken[u.port] = true
	}
	if c := s.companion.Load(); c != nil {
		taken[c.port] = true
	}
	if remembered >= first && int(remembered) < int(first)+maxConsoles && !taken[remembered] {
		return remembered
	}
	port := first
	for taken[port] {
		port++
	}
	return port
}

func (s *server) newTelevision(u *unit, console accessory.Console) (*accessory.Television, error) {
	k := u.known
	inputs, err := s.files.inputs(k.hostID)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	cfg := accessory.Config{
		HostID:    k.hostID,
		Name:      k.name,
		Last:      ps4.Status{HostType: k.hostType, HostName: k.hostName, SystemVersion: k.firmware},
		Category:  categoryNumber(k.config.Category),
		Titles:    titlesOf(k),
		Remote:    accessory.Remote(k.config.Remote),
		Slots:     s.Config.HomeKit.Slots,
		Poll:      s.Config.Poll.Interval,
		Misses:    s.Config.Poll.Misses,
		Store:     keptStore{inputs, u},
		TitleName: s.titleName,
		OnChange:  func() { s.consoleChanged(k.hostID) },
		Log:       s.Log.WithField("console", k.name),

		PreferTitleName: s.Config.Art.Language != "",
	}
	tv, err := accessory.New(cfg, console)
	if errors.Is(err, state.ErrDamaged) { // and set aside by now: the next try begins anew
		s.Log.WithFields(logrus.Fields{"console": k.name, "host_id": k.hostID}).WithError(err).Error("the inputs of this console begin anew")
		tv, err = accessory.New(cfg, console)
	}
	if err != nil {
		return nil, fmt.Errorf("television: %w", err)
	}
	return tv, nil
}

// keptStore saves the inputs of a console that the owner has accepted or that
// HomeKit has. Another one leaves nothing behind.
type keptStore struct {
	accessory.Store
	unit *unit
}

func (s keptStore) Save(inputs accessory.Saved) error {
	if !s.unit.accepted.Load() && s.unit.hap == nil {
		return nil
	}
	return s.Store.Save(inputs)
}

func (s *server) newConsole(k known, counters *ps4.Counters) (*ps4.Console, error) {
	o := s.ps4Options()
	o.Counters = counters
	o.SwitchUser = k.config.SwitchUser
	if k.simulated != nil {
		o.ServerKey = k.simulated.PublicKey()
	}
	console := s.network.ConsoleWith(k.addr, ps4.Credential{}, &o)
	console.SetHostID(k.hostID)
	console.SetRested(s.files.restedAt(k.hostID))
	if k.stranger {
		return console, nil // it gets no credential, see gate
	}
	user, err := s.user(k)
	if err != nil {
		return nil, err
	}
	console.SetUser(user)
	return console, nil
}

func titlesOf(k known) []accessory.Title {
	var titles []accessory.Title
	for _, t := range k.config.Titles {
		titles = append(titles, accessory.Title{ID: t.ID, Name: t.Name, Pin: t.Pin, Remote: t.Remote.Keys})
	}
	if k.simulated != nil {
		for _, t := range simulatedTitles() {
			titles = append(titles, accessory.Title{ID: t.ID, Name: t.Name})
		}
	}
	return titles
}

// categoryNumber is the HomeKit category, which chooses the icon (docs/homekit.md §1).
func categoryNumber(name string) uint8 {
	switch name {
	case config.CategorySetTopBox:
		return 35
	case config.CategoryStick:
		return 36
	}
	return 31
}

// run serves the console until ctx is done or one of its two halves fails.
func (u *unit) run(ctx context.Context, ln net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	defer u.listening.Store(false)
	g.Go(func() error { return u.tv.Run(ctx) })
	g.Go(func() error { return u.hap.Serve(ctx, ln) })
	return g.Wait()
}

func (u *unit) unready() string {
	if u.hap != nil && !u.listening.Load() {
		return "its HomeKit server does not listen"
	}
	return ""
}
