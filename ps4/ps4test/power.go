package ps4test

import "github.com/ps4kit/ps4kit/ps4"

// power is the power state of a console.
type power struct {
	awake   bool
	service bool // the 2nd Screen service runs, some time after awake
	moving  bool // waking or entering rest mode: a WAKEUP has no effect
	deaf    bool // answers nothing and loses every WAKEUP
	epoch   int  // counts the changes
}

// State returns the state that the console would report now, or
// StateUnreachable while it is silent.
func (c *Console) State() ps4.State { return c.Snapshot().State }

// SetAwake turns the console on at once.
func (c *Console) SetAwake() {
	c.update(func() { c.power = power{awake: true, service: true, epoch: c.power.epoch + 1} })
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

// wakeLocked starts to wake the console. It returns false if it is already
// awake or between states.
func (c *Console) wakeLocked() bool {
	p, timing := &c.power, c.cfg.Timing
	if p.awake || p.moving {
		return false
	}
	p.moving = true
	c.stepLocked(&p.epoch, timing.Wake, func() {
		p.awake, p.moving = true, false
		c.stepLocked(&p.epoch, timing.Service, func() { p.service = true })
	})
	return true
}

// standbyLocked starts to enter rest mode: connections drop, then the console
// falls silent for a while (docs/protocol.md §7 and §1).
func (c *Console) standbyLocked() {
	p, timing := &c.power, c.cfg.Timing
	if !p.awake || p.moving {
		return
	}
	p.moving = true
	c.stepLocked(&p.epoch, timing.StandbyDelay, func() {
		p.awake, p.service = false, false
		c.restLocked()
		c.stepLocked(&p.epoch, timing.BeforeSilence, func() {
			p.deaf = true
			c.stepLocked(&p.epoch, timing.Silence, func() { p.deaf, p.moving = false, false })
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

// dropAllLocked closes every connection.
func (c *Console) dropAllLocked() {
	for s := range c.conns {
		s.close()
	}
}

// door is the TCP port, which listens for a while after a LAUNCH
// (docs/protocol.md §3).
type door struct {
	close func() // nil if closed: the port refuses
	epoch int    // counts the LAUNCHes that opened it
}

// launchLocked opens the door or keeps it open longer. It reports whether the
// console obeys a LAUNCH now.
func (c *Console) launchLocked() bool {
	timing := c.cfg.Timing
	if !c.power.awake || !c.power.service || c.power.moving || use(&c.faults.Refuse) {
		return false
	}
	c.door.epoch++
	c.afterLocked(timing.DoorDelay, func() {
		if c.power.awake && c.door.close == nil {
			c.door.close = c.listenTCP(c.tcpAddr, c.serveSession)
		}
	})
	if timing.DoorOpen > 0 {
		c.stepLocked(&c.door.epoch, timing.DoorDelay+timing.DoorOpen, c.closeDoorLocked)
	}
	return true
}

// closeDoorLocked makes TCP refuse new connections and keeps the open ones.
func (c *Console) closeDoorLocked() {
	if c.door.close != nil {
		c.door.close()
		c.door.close = nil
	}
}
