package ps4test

import (
	"fmt"
	"strings"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// titles is the state of the running and the starting title.
type titles struct {
	running Title
	booting bool
	asking  bool  // the quit dialogue is shown
	next    Title // what starts once the dialogue is confirmed
	home    bool  // PS was pressed since the running title came to the front
	epoch   int   // counts the changes, so that outdated timers have no effect
}

// RunningTitle returns the title that DDP reports, or zero if none runs.
func (c *Console) RunningTitle() Title {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.titles.running
}

// SetRunning starts a title at once, as a user with the controller would; it
// need not be installed. An empty id ends the running title.
func (c *Console) SetRunning(id string) {
	c.update(func() {
		running, _ := c.cfg.title(strings.ToUpper(id))
		if running.ID == "" && id != "" {
			running = Title{ID: strings.ToUpper(id), Name: id}
		}
		c.titles = titles{running: running, epoch: c.titles.epoch + 1}
	})
}

// boot answers a boot.
func (s *session) boot(p wire.Packet) error {
	m, err := wire.UnmarshalBoot(p)
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	return s.decide(wire.TypeBootResult, func(c *Console) uint32 {
		s.noteRemoteOpenLocked()
		c.log.addBoot(m.TitleID)
		if !s.loggedIn {
			return uint32(ps4.ErrNotLoggedIn)
		}
		return uint32(c.bootLocked(m.TitleID))
	})
}

// bootLocked performs a boot and returns its result (docs/protocol.md §6, §7).
// Result 12 for a title that is not installed is a guess (§9).
func (c *Console) bootLocked(id string) ps4.ResultError {
	title, installed := c.cfg.title(id)
	switch {
	case c.faults.Boot != resultOK:
		return c.faults.Boot
	case use(&c.faults.LoseBoots):
		return resultOK
	case c.titles.booting:
		return ps4.ErrBooting
	case !installed || title.ID != id: // ids are upper case
		return ps4.ErrTitleUnavailable
	case c.titles.running.ID == id:
		return ps4.ErrAlreadyRunning
	case c.titles.running.ID != "":
		c.askLocked(title)
		return c.cfg.BusyResult
	}
	c.startLocked(title)
	return resultOK
}

// startLocked starts a title, which DDP reports after Timing.Boot.
func (c *Console) startLocked(title Title) {
	epoch := c.titles.epoch + 1
	c.titles = titles{booting: true, epoch: epoch}
	c.afterLocked(c.cfg.Timing.Boot, func() {
		if c.titles.epoch == epoch {
			c.titles = titles{running: title, epoch: epoch}
		}
	})
}

// askLocked shows the quit dialogue for a while.
func (c *Console) askLocked(next Title) {
	if c.cfg.QuitNeedsPS && !c.titles.home {
		return
	}
	c.titles.epoch++
	c.titles.asking, c.titles.next = true, next
	epoch := c.titles.epoch
	c.afterLocked(c.cfg.Timing.Dialog, func() {
		if c.titles.epoch == epoch {
			c.titles.asking = false
		}
	})
}

// pressedLocked applies an accepted key to the screen.
func (c *Console) pressedLocked(k Key) {
	t := &c.titles
	switch {
	case k.Op == PS:
		t.home, t.asking = true, false
	case !t.asking:
	case k.Op == Enter:
		c.quitLocked()
	case k.Op == Back || k.Op == Cancel:
		t.asking = false
	}
}

// quitLocked ends the running title and starts the requested one.
func (c *Console) quitLocked() {
	next := c.titles.next
	c.titles.epoch++
	c.titles.asking = false
	epoch := c.titles.epoch
	c.afterLocked(c.cfg.Timing.Quit, func() {
		if c.titles.epoch == epoch {
			c.startLocked(next)
		}
	})
}
