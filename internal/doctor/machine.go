package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
)

func (e *examination) configuration() {
	switch {
	case e.ConfigErr != nil:
		e.fail("configuration", "Correct it, then run: ps4kit config check. The other checks use the defaults.", "%v", e.ConfigErr)
	case e.Config.File == "":
		e.ok("configuration", "no config.yaml found; using the defaults")
	default:
		e.ok("configuration", "%s is valid", e.Config.File)
	}
}

// clock finds a clock that was never set, such as that of a Raspberry Pi without a
// network. TLS certificates fail with it.
func (e *examination) clock() {
	now := e.System.Now()
	if now.Before(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)) {
		e.fail("clock", "Set it, for example with: sudo timedatectl set-ntp true", "the clock is wrong: it shows %s", now.Format(time.DateOnly))
		return
	}
	e.ok("clock", "%s", now.Format("2006-01-02 15:04 MST"))
}

// Interface is a network interface of this machine.
type Interface struct {
	Name  string
	Flags net.Flags
	Addrs []netip.Prefix
}

func (i Interface) up() bool { return i.Flags&net.FlagUp != 0 }

func (i Interface) String() string {
	s := i.Name
	for _, a := range i.Addrs {
		s += " " + a.String()
	}
	return s
}

// interfaces looks for a network with an IPv4 broadcast address, and for the
// interfaces named in the configuration.
func (e *examination) interfaces() {
	const check = "interfaces"
	all, err := e.System.Interfaces()
	if err != nil {
		e.fail(check, "", "can't list the interfaces: %v", err)
		return
	}
	chosen := e.Config.Discovery.Interfaces
	good := e.named(all, "discovery.interfaces", chosen)
	good = e.named(all, "homekit.interfaces", e.Config.HomeKit.Interfaces) && good
	var usable []string
	for _, i := range all {
		hasIPv4 := slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr().Is4() })
		broadcasts := i.up() && i.Flags&net.FlagBroadcast != 0 && hasIPv4
		if broadcasts && (len(chosen) == 0 || slices.Contains(chosen, i.Name)) {
			usable = append(usable, i.String())
		}
	}
	everywhere := slices.ContainsFunc(e.Config.Discovery.Broadcast, func(a netip.AddrPort) bool {
		return a.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	})
	switch {
	case len(usable) > 0 && good:
		e.ok(check, "%s", strings.Join(usable, ", "))
	case len(usable) == 0 && everywhere:
		e.fail(check, "Connect this machine to the console's network, with IPv4.", "no network is up that has an IPv4 broadcast address")
	case good:
		e.ok(check, "none needed to search at the configured addresses")
	}
}

// named checks the interfaces that a key of the configuration names.
func (e *examination) named(all []Interface, key string, names []string) (good bool) {
	good = true
	for _, name := range names {
		n := slices.IndexFunc(all, func(i Interface) bool { return i.Name == name })
		switch {
		case n < 0:
			e.fail("interfaces", "Correct "+key+", or leave it out.", "%s names %s, but this machine has no such interface", key, name)
		case !all[n].up():
			e.fail("interfaces", "Bring it up, or correct "+key+".", "%s, named in %s, is down", name, key)
		default:
			continue
		}
		good = false
	}
	return good
}

// localPort judges the attempt to open the port from which ps4kit talks to consoles.
// A running server, whose process id is server, keeps it open.
func (e *examination) localPort(err error, server int) {
	port := e.Config.Discovery.LocalPort
	if port == 0 {
		return
	}
	check := fmt.Sprintf("UDP port %d", port)
	if err == nil {
		e.ok(check, "free")
		return
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		e.warn(check, "Choose another discovery.local_port.", "%v", err)
		return
	}
	holder, pid := e.System.Holder(port, 0)
	if e.Running && (pid == 0 || pid == server) {
		e.ok(check, "used by the running server")
		return
	}
	e.warn(check, "If a console doesn't answer, stop that program or choose another discovery.local_port.",
		"used by %s, so ps4kit uses another port", holder)
}

// multicastPort checks whether ps4kit can open the port of multicast DNS, which
// well-behaved programs share. server is the process id of a running server.
func (e *examination) multicastPort(server int) {
	check := fmt.Sprintf("UDP port %d", mdnsPort)
	switch err := e.System.Multicast(); {
	case err == nil:
		e.ok(check, "free, or shared by programs such as avahi")
	case errors.Is(err, syscall.EADDRINUSE):
		holder, _ := e.System.Holder(mdnsPort, server)
		e.fail(check, "Stop that program, or have it share the port. A running server then announces within seconds.",
			"used by %s, so televisions can't be announced: %v", holder, err)
	default:
		e.fail(check, "", "%v", err)
	}
}

