package ps4test

import (
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

// Always as the number of a fault means that it does not end by itself.
const Always = -1

// Faults is what goes wrong. Numbers count down with each occurrence; Always
// stays. The zero value is a console that works.
type Faults struct {
	LoseRequests int  // datagrams that never arrive
	LoseReplies  int  // replies that never leave
	GarbageDDP   bool // malformed datagrams before each reply

	Refuse int // LAUNCHes that do not open the door
	Reset  int // connections reset as soon as they are accepted

	Delay      time.Duration // before every reply and packet
	Split      int           // each write is cut into pieces of so many bytes
	Coalesce   bool          // each packet shares its write with another of unknown type before it
	GarbageTCP int           // packets replaced by random bytes of the same length
	HoldBeats  bool          // heartbeats are not sent

	HelloStatus int32 // status of the hello's answer; not 0 is a refusal
	// Results other than 0 answer in place of the console's own.
	Login, Boot, Standby, Logout, Keyboard ps4.ResultError
	// LoseBoots are boots that are accepted with result 0 and start nothing.
	LoseBoots int
}

// SetFaults replaces what goes wrong from now on.
func (c *Console) SetFaults(f Faults) { c.update(func() { c.faults = f }) }

// ResetConnections resets every connection now.
func (c *Console) ResetConnections() {
	c.update(func() {
		for s := range c.conns {
			s.stop()
			reset(s.conn)
		}
	})
}

func (f *Faults) loseRequest() bool { return use(&f.LoseRequests) }
func (f *Faults) loseReply() bool   { return use(&f.LoseReplies) }
func (f *Faults) refuse() bool      { return use(&f.Refuse) }
func (f *Faults) reset() bool       { return use(&f.Reset) }
func (f *Faults) garbage() bool     { return use(&f.GarbageTCP) }
func (f *Faults) loseBoot() bool    { return use(&f.LoseBoots) }

// use takes one occurrence of a fault, if any is left.
func use(n *int) bool {
	if *n > 0 {
		*n--
		return true
	}
	return *n < 0
}

// garbageDatagrams are what must be dropped whole (docs/protocol.md §1).
func garbageDatagrams() [][]byte {
	return [][]byte{
		{},
		{0xff, 0xfe, 0x00},
		[]byte("HTTP/1.1 200 Ok\nhost-type:PS4\n"),
		[]byte("HTTP/1.1 500 No\nhost-id:000000000000\n"),
		make([]byte, 4096),
	}
}
