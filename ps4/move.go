package ps4

import (
	"fmt"
	"net/netip"
	"time"
)

// movement is where the host id of a silent console was seen. Any machine on
// the network can forge such a reply, so a console moves only if it is silent
// at its own address and just one other address claims its host id.
type movement struct {
	to     netip.AddrPort
	seen   time.Time // the last reply from there
	rival  time.Time // the last reply from a third address
	warned bool      // the owner was warned of a rival
}

// seenElsewhere notes that a reply with the console's host id came from another
// address; c.mu is held. It returns a warning for the owner, or "".
func (c *Console) seenElsewhere(at netip.AddrPort) (warning string) {
	m := &c.moved
	now := time.Now()
	if m.to.Addr() == at.Addr() || now.Sub(m.seen) > searchAgain {
		if m.to.Addr() != at.Addr() || isReal(m.to) {
			m.to = at // else the port of a simulated console is known already
		}
		m.seen = now
		return ""
	}
	m.rival = now
	if m.warned {
		return ""
	}
	m.warned = true
	return fmt.Sprintf("%v and %v both claim to be console %s: keeping %v", m.to.Addr(), at.Addr(), c.hostID, c.addr.Addr())
}

// move changes the console's address to the one where it was seen since the
// given time, if it is the only one and on a network of this machine.
func (c *Console) move(since time.Time) bool {
	c.mu.Lock()
	m, from := c.moved, c.addr
	c.mu.Unlock()
	if m.seen.Before(since) || !m.rival.Before(since) || !c.net.set.OnLink(m.to.Addr()) {
		return false
	}
	c.mu.Lock()
	if c.moved != m || c.addr != from {
		c.mu.Unlock()
		return false
	}
	c.setAddr(m.to)
	id := c.hostID
	c.mu.Unlock()
	c.set.Warnf("console %s has moved from %v to %v", id, from.Addr(), m.to.Addr())
	return true
}