// firewall lists the ports to open if a firewall is active. Replies from consoles
// need a rule because they come from a port that ps4kit has not sent to
// (docs/protocol.md §1).
func (e *examination) firewall() {
	const (
		hint     = "If something is not found, open the ports: "
		consoles = 64 // that one process supports
	)
	ports := []string{fmt.Sprintf("%d/udp", mdnsPort)}
	if p := e.Config.Discovery.LocalPort; p != 0 {
		ports = append(ports, fmt.Sprintf("%d/udp", p))
	}
	first, last := 20000, 32767 // for consoles without a configured port
	if p := int(e.Config.HomeKit.Port); p != 0 {
		first, last = p, p+consoles-1
	}
	conf, _ := fs.ReadFile(e.System.Root, "etc/ufw/ufw.conf")
	ufw := regexp.MustCompile(`(?m)^\s*ENABLED=["']?yes["']?\s*$`).Match(conf)
	processes, _ := fs.Glob(e.System.Root, "proc/[0-9]*/comm")
	firewalld := slices.ContainsFunc(processes, func(file string) bool {
		name, _ := fs.ReadFile(e.System.Root, file)
		return strings.TrimSpace(string(name)) == "firewalld"
	})
	switch {
	case ufw:
		ports = append(ports, fmt.Sprintf("%d:%d/tcp", first, last))
		e.warn("firewall", hint+"sudo ufw allow "+strings.Join(ports, "; sudo ufw allow "), "ufw is active")
	case firewalld:
		ports = append(ports, fmt.Sprintf("%d-%d/tcp", first, last))
		e.warn("firewall", hint+"sudo firewall-cmd --add-port="+strings.Join(ports, " --add-port=")+", and again with --permanent", "firewalld is active")
	default:
		e.ok("firewall", "neither ufw nor firewalld is active")
	}
}

// Below these limits, in bytes, saving the state may fail or fails.
const (
	lowSpace = 32 << 20
	noSpace  = 1 << 20
)

// state judges the state directory as it was before anything opened it.
func (e *examination) state(in state.Inspection, err error) {
	const check = "state"
	switch {
	case errors.Is(err, fs.ErrNotExist) && in.Writable != nil:
		e.fail(check, "Create it for this user, or choose another with --state-dir.", "%s does not exist, and this user can't create it", e.StateDir)
		return
	case errors.Is(err, fs.ErrNotExist):
		e.ok(check, "%s will be created when it is needed", e.StateDir)
		return
	case err != nil:
		e.fail(check, "Make it readable for this user, or choose another with --state-dir.", "%v", err)
		return
	}
	good := true
	fail := func(hint, format string, args ...any) { good = false; e.fail(check, hint, format, args...) }
	if in.Mode&0o002 != 0 {
		fail("Run: chmod 750 "+e.StateDir, "everyone can write to %s", e.StateDir)
	}
	if in.Writable != nil && !e.Running {
		fail("Run ps4kit as the directory's owner, or choose another with --state-dir.", "this user can't write to %s", e.StateDir)
	}
	if in.Free < noSpace {
		fail("Free some space.", "the disk of %s is full, so nothing can be saved", e.StateDir)
	} else if in.Free < lowSpace {
		e.warn(check, "Free some space.", "only %d MB are free on the disk of %s", in.Free>>20, e.StateDir)
	}
	if len(in.Damaged) > 0 {
		fail("Restore a backup (ps4kit restore FILE), or reset the damaged file (ps4kit homekit reset) and pair again.",
			"damaged: %s", list(in.Damaged))
	}
	if len(in.Newer) > 0 {
		fail("Install the newer version again, or restore a backup.", "written by a newer ps4kit: %s", list(in.Newer))
	}
	if len(in.Aside) > 0 {
		e.warn(check, "Remove them if nothing is missing, or restore a backup.", "damaged files were set aside: %s", list(in.Aside))
	}
	if len(in.Exposed) > 0 {
		e.warn(check, "Run chmod 600 on them in "+e.StateDir+".", "other users can read secrets in %s", list(in.Exposed))
	}
	if good {
		e.ok(check, "%s in %s", plural(in.Documents, "document", "documents"), e.StateDir)
	}
}
