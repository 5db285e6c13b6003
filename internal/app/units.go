package app

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// add takes a unit in.
func (s *server) add(u *unit) {
	s.mu.Lock()
	s.units[u.hostID] = u
	if u.hap != nil {
		delete(s.refused, u.hostID)
	}
	s.mu.Unlock()
	s.tellPage()
	u.tv.RefreshNames() // one may have been learned since the television was made
}

// refuse notes why a known console has no unit.
func (s *server) refuse(hostID string, why error) {
	s.mu.Lock()
	s.refused[hostID] = why
	s.mu.Unlock()
	s.tellPage()
}

// refusal is why a console has no unit; nil: it has one, or is not known.
func (s *server) refusal(hostID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.units[hostID] != nil {
		return nil
	}
	return s.refused[hostID]
}

// refusals lists the known consoles that have no unit, by host id.
func (s *server) refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.refused))
}

// list returns the units as they are now, by host id.
func (s *server) list() []*unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	units := make([]*unit, 0, len(s.units))
	for _, u := range s.units {
		units = append(units, u)
	}
	slices.SortFunc(units, func(a, b *unit) int { return strings.Compare(a.hostID, b.hostID) })
	return units
}

// unit returns that of a console, nil when it has none.
func (s *server) unit(hostID string) *unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.units[hostID]
}

// serves says whether a console at the address has a unit.
func (s *server) serves(addr netip.AddrPort) bool {
	for _, u := range s.list() {
		if u.tv.Snapshot().Addr == addr {
			return true
		}
	}
	return false
}
