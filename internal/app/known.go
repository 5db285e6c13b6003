package app

import (
	"fmt"
	"net/netip"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// known is a console that gets a unit: what was configured, what is remembered, and
// what it said of itself, brought together.
type known struct {
	hostID    string
	addr      netip.AddrPort // zero: not known yet
	name      string
	firmware  string
	hostType  string         // PS4 unless it said something else
	config    config.Console // zero when the owner wrote nothing about it
	simulated *ps4test.Console
	found     bool // by a search or a command, not named by the configuration
}

func (s *server) startSimulators() ([]*ps4test.Console, error) {
	if s.Simulate == 0 {
		return nil, nil
	}
	key, err := s.State.SimulatorKey()
	if err != nil {
		return nil, fmt.Errorf("simulated consoles: %w", err)
	}
	var list []*ps4test.Console
	for n := 1; n <= s.Simulate; n++ {
		console, err := startSimulated(n, key, s.debugf("simulator"))
		if err != nil {
			return list, err
		}
		list = append(list, console)
	}
	return list, nil
}

// knownConsoles lists the consoles that can be served at once, each host id once:
// the simulated ones, those of the configuration, and those that are remembered when
// discovery is on. A configured console whose host id is not known yet waits for its
// first answer.
func (s *server) knownConsoles(simulated []*ps4test.Console) []known {
	var list []known
	seen := map[string]bool{}
	add := func(k known) {
		if k.hostID != "" && !seen[k.hostID] {
			seen[k.hostID] = true
			list = append(list, k)
		}
	}
	for _, sim := range simulated {
		add(known{hostID: sim.HostID(), addr: sim.Addr(), name: sim.Name(), simulated: sim})
	}
	remembered := s.files.consoles()
	for _, c := range s.Config.Consoles {
		add(s.fromConfig(c, remembered))
	}
	for _, r := range remembered {
		if r.HostType == hostTypePS4 && (s.alone || s.publishes(r.Address)) {
			add(known{hostID: r.HostID, addr: r.Address, name: r.Name, firmware: r.SystemVersion, found: true})
		}
	}
	return list
}

// publishes says whether a console that is remembered, and not configured, is offered
// to HomeKit: one that discovery could find again. A simulated one on loopback, which
// somebody only tried a command on, is not.
func (s *server) publishes(addr netip.AddrPort) bool {
	return s.Config.Discovery.Enabled && s.Simulate == 0 && !addr.Addr().IsLoopback()
}

// fromConfig completes a configured console with what is remembered of it.
func (s *server) fromConfig(c config.Console, remembered []state.Console) known {
	k := known{hostID: c.HostID, addr: c.Address, name: c.Name, config: c}
	for _, r := range remembered {
		if r.HostID != c.HostID && (c.HostID != "" || r.Address != c.Address) {
			continue
		}
		k.hostID, k.firmware = r.HostID, r.SystemVersion
		if !k.addr.IsValid() {
			k.addr = r.Address
		}
		if k.name == "" {
			k.name = r.Name
		}
	}
	return k
}

// fromStatus is a console that has just answered.
func (s *server) fromStatus(st ps4.Status) known {
	k := known{hostID: st.HostID, addr: st.Addr, name: st.HostName, firmware: st.SystemVersion, hostType: st.HostType, found: true}
	for _, c := range s.Config.Consoles {
		if c.HostID == st.HostID || (c.HostID == "" && c.Address == st.Addr) {
			k.config, k.found = c, false
			if c.Name != "" {
				k.name = c.Name
			}
		}
	}
	return k
}
