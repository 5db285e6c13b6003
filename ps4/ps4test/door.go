package ps4test

import (
	"net"
	"time"
)

// maxConns is the limit of open connections. The console closes further ones at
// once; a well-behaved client needs one.
const maxConns = 16

// door is the TCP port, which listens for a while after a LAUNCH
// (docs/protocol.md §3).
type door struct {
	listener net.Listener // nil: closed, the port refuses
	epoch    int          // counts the LAUNCHes that opened it
}

// launchLocked opens the door or keeps it open longer. It reports whether the
// console obeys a LAUNCH now.
func (c *Console) launchLocked() bool {
	if !c.power.awake || !c.power.service || c.power.moving || use(&c.faults.Refuse) {
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

// closeDoorLocked makes TCP refuse new connections and keeps the open ones.
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

// admitLocked starts a session unless a fault or a limit prevents it.
func (c *Console) admitLocked(conn net.Conn) {
	c.log.counters.Connections++
	if c.closed || len(c.conns) >= maxConns {
		_ = conn.Close()
		return
	}
	if use(&c.faults.Reset) {
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

// reset closes a connection with a TCP reset where the network supports it.
func reset(conn net.Conn) {
	if r, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = r.SetLinger(0)
	}
	_ = conn.Close()
}
