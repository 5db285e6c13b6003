package ps4test

import (
	"cmp"
	"fmt"
	"net"
	"strings"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
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

// describePacket returns the kind and the fields of a packet. It leaves out the
// text for the on-screen keyboard, which may be a password.
func describePacket(p wire.Packet) string {
	switch p.Type {
	case wire.TypeLogin:
		if l, err := wire.UnmarshalLogin(p); err == nil {
			return fields("login", "label", l.AppLabel, "model", l.Model, "os", l.OSVersion,
				"credential", l.Credential, "PIN", l.PIN, "passcode", l.Passcode)
		}
	case wire.TypeRemote:
		if m, err := wire.UnmarshalRemote(p); err == nil {
			return "remote " + newKey(m).String()
		}
	case wire.TypeBoot:
		if m, err := wire.UnmarshalBoot(p); err == nil {
			return fields("boot", "title", m.TitleID)
		}
	case wire.TypeKeyboardText:
		if m, err := wire.UnmarshalKeyboardText(p); err == nil {
			return fmt.Sprintf("keyboard text of %d bytes", len(m.Text))
		}
	case wire.TypeKeyboardControl:
		if command, err := wire.UnmarshalWord(p); err == nil {
			names := map[uint32]string{wire.KeyboardReturn: "return", wire.KeyboardClose: "close"}
			return "keyboard " + cmp.Or(names[command], fmt.Sprintf("command %d", command))
		}
	default:
		names := map[wire.Type]string{
			wire.TypeStatus: "status", wire.TypeStandby: "standby", wire.TypeKeyboardStart: "keyboard start",
			wire.TypeLogout: "logout", wire.TypeBye: "bye",
		}
		if name, known := names[p.Type]; known {
			return name
		}
	}
	return fmt.Sprintf("type %d with %d bytes of fields", p.Type, len(p.Body))
}
