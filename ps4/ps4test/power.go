package ps4test

import (
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// power is the power state of a console.
type power struct {
	awake   bool
	service bool // the 2nd Screen service runs, some time after awake
	moving  bool // waking or entering rest mode: a WAKEUP has no effect
	deaf    bool // answers nothing and loses every WAKEUP
	epoch   int  // counts the changes, so that outdated timers have no effect
}

// State returns the state that the console would report now, or
// StateUnreachable while it is silent.
func (c *Console) State() ps4.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.power.state()
}

func (p power) state() ps4.State {
	switch {
	case p.deaf:
		return ps4.StateUnreachable
	case p.awake:
		return ps4.StateAwake
	}
	return ps4.StateStandby
}

// SetAwake turns the console on at once.
func (c *Console) SetAwake() {
	c.update(func() {
		c.power = power{awake: true, service: true, epoch: c.power.epoch + 1}
	})
}

// SetStandby puts the console into rest mode at once, without silence:
// connections drop and the running title ends.
func (c *Console) SetStandby() {
	c.update(func() {
		c.power = power{epoch: c.power.epoch + 1}
		c.restLocked()
	})
}

// SetSilent makes the console answer nothing, like one without power or
// network, until SetAwake or SetStandby.
func (c *Console) SetSilent() {
	c.update(func() {
		c.power = power{deaf: true, epoch: c.power.epoch + 1}
		c.restLocked()
	})
}

// stepLocked runs f after d unless the power state was changed by then.
func (c *Console) stepLocked(d time.Duration, f func()) {
	epoch := c.power.epoch
	c.afterLocked(d, func() {
		if c.power.epoch == epoch {
			f()
		}
	})
}

// wakeLocked starts to wake the console. It returns false if it is already
// awake or between states.
func (c *Console) wakeLocked() bool {
	if c.power.awake || c.power.moving {
		return false
	}
	c.power.moving = true
	c.stepLocked(c.cfg.Timing.Wake, func() {
		c.power.awake, c.power.moving = true, false
		c.stepLocked(c.cfg.Timing.Service, func() { c.power.service = true })
	})
	return true
}

// standbyLocked starts to enter rest mode: connections drop, then the console
// falls silent for a while (docs/protocol.md §7 and §1).
func (c *Console) standbyLocked() {
	if !c.power.awake || c.power.moving {
		return
	}
	c.power.moving = true
	c.stepLocked(c.cfg.Timing.StandbyDelay, func() {
		c.power.awake, c.power.service = false, false
		c.restLocked()
		c.stepLocked(c.cfg.Timing.BeforeSilence, func() {
			c.power.deaf = true
			c.stepLocked(c.cfg.Timing.Silence, func() { c.power.deaf, c.power.moving = false, false })
		})
	})
}

// restLocked ends everything that does not survive rest mode.
func (c *Console) restLocked() {
	c.dropAllLocked()
	c.closeDoorLocked()
	c.titles = titles{epoch: c.titles.epoch + 1}
	c.screen = keyboard{}
}
