package ps4test

import (
	"net"
	"time"
)

// maxConns is how many connections a console holds at once; more are closed at
// once. One is enough for any client that behaves.
const maxConns = 16

// door is the TCP port that listens only for a while after a LAUNCH
// (docs/protocol.md §3).
type door struct {
	listener net.Listener // nil: closed, the port refuses
	epoch    int          // counts the LAUNCHes that opened it
}

// launchLocked opens the door, or keeps it open for longer; it tells whether
// the console takes a LAUNCH now.
func (c *Console) launchLocked() bool {
	if !c.power.awake || !c.power.service || c.power.moving || c.faults.refuse() {
		return false
	}
	c.door.epoch++
	epoch := c.door.epoch
	c.afterLocked(c.cfg.Timing.DoorDelay, func() {
		if c.power.awake && c.door.listener == nil {
			c.openDoorLocked()
		}
	})
	if open := c.cfg.Timing.DoorOpen; open > 0 {
		c.afterLocked(c.cfg.Timing.DoorDelay+open, func() {
			if c.door.epoch == epoch {
				c.closeDoorLocked()
			}
		})
	}
	return true
}

func (c *Console) openDoorLocked() {
	listener, err := c.net.listen(c.tcpAddr)
	if err != nil {
		c.cfg.Logf("simulated console %s: door: %v", c.cfg.Name, err)
		return
	}
	c.door.listener = listener
	c.wg.Go(func() { c.accept(listener) })
}

// closeDoorLocked makes TCP refuse; connections that are open stay.
func (c *Console) closeDoorLocked() {
	if c.door.listener != nil {
		_ = c.door.listener.Close()
		c.door.listener = nil
	}
}

func (c *Console) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		c.update(func() { c.admitLocked(conn) })
	}
}

// admitLocked starts a connection, unless a fault or a limit is in the way.
func (c *Console) admitLocked(conn net.Conn) {
	c.log.counters.Connections++
	if c.closed || len(c.conns) >= maxConns {
		_ = conn.Close()
		return
	}
	if c.faults.reset() {
		reset(conn)
		return
	}
	s := newSession(c, conn, time.Now())
	c.conns[s] = struct{}{}
	c.wg.Go(s.run)
}

// dropAllLocked closes every connection.
func (c *Console) dropAllLocked() {
	for s := range c.conns {
		s.close()
	}
}

// reset closes a connection so that the peer sees a reset where the network
// can tell.
func reset(conn net.Conn) {
	if r, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = r.SetLinger(0)
	}
	_ = conn.Close()
}
