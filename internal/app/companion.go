package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
)

// companion is the bridge for automations (docs/homekit.md §1), off unless the
// configuration turns it on. What is on a bridge cannot change while it is served: when
// a console comes that it does not carry, it is made and served anew, and controllers
// read it again because c# has grown.
type companion struct {
	*accessory.Companion
	hap         *hapserver.Server
	store       *homekitStore
	televisions []*accessory.Television
	port        uint16 // 0: none was chosen yet
	listening   atomic.Bool
}

const categoryBridge = 2

// makeCompanion makes the bridge for the consoles of now, and does no network I/O.
func (s *server) makeCompanion() (*companion, error) {
	televisions := s.bridged()
	log := s.Log.WithField("console", state.Companion)
	bridge, err := accessory.NewCompanion(accessory.CompanionConfig{
		Televisions: televisions, Titles: s.Config.Companion.Titles, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("companion bridge: %w", err)
	}
	c := &companion{Companion: bridge, televisions: televisions}
	if c.store, err = s.files.homekit(state.Companion); err != nil {
		return nil, err
	}
	c.hap, err = hapserver.New(&hapserver.Options{
		Name: bridge.Name(), Accessories: bridge.Accessories(), Category: categoryBridge,
		SetupCode: s.Config.Companion.SetupCode.Reveal(), Store: c.store, Log: log, Publisher: s.mdns, Strangers: &s.strangers,
		OnChange: func() { s.tellPage() },
	})
	if err != nil {
		return nil, fmt.Errorf("HomeKit server: %w", err)
	}
	if c.port, err = c.store.port(); err != nil {
		return nil, err
	}
	bridge.Attach(c.hap)
	return c, nil
}

// bridged lists the consoles that the bridge is for: those that HomeKit has.
func (s *server) bridged() []*accessory.Television {
	var list []*accessory.Television
	for _, u := range s.list() {
		if u.hap != nil || s.alone {
			list = append(list, u.tv)
		}
	}
	return list
}

// startCompanion serves the bridge, if it is wanted. A bridge that cannot be served is
// logged, and the televisions go on.
func (s *server) startCompanion(ctx context.Context) {
	if !s.Config.Companion.Enabled {
		return
	}
	c, ln, err := s.listenCompanion(ctx)
	if err != nil {
		s.Log.WithError(err).Error("the companion bridge is not offered to HomeKit")
		return
	}
	s.group.Go(func() error { s.runCompanion(ctx, c, ln); return nil })
}

func (s *server) listenCompanion(ctx context.Context) (*companion, net.Listener, error) {
	c, err := s.makeCompanion()
	if err != nil {
		return nil, nil, err
	}
	fixed := s.Config.HomeKit.Port != 0
	if fixed {
		c.port = s.fixedPort(c.port)
	}
	ln, err := listenHAP(ctx, s.Config.HomeKit.Bind, c.port, fixed)
	if err != nil {
		return nil, nil, err
	}
	c.port = portOf(ln)
	if err := c.store.setPort(c.port); err != nil {
		return nil, nil, errors.Join(err, ln.Close())
	}
	c.listening.Store(true)
	s.companion.Store(c)
	s.tellPage()
	for _, u := range s.list() {
		c.Changed(u.hostID) // what changed before the bridge was told of changes
	}
	return c, ln, nil
}

// runCompanion serves the bridge until ctx is done, anew whenever a console has come.
func (s *server) runCompanion(ctx context.Context, c *companion, ln net.Listener) {
	for {
		err := s.serveCompanion(ctx, c, ln)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			s.companion.Store(nil) // its port is free again
			c, ln, err = s.listenCompanion(ctx)
		}
		if err != nil {
			s.Log.WithError(err).Error("the companion bridge is not offered to HomeKit any more")
			return
		}
		s.Log.WithField("consoles", len(c.televisions)).Info("the companion bridge now has other consoles")
	}
}

// serveCompanion serves until the consoles are not those of the bridge.
func (s *server) serveCompanion(ctx context.Context, c *companion, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.hap.Serve(ctx, ln) }()
	defer c.listening.Store(false)
	defer stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-s.grown:
			if !slices.Equal(s.bridged(), c.televisions) {
				stop()
				return <-ended
			}
		}
	}
}

// consolesChanged has the companion bridge look again which consoles there are.
func (s *server) consolesChanged() {
	select {
	case s.grown <- struct{}{}:
	default:
	}
}

// consoleChanged is called when a television has something new to tell; it does not
// block.
func (s *server) consoleChanged(hostID string) {
	if c := s.companion.Load(); c != nil {
		c.Changed(hostID)
	}
	s.tellPage()
}

// companionAccessory describes the bridge as the televisions' servers are described.
func (s *server) companionAccessory(c *companion) api.Accessory {
	info := c.hap.Info()
	a := api.Accessory{
		Name: c.Name(), HostID: state.Companion, DeviceID: info.DeviceID, Port: int(c.port),
		SetupCode: info.SetupCode, SetupID: info.SetupID, SetupURI: info.SetupURI,
		Paired: info.Paired, Controllers: controllers(info.Controllers),
	}
	for _, u := range s.list() {
		if a.Address = addressToward(s.Config.HomeKit.Bind, u.tv.Snapshot().Addr); a.Address != "" {
			break
		}
	}
	return a
}
