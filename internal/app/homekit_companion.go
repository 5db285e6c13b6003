package app

import (
	"context"
	"fmt"
	"net"
	"slices"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
)

// companion is the bridge for automations (docs/homekit.md §1), which
// companion.enabled turns on. The accessories of a bridge cannot change while it
// is served: when a console is added or removed, a new bridge takes its place,
// and controllers read it again because c# has grown.
type companion struct {
	*accessory.Companion
	hap         *hapServer
	televisions []*accessory.Television
}

const categoryBridge = 2

// makeCompanion returns the bridge for some units. It does no network I/O.
func (h *homekit) makeCompanion(units []*unit) (*companion, error) {
	c := &companion{}
	for _, u := range units {
		c.televisions = append(c.televisions, u.tv)
	}
	log := h.log.WithField("console", state.Companion)
	var err error
	c.Companion, err = accessory.NewCompanion(accessory.CompanionConfig{
		Televisions: c.televisions, Titles: h.config.Companion.Titles, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("companion bridge: %w", err)
	}
	c.hap, err = h.newServer(state.Companion, hapserver.Options{
		Name: c.Name(), Accessories: c.Accessories(), Category: categoryBridge,
		SetupCode: h.config.Companion.SetupCode.Reveal(), Log: log,
	})
	if err != nil {
		return nil, err
	}
	c.Attach(c.hap)
	return c, nil
}

// offered lists the units that HomeKit has, which are those of the bridge.
func (h *homekit) offered() []*unit {
	return pick(h.registry.list(), func(u *unit) bool { return u.hap != nil })
}

// startCompanion serves the bridge if it is enabled, and replaces it when
// consoles were added or removed. If that fails it logs why, and the televisions
// are served without it.
func (h *homekit) startCompanion() {
	if !h.config.Companion.Enabled {
		return
	}
	c, ln, err := h.listenCompanion()
	if err != nil {
		h.log.WithError(err).Error("the companion bridge is not offered to HomeKit")
		return
	}
	h.run(func(ctx context.Context) {
		for {
			err := h.serveCompanion(ctx, c, ln)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				h.companion.Store(nil) // its port is free again
				c, ln, err = h.listenCompanion()
			}
			if err != nil {
				h.log.WithError(err).Error("the companion bridge is no longer offered to HomeKit")
				return
			}
			h.log.WithField("consoles", len(c.televisions)).Info("the companion bridge now has other consoles")
		}
	})
}

func (h *homekit) listenCompanion() (*companion, net.Listener, error) {
	c, err := h.makeCompanion(h.offered())
	if err != nil {
		return nil, nil, err
	}
	ln, err := h.listen(c.hap)
	if err != nil {
		return nil, nil, err
	}
	h.companion.Store(c)
	h.events.Changed()
	for _, u := range h.registry.list() {
		c.Changed(u.hostID) // what changed before the bridge was told
	}
	return c, ln, nil
}

// serveCompanion serves until the consoles are no longer those of the bridge.
func (h *homekit) serveCompanion(ctx context.Context, c *companion, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- c.hap.serve(ctx, ln) }()
	for {
		changed := h.events.Next()
		same := slices.EqualFunc(h.offered(), c.televisions, func(u *unit, tv *accessory.Television) bool { return u.tv == tv })
		if !same {
			stop()
		}
		select {
		case err := <-ended:
			return err
		case <-changed:
		}
	}
}

// resetCompanion removes the pairings of the companion bridge. If its file is
// damaged, it sets that aside and serves the bridge with a new identity.
func (h *homekit) resetCompanion() error {
	if c := h.companion.Load(); c != nil {
		return c.hap.Unpair()
	}
	if !h.config.Companion.Enabled {
		return &api.Error{Code: "not_offered", Message: "the companion bridge is not offered to HomeKit",
			Hint: "Turn it on with companion.enabled in config.yaml."}
	}
	mended, err := h.mend(state.Companion)
	if mended && err == nil {
		h.startCompanion()
	}
	return err
}
