package ps4test

import (
	"net/netip"

	"github.com/ps4kit/ps4kit/ps4"
)

// Options returns what a client needs to speak with the console: its key, where
// to search for it and, for one on an in-memory network, the network's hooks.
// The caller may change them.
func (c *Console) Options() *ps4.Options {
	o := &ps4.Options{
		ServerKey: c.PublicKey(),
		LocalPort: ps4.AnyPort,
		Broadcast: []netip.AddrPort{c.Addr()},
		Logf:      c.cfg.Logf,
	}
	if c.cfg.Network != nil {
		o.Dial, o.ListenPacket = c.cfg.Network.Dial, c.cfg.Network.ListenPacket
	}
	return o
}
