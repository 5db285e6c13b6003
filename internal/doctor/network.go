package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/ps4kit/ps4kit/ps4"
)

// Interface is a network interface of this machine.
type Interface struct {
	Name  string
	Flags net.Flags
	Addrs []netip.Prefix
}

func (i Interface) up() bool { return i.Flags&net.FlagUp != 0 }

// broadcasts tells whether consoles can be searched there.
func (i Interface) broadcasts() bool {
	return i.up() && i.Flags&net.FlagBroadcast != 0 && slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr().Is4() })
}

func (i Interface) String() string {
	addrs := make([]string, len(i.Addrs))
	for n, a := range i.Addrs {
		addrs[n] = a.String()
	}
	return i.Name + " " + strings.Join(addrs, " ")
}

// interfaces looks for a network with an IPv4 broadcast address, and for those that the configuration names.
func (e *examination) interfaces(context.Context) {
	const check = "interfaces"
	all, err := e.System.Interfaces()
	if err != nil {
		e.fail(check, "", "they cannot be listed: %v", err)
		return
	}
	good := e.named(all, "discovery.interfaces", e.Config.Discovery.Interfaces)
	good = e.named(all, "homekit.interfaces", e.Config.HomeKit.Interfaces) && good
	var usable []string
	for _, i := range all {
		if chosen := e.Config.Discovery.Interfaces; i.broadcasts() && (len(chosen) == 0 || slices.Contains(chosen, i.Name)) {
			usable = append(usable, i.String())
		}
	}
	switch {
	case len(usable) > 0 && good:
		e.ok(check, "%s", strings.Join(usable, ", "))
	case len(usable) == 0 && e.searchesByBroadcast():
		e.fail(check, "Connect this machine to the network of the console, with IPv4.", "no network that is up has an IPv4 broadcast address")
	case good:
		e.ok(check, "consoles are searched at their addresses only")
	}
}

func (e *examination) searchesByBroadcast() bool {
	return slices.ContainsFunc(e.Config.Discovery.Broadcast, func(a netip.AddrPort) bool {
		return a.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	})
}

// named checks the interfaces that a key of the configuration names.
func (e *examination) named(all []Interface, key string, names []string) (good bool) {
	good = true
	for _, name := range names {
		n := slices.IndexFunc(all, func(i Interface) bool { return i.Name == name })
		switch {
		case n < 0:
			e.fail("interfaces", "Correct "+key+", or leave it out.", "%s names %s, which this machine does not have", key, name)
		case !all[n].up():
			e.fail("interfaces", "Switch it on, or correct "+key+".", "%s, named by %s, is not up", name, key)
		default:
			continue
		}
		good = false
	}
	return good
}

// ports looks whether the UDP ports are free: the one that consoles are asked from, and the one that a credential is
// captured on.
func (e *examination) ports(ctx context.Context) {
	local := e.Config.Discovery.LocalPort
	if local != 0 {
		check := fmt.Sprintf("UDP port %d", local)
		switch err := e.System.Bind(ctx, local); {
		case err == nil:
			e.ok(check, "free")
		case errors.Is(err, syscall.EADDRINUSE):
			e.warn(check, "Only if a console does not answer: stop that program, or choose another discovery.local_port.",
				"held by %s; consoles are asked from another port meanwhile", e.System.Holder(local))
		default:
			e.warn(check, "Choose another discovery.local_port.", "%v", err)
		}
	}
	check := fmt.Sprintf("UDP port %d", ps4.DefaultPort)
	switch err := e.System.Bind(ctx, ps4.DefaultPort); {
	case errors.Is(err, syscall.EADDRINUSE):
		e.warn(check, "Stop that program before ps4kit credential --capture; nothing else needs the port.",
			"held by %s", e.System.Holder(ps4.DefaultPort))
	case errors.Is(err, syscall.EACCES):
		e.ok(check, "not tried: this user may not use it")
	case err != nil:
		e.warn(check, "Only ps4kit credential --capture needs it.", "%v", err)
	default:
		e.ok(check, "free")
	}
}

// rights looks whether this program may listen on a port below 1024.
func (e *examination) rights(ctx context.Context) {
	if err := e.System.Bind(ctx, ps4.DefaultPort); errors.Is(err, syscall.EACCES) {
		e.warn("rights", "If you want ps4kit credential --capture: run it with sudo, or give it the right once: sudo setcap cap_net_bind_service=+ep "+
			e.System.Executable, "this program may not listen on ports below 1024 (CAP_NET_BIND_SERVICE); only capturing a credential needs it")
		return
	}
	e.ok("rights", "this program may listen on ports below 1024")
}

// firewall names what has to be let in where a firewall is known to be active. Consoles answer from a fresh port, so that no
// firewall takes their datagrams for an answer (docs/protocol.md §1).
func (e *examination) firewall(context.Context) {
	const message = "%s is active and has to let HomeKit and the consoles' answers in"
	switch {
	case e.ufw():
		rules := strings.Join(e.openPorts(":"), "; sudo ufw allow ")
		e.warn("firewall", "If something is not found: sudo ufw allow "+rules, message, "ufw")
	case e.process("firewalld"):
		rules := strings.Join(e.openPorts("-"), " --add-port=")
		e.warn("firewall", "If something is not found: sudo firewall-cmd --add-port="+rules+", and again with --permanent", message, "firewalld")
	default:
		e.ok("firewall", "neither ufw nor firewalld is active")
	}
}

// hapPorts are those that a HomeKit server without a configured port chooses from, and consoles those that a process is
// built for (docs/ARCHITECTURE.md).
const (
	firstHAPPort = 20000
	lastHAPPort  = 32767
	consoles     = 64
)

// openPorts are those that others send to first, as firewalls write them; they differ in how they write a range.
func (e *examination) openPorts(to string) []string {
	ports := []string{fmt.Sprintf("%d/udp", mdnsPort)}
	if p := e.Config.Discovery.LocalPort; p != 0 {
		ports = append(ports, fmt.Sprintf("%d/udp", p))
	}
	first, last := firstHAPPort, lastHAPPort
	if p := int(e.Config.HomeKit.Port); p != 0 {
		first, last = p, p+consoles-1
	}
	return append(ports, fmt.Sprintf("%d%s%d/tcp", first, to, last))
}

func (e *examination) ufw() bool {
	text, err := fs.ReadFile(e.System.Root, "etc/ufw/ufw.conf")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key == "ENABLED" {
			return strings.Trim(value, `"'`) == "yes"
		}
	}
	return false
}

// process tells whether one of that name runs.
func (e *examination) process(name string) bool {
	list, _ := fs.Glob(e.System.Root, "proc/[0-9]*/comm")
	for _, file := range list {
		comm, err := fs.ReadFile(e.System.Root, path.Clean(file))
		if err == nil && strings.TrimSpace(string(comm)) == name {
			return true
		}
	}
	return false
}
