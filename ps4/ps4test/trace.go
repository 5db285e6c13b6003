package ps4test

import (
	"fmt"
	"net"
	"strings"
)

// trace passes a line about a datagram or packet that came in to Config.Trace:
//
//	Den 192.168.1.5: 192.168.1.9:1987 -> 255.255.255.255:987 SRCH version="00020020"
//	Den 192.168.1.5: 192.168.1.9:50022 -> 192.168.1.5:997 remote up: ignored: remote control is closed
func (c *Console) trace(from, to net.Addr, what, outcome string) {
	if outcome != "" {
		what += ": " + outcome
	}
	c.cfg.Trace(fmt.Sprintf("%s %v: %v -> %v %s", c.cfg.Name, c.udpAddr.Addr(), from, to, what))
}

// redacted stands for credentials, PINs and passcodes.
const redacted = "[redacted]"

// fields formats pairs of a name and a value, without those that are empty.
func fields(kind string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(kind)
	for i := 0; i < len(pairs); i += 2 {
		switch name, value := pairs[i], pairs[i+1]; {
		case value == "":
		case name == "credential" || name == "PIN" || name == "passcode":
			fmt.Fprintf(&b, " %s=%s", name, redacted)
		default:
			fmt.Fprintf(&b, " %s=%q", name, value)
		}
	}
	return b.String()
}
