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
	epoch   int  // counts the changes
}

// ready reports whether the console obeys LAUNCH and Remote Play.
func (p power) ready() bool { return p.service && !p.moving }

// State returns the state that the console would report now, or
// StateUnreachable while it is silent.
func (c *Console) State() ps4.State { return c.Snapshot().State }

// SetAwake turns the console on at once.
func (c *Console) SetAwake() { c.setPower(power{awake: true, service: true}) }

// SetStandby puts the console into rest mode at once, without silence:
// connections drop and the running title ends.
func (c *Console) SetStandby() { c.setPower(power{}) }

// SetSilent makes the console answer nothing, like one without power or
// network, until SetAwake or SetStandby.
func (c *Console) SetSilent() { c.setPower(power{deaf: true}) }

func (c *Console) setPower(p power) {
	c.update(func() {
		p.epoch = c.power.epoch + 1
		c.power = p
		if !p.awake {
			c.restLocked()
		}
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
	c.door.open = false
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
	open  bool
	stop  func() // ends listening; nil: TCP refuses connections
	epoch int    // counts the LAUNCHes that opened it
}

// launchLocked opens the door or keeps it open longer. It reports whether the
// console obeys a LAUNCH now.
func (c *Console) launchLocked() bool {
	timing := c.cfg.Timing
	if !c.power.ready() || use(&c.faults.Refuse) {
		return false
	}
	c.door.epoch++
	c.afterLocked(timing.DoorDelay, func() { c.door.open = c.power.awake })
	if timing.DoorOpen > 0 {
		c.stepLocked(&c.door.epoch, timing.DoorDelay+timing.DoorOpen, func() { c.door.open = false })
	}
	return true
}

// listenLocked makes both TCP ports accept or refuse connections according to
// the state of the console. Open connections stay.
func (c *Console) listenLocked() {
	c.door.stop = c.listenTCP(c.door.stop, c.door.open, c.tcpAddr, c.serveSession)
	r := &c.rp
	open := r.addr.IsValid() && c.power.ready() && (!c.faults.NeedSearch || time.Now().Before(r.door))
	r.stop = c.listenTCP(r.stop, open, r.addr, c.serveRequest)
}
