package ps4test

import (
	"fmt"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// titles is the state of the running and the starting title.
type titles struct {
	running Title
	booting bool
	asking  bool  // the quit dialogue is shown
	next    Title // starts once the dialogue is confirmed
	home    bool  // PS was pressed since the running title came to the front
	epoch   int   // counts the changes
}

// Boot is a boot that a console received.
type Boot struct {
	At      time.Time
	TitleID string // as received
}

// RunningTitle returns the title that DDP reports, or zero if none runs.
func (c *Console) RunningTitle() Title { return c.Snapshot().Title }

// SetRunning starts a title at once, as a user with the controller would; it
// need not be installed. An empty id ends the running title.
func (c *Console) SetRunning(id string) {
	id = strings.ToUpper(id)
	c.update(func() {
		running, installed := c.cfg.title(id)
		if !installed && id != "" {
			running = Title{ID: id, Name: id}
		}
		c.titles = titles{running: running, epoch: c.titles.epoch + 1}
	})
}

func (s *session) handleBootLocked(p wire.Packet) (what, outcome string, err error) {
	c := s.console
	m, err := wire.UnmarshalBoot(p)
	if err != nil {
		return "", "", fmt.Errorf("boot: %w", err)
	}
	s.noteRemoteOpenLocked()
	c.log.counters.Boots++
	c.log.boots = add(c.log.boots, Boot{At: time.Now(), TitleID: m.TitleID})
	result := ps4.ErrNotLoggedIn
	if s.loggedIn {
		result = c.bootLocked(m.TitleID)
	}
	return fields("boot", "title", m.TitleID), s.answerLocked(wire.TypeBootResult, result), nil
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
		if !c.cfg.QuitNeedsPS || c.titles.home { // show the quit dialogue for a while
			c.titles.epoch++
			c.titles.asking, c.titles.next = true, title
			c.stepLocked(&c.titles.epoch, c.cfg.Timing.Dialog, func() { c.titles.asking = false })
		}
		return c.cfg.BusyResult
	}
	c.startLocked(title)
	return resultOK
}

// startLocked starts a title, which DDP reports after Timing.Boot.
func (c *Console) startLocked(title Title) {
	c.titles = titles{booting: true, epoch: c.titles.epoch + 1}
	c.stepLocked(&c.titles.epoch, c.cfg.Timing.Boot, func() {
		c.titles = titles{running: title, epoch: c.titles.epoch}
	})
}

// pressedLocked applies an accepted button to the screen.
func (c *Console) pressedLocked(k Key) {
	t := &c.titles
	switch {
	case k.Op == PS:
		t.home, t.asking = true, false
	case !t.asking:
	case k.Op == Enter: // quits the running title and starts the next one
		t.epoch++
		t.asking = false
		c.stepLocked(&t.epoch, c.cfg.Timing.Quit, func() { c.startLocked(t.next) })
	case k.Op == Back || k.Op == Cancel:
		t.asking = false
	}
}
