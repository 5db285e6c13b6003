package ps4test

import (
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// Always is the count of a fault that never ends by itself.
const Always = -1

// Faults describes what goes wrong. Each occurrence decrements its count,
// except Always. The zero value is a console without faults.
type Faults struct {
	LoseRequests int  // datagrams that never arrive
	LoseReplies  int  // replies that never leave
	GarbageDDP   bool // malformed datagrams before each reply

	Refuse int // LAUNCHes that do not open the door
	Reset  int // connections reset as soon as they are accepted

	Delay      time.Duration // before every reply and packet
	Split      int           // bytes in each piece of a write
	Coalesce   bool          // send a packet of unknown type in the same write before each packet
	GarbageTCP int           // packets replaced by random bytes of the same length
	HoldBeats  bool          // heartbeats are not sent

	HelloStatus int32 // status in the hello reply; other than 0 is a refusal
	// Results other than 0 replace those of the console.
	Login, Boot, Standby ps4.ResultError
	// RemotePlay is the reason to refuse every Remote Play request; 0: none.
	RemotePlay remoteplay.ResultError
	HangUp     int // Remote Play requests without a reply: the connection closes
	Silent     int // Remote Play control requests without a reply: it stays open
	// NeedSearch makes Remote Play refuse connections until a search word came.
	NeedSearch   bool
	NoStream     bool // Remote Play is silent on the ports of the stream and of the probe
	NoProbe      bool // Remote Play is silent on the port of the probe
	RefuseStream bool // Remote Play refuses the version of the stream
	// IgnoreStandby makes Remote Play acknowledge a standby without effect.
	IgnoreStandby bool
	// LoseBoots counts boots that get result 0 and start nothing.
	LoseBoots int
}

// SetFaults replaces the faults.
func (c *Console) SetFaults(f Faults) { c.update(func() { c.faults = f }) }

// ResetConnections resets every open connection.
func (c *Console) ResetConnections() {
	c.update(func() {
		for s := range c.conns {
			reset(s.conn)
			s.close()
		}
	})
}

// use consumes one occurrence of a fault. It returns false if none is left.
func use(n *int) bool {
	if *n > 0 {
		*n--
		return true
	}
	return *n < 0
}

// takeFaultsLocked returns the faults of one packet. GarbageTCP is 1 if the
// packet must be garbage.
func (c *Console) takeFaultsLocked() Faults {
	f := c.faults
	f.GarbageTCP = 0
	if use(&c.faults.GarbageTCP) {
		f.GarbageTCP = 1
	}
	return f
}
