package app

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// known is what is known of a console before it has a unit: from the
// configuration, from an earlier run, and from its own reply.
type known struct {
	hostID    string
	addr      netip.AddrPort // zero: unknown
	name      string         // its name here
	hostName  string         // what it calls itself
	firmware  string
	hostType  string // "": a PS4, as far as known
	config    config.Console
	simulated *ps4test.Console
	found     bool // by a search or a command; the configuration does not name it
	added     bool // found, and added by the owner: served like a configured one
	stranger  bool // found, and not accepted by the owner
	keys      bool // the owner permitted Remote Play keys on the page; see permitsKeys
}

// permitsKeys reports whether keys may be pressed with Remote Play.
func (k known) permitsKeys() bool {
	if configured := k.config.RemotePlayKeys; configured != nil {
		return *configured
	}
	return k.keys
}

// configured reports whether an entry of config.yaml means the console.
func (k known) configured() bool { return k.config.HostID != "" || k.config.Address.IsValid() }

// known lists the consoles that are simulated, configured or remembered, each
// host id once. A configured console whose host id is unknown is missing until
// its first answer.
func (r *registry) known() []known {
	var list []known
	seen := map[string]bool{"": true}
	add := func(k known) {
		if !seen[k.hostID] {
			seen[k.hostID] = true
			list = append(list, k)
		}
	}
	for _, sim := range r.simulated {
		add(known{
			hostID: sim.HostID(), addr: sim.Addr(), name: sim.Name(), hostName: sim.Name(), hostType: simulatedType(sim.HostID()), simulated: sim,
		})
	}
	remembered := r.files.consoles()
	for _, c := range r.config.Consoles {
		k := known{hostID: c.HostID, addr: c.Address, name: c.Name, config: c}
		for _, seen := range remembered {
			if entryMeans(c, seen.HostID, remembered) {
				k.recall(seen)
			}
		}
		add(k)
	}
	for _, seen := range remembered {
		k := known{found: true, added: seen.Added, stranger: seen.Stranger}
		k.recall(seen)
		add(k)
	}
	return list
}

// publishes reports whether a console is served although it may not be
// configured: if it was added, or discovery could find it again.
func (r *registry) publishes(k known) bool {
	return !k.found || k.added || r.config.Discovery.Enabled && !r.simulating()
}

// recall fills in what is remembered of a console.
func (k *known) recall(r state.Console) {
	k.hostID, k.hostType, k.firmware, k.hostName, k.keys = r.HostID, r.HostType, r.SystemVersion, r.Name, r.RemotePlayKeys
	if r.Address.IsValid() {
		k.addr = r.Address
	}
	if k.name == "" {
		k.name = r.Name
	}
}

// entryMeans reports whether an entry of config.yaml means a console.
func entryMeans(c config.Console, hostID string, remembered []state.Console) bool {
	return c.HostID == hostID || c.HostID == "" && boundTo(c, remembered) == hostID
}

// boundTo returns the host id of the console that an entry of config.yaml
// without a host id means: the first one that was met at its address, or "".
// Consoles that swap their DHCP leases do not swap names and credentials.
func boundTo(c config.Console, remembered []state.Console) string {
	at := ""
	for _, r := range remembered {
		switch {
		case c.Address == r.ConfigAddress:
			return r.HostID
		case isAt(c.Address, r.Address) && !r.ConfigAddress.IsValid() && !r.Stranger: // accepted before the entry was written
			at = r.HostID
		}
	}
	return at
}

// fromStatus returns a console that has just answered. Anyone can claim to be
// an accepted console, so the address of one is where it was before.
func (r *registry) fromStatus(st ps4.Status) known {
	k := known{
		hostID: st.HostID, addr: st.Addr, name: st.HostName, hostName: st.HostName, firmware: st.SystemVersion,
		hostType: st.HostType, found: true, stranger: true,
	}
	remembered := r.files.consoles()
	if i := slices.IndexFunc(remembered, func(c state.Console) bool { return c.HostID == st.HostID }); i >= 0 {
		k.stranger, k.added, k.keys = remembered[i].Stranger, remembered[i].Added, remembered[i].RemotePlayKeys
		if !k.stranger && remembered[i].Address.IsValid() {
			k.addr = remembered[i].Address
		}
	}
	for _, c := range r.config.Consoles {
		unbound := c.HostID == "" && isAt(c.Address, st.Addr) && boundTo(c, remembered) == ""
		if !unbound && !entryMeans(c, st.HostID, remembered) {
			continue
		}
		k.config, k.found, k.stranger = c, false, false
		k.name = cmp.Or(c.Name, k.name)
		if isAt(c.Address, st.Addr) {
			k.addr = st.Addr
		}
	}
	return k
}

// isAt reports whether a console that answers at an address is at the one that a
// user named. An address without a port has the port of a PS4, but may mean a
// PS5.
func isAt(named, at netip.AddrPort) bool { return named == at || maybePS5(named) == at }

// maybePS5 returns where a PS5 would answer if a user named its address without
// a port; otherwise the address itself.
func maybePS5(named netip.AddrPort) netip.AddrPort {
	if named.Port() != ps4.DefaultPort {
		return named
	}
	return netip.AddrPortFrom(named.Addr(), ps4.PortPS5)
}

// warnReplaced logs once that an unknown console answers where config.yaml
// names another one by its address.
func (r *registry) warnReplaced(st ps4.Status) {
	remembered := r.files.consoles()
	for _, c := range r.config.Consoles {
		bound := boundTo(c, remembered)
		if c.HostID == "" && isAt(c.Address, st.Addr) && bound != "" && bound != st.HostID && !r.isKnown(st.HostID) {
			r.otherConsole.Do(func() {
				r.log.Warnf("config.yaml names the console at %v, which was %s; now %s (%s) answers there. "+
					"If it replaces the old one: ps4kit consoles forget %s", st.Addr.Addr(), bound, st.HostName, st.HostID, bound)
			})
		}
	}
}
