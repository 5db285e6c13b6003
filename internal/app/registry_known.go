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
	standing  standing
	keys      bool // the owner permitted Remote Play keys on the page; see permitsKeys
}

// standing is how far the owner trusts a console, in ascending order.
type standing int32

const (
	stranger   standing = iota // only found: gets no credential, see gate
	accepted                   // named in a command, or linked
	added                      // added by its address: served like a configured one, even without discovery
	configured                 // listed in config.yaml, or simulated
)

// standingOf returns the standing of a remembered console.
func standingOf(r state.Console) standing {
	switch {
	case r.Stranger:
		return stranger
	case r.Added:
		return added
	}
	return accepted
}

// permitsKeys reports whether keys may be pressed with Remote Play.
func (k known) permitsKeys() bool {
	if configured := k.config.RemotePlayKeys; configured != nil {
		return *configured
	}
	return k.keys
}

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
			hostID: sim.HostID(), addr: sim.Addr(), name: sim.Name(), hostName: sim.Name(), hostType: simulatedType(sim.HostID()),
			simulated: sim, standing: configured,
		})
	}
	remembered := r.files.consoles()
	for _, c := range r.config.Consoles {
		k := known{hostID: c.HostID, addr: c.Address, name: c.Name, config: c, standing: configured}
		for _, stored := range remembered {
			if meant(c, remembered) == stored.HostID {
				k.recall(stored)
			}
		}
		add(k)
	}
	for _, stored := range remembered {
		k := known{standing: standingOf(stored)}
		k.recall(stored)
		add(k)
	}
	return list
}

// publishes reports whether a console is served: if it is configured or was
// added, or if discovery could find it again.
func (r *registry) publishes(k known) bool {
	return k.standing >= added || r.config.Discovery.Enabled && !r.simulating()
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

// meant returns the host id of the console that an entry of config.yaml means.
// Without a host id the entry means the first console that was met at its
// address, so that consoles that swap their DHCP leases do not swap names and
// credentials; meant returns "" if there was none.
func meant(c config.Console, remembered []state.Console) string {
	if c.HostID != "" {
		return c.HostID
	}
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
		hostType: st.HostType,
	}
	remembered := r.files.consoles()
	if i := slices.IndexFunc(remembered, func(c state.Console) bool { return c.HostID == st.HostID }); i >= 0 {
		k.standing, k.keys = standingOf(remembered[i]), remembered[i].RemotePlayKeys
		if k.standing > stranger && remembered[i].Address.IsValid() {
			k.addr = remembered[i].Address
		}
	}
	for _, c := range r.config.Consoles {
		hostID := meant(c, remembered)
		if hostID != st.HostID && (hostID != "" || !isAt(c.Address, st.Addr)) {
			continue
		}
		k.config, k.standing = c, configured
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
		before := meant(c, remembered)
		if c.HostID == "" && isAt(c.Address, st.Addr) && before != "" && before != st.HostID && !r.isKnown(st.HostID) {
			r.otherConsole.Do(func() {
				r.log.Warnf("config.yaml names the console at %v, which was %s; now %s (%s) answers there. "+
					"If it replaces the old one: ps4kit consoles forget %s", st.Addr.Addr(), before, st.HostName, st.HostID, before)
			})
		}
	}
}
