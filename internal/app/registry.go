package app

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// The registry knows which consoles exist, and which of them the owner has
// accepted. Anybody on the network can answer a search as any number of
// consoles, so a console that was only found is a stranger: it gets no
// credential, and yields its place to others once it is silent.

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
}

// configured reports whether an entry of config.yaml means the console.
func (k known) configured() bool { return k.config.HostID != "" || k.config.Address.IsValid() }

const hostTypePS4 = ps4.TypePS4

// maxConsoles is how many consoles one process is built for
// (docs/ARCHITECTURE.md); their ports are that many from homekit.port on.
const maxConsoles = 64

// knownConsoles lists the consoles that can be served at once, each host id
// once: the simulated ones, those of the configuration, and, if discovery is
// on, those that are remembered. A configured console whose host id is unknown
// is missing until its first answer.
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
		add(known{hostID: sim.HostID(), addr: sim.Addr(), name: sim.Name(), hostName: sim.Name(), simulated: sim})
	}
	remembered := s.files.consoles()
	for _, c := range s.Config.Consoles {
		add(fromConfig(c, remembered))
	}
	for _, r := range remembered {
		k := known{hostID: r.HostID, found: true, added: r.Added, stranger: r.Stranger}
		if r.HostType == hostTypePS4 && (s.alone || s.publishes(k)) {
			k.recall(r)
			add(k)
		}
	}
	return list
}

// publishes reports whether a console is served although it may not be
// configured: if it was added, or discovery could find it again.
func (s *server) publishes(k known) bool {
	return !k.found || k.added || s.Config.Discovery.Enabled && s.Simulate == 0
}

// recall fills in what is remembered of a console.
func (k *known) recall(r state.Console) {
	k.hostID, k.hostType, k.firmware, k.hostName = r.HostID, r.HostType, r.SystemVersion, r.Name
	if r.Address.IsValid() {
		k.addr = r.Address
	}
	if k.name == "" {
		k.name = r.Name
	}
}

// fromConfig completes a configured console with what is remembered of it.
func fromConfig(c config.Console, remembered []state.Console) known {
	k := known{hostID: c.HostID, addr: c.Address, name: c.Name, config: c}
	for _, r := range remembered {
		if c.HostID == r.HostID || c.HostID == "" && boundTo(c, remembered) == r.HostID {
			k.recall(r)
		}
	}
	return k
}

// boundTo returns the host id of the console that an entry of config.yaml
// without a host id means: the first one that was met at its address, or "".
// Consoles that swap their DHCP leases do not swap names and credentials.
func boundTo(c config.Console, remembered []state.Console) string {
	at := ""
	for _, r := range remembered {
		switch c.Address {
		case r.ConfigAddress:
			return r.HostID
		case r.Address:
			if !r.ConfigAddress.IsValid() && !r.Stranger { // written by an earlier version
				at = r.HostID
			}
		}
	}
	return at
}

// fromStatus returns a console that has just answered. Anybody can claim to be
// an accepted console, so the address of one is where it was before.
func (s *server) fromStatus(st ps4.Status) known {
	k := known{
		hostID: st.HostID, addr: st.Addr, name: st.HostName, hostName: st.HostName, firmware: st.SystemVersion,
		hostType: st.HostType, found: true, stranger: true,
	}
	remembered := s.files.consoles()
	for _, r := range remembered {
		if r.HostID != st.HostID {
			continue
		}
		k.stranger, k.added = r.Stranger, r.Added
		if !r.Stranger && r.Address.IsValid() {
			k.addr = r.Address
		}
	}
	for _, c := range s.Config.Consoles {
		if c.HostID != st.HostID && !(c.HostID == "" && s.means(c, st, remembered)) {
			continue
		}
		k.config, k.found, k.stranger = c, false, false
		k.name = cmp.Or(c.Name, k.name)
		if c.Address == st.Addr {
			k.addr = st.Addr
		}
	}
	return k
}

// means reports whether an entry that names just an address means the console
// that answered.
func (s *server) means(c config.Console, st ps4.Status, remembered []state.Console) bool {
	bound := boundTo(c, remembered)
	if bound == "" {
		return c.Address == st.Addr
	}
	if bound != st.HostID && c.Address == st.Addr && !s.isKnown(st.HostID) && !s.alone { // else see noteReplaced
		s.otherConsole.Do(func() {
			s.Log.Warnf("config.yaml names the console at %v, which was %s; now %s (%s) answers there. "+
				"If it replaces the old one: ps4kit consoles forget %s", st.Addr.Addr(), bound, st.HostName, st.HostID, bound)
		})
	}
	return bound == st.HostID
}

// isKnown reports whether the owner has accepted a console.
func (s *server) isKnown(hostID string) bool {
	u := s.unit(hostID)
	return u != nil && u.accepted.Load()
}

// meet takes in a console that has answered and returns its unit: the one it
// has, or a new one if there is room. A console that was only found leaves
// nothing behind until it was found twice; before that it has a unit only if a
// command needs one. It returns nil without a unit.
func (s *server) meet(st ps4.Status, needed bool) *unit {
	s.meeting.Lock()
	defer s.meeting.Unlock()
	k := s.fromStatus(st)
	stays := !k.stranger || s.sightings.repeated(st)
	u := s.unit(st.HostID)
	named := u != nil && k.configured() && !u.configured() // an entry of config.yaml turns out to mean it
	switch {
	case u == nil && !needed && (!stays || slices.Contains(s.refusals(), k.hostID)), u == nil && !s.makeRoom(k, needed):
		return nil
	case u != nil && !named:
		k.stranger = k.stranger && !u.accepted.Load()
		k.addr = u.console.Addr() // the library changes it, by its rules
	}
	if stays && st.Addr == k.addr { // a reply from elsewhere may be forged
		s.remember(k, st)
	}
	if u != nil && !named && (u.hap != nil || !stays || !s.offers(k)) {
		return u
	}
	return s.place(k, stays)
}

// place gives a console a new unit, which replaces the one that it may have:
// if it stays and belongs in HomeKit, with a HAP server.
func (s *server) place(k known, stays bool) *unit {
	if u := s.unit(k.hostID); u != nil {
		s.withdraw(u)
	}
	if stays && s.offers(k) {
		if u := s.startUnit(s.life, k); u != nil {
			return u
		}
	}
	u, err := s.newUnit(k)
	if err != nil {
		s.Log.WithError(err).Warn("a console that answered cannot be used")
		return nil
	}
	s.add(u)
	return u
}

// remember stores what a console said of itself for the next start.
func (s *server) remember(k known, st ps4.Status) {
	s.files.remember(st, func(c *state.Console) {
		c.Stranger, c.Added = k.stranger, k.added
		if k.config.HostID == "" && k.config.Address.IsValid() {
			c.ConfigAddress = k.config.Address
		}
	})
}

// offers reports whether a console belongs in HomeKit.
func (s *server) offers(k known) bool {
	return !s.alone && cmp.Or(k.hostType, hostTypePS4) == hostTypePS4 &&
		!slices.Contains(s.refusals(), k.hostID) && s.publishes(k)
}

// makeRoom reports whether a console that is new may get a unit. One that the
// owner has accepted or that a command needs always may. Among strangers, an
// address has room for one, and all together for maxConsoles; those that are
// silent and unpaired make room for others.
func (s *server) makeRoom(k known, needed bool) bool {
	if !k.stranger || needed {
		return true
	}
	units := s.list()
	var silent *unit
	for _, u := range units {
		switch sameAddress := u.console.Addr() == k.addr; {
		case !u.evictable():
		case s.isSilent(u):
			if silent == nil || sameAddress {
				silent = u
			}
		case sameAddress:
			return false
		}
	}
	crowded := len(units)+len(s.refusals()) >= maxConsoles
	switch {
	case silent != nil && (crowded || silent.console.Addr() == k.addr):
		if err := s.remove(silent); err != nil {
			s.Log.WithError(err).Warn("cannot forget a console that is gone")
		}
	case crowded:
		s.crowded.Do(func() {
			s.Log.Warnf("more than %d consoles answer: the others are left out; ps4kit consoles add ADDRESS accepts one", maxConsoles)
		})
		return false
	}
	return true
}

// isSilent reports whether a console has left polls unanswered.
func (s *server) isSilent(u *unit) bool {
	snapshot := u.tv.Snapshot()
	heard := u.made
	if snapshot.LastSeen.After(heard) {
		heard = snapshot.LastSeen
	}
	polls := time.Duration(s.Config.Poll.Misses+1) * 2 * s.Config.Poll.Interval
	return snapshot.State == ps4.StateUnreachable && time.Since(heard) > polls
}

// evictable reports whether a unit is an unpaired stranger's.
func (u *unit) evictable() bool {
	if u.accepted.Load() || u.hap != nil {
		return !u.accepted.Load() && !u.hap.Info().Paired
	}
	record, err := u.store.Load()
	return len(record.Pairings) == 0 && (err == nil || errors.Is(err, fs.ErrNotExist))
}

// withdraw stops a unit.
func (s *server) withdraw(u *unit) {
	s.mu.Lock()
	delete(s.units, u.hostID)
	delete(s.refused, u.hostID)
	s.mu.Unlock()
	u.stop()
	u.runs.Wait()
	s.consolesChanged()
	s.tellPage()
}

// remove stops a unit and forgets everything that is stored of its console.
func (s *server) remove(u *unit) error {
	s.withdraw(u)
	return s.files.forget(u.hostID)
}

// accept notes that the owner means this console, and returns its unit: from
// now on it may get the credential, and it belongs in HomeKit. A console that
// is added is served even if discovery is off.
func (s *server) accept(u *unit, add bool) (*unit, error) {
	s.meeting.Lock()
	defer s.meeting.Unlock()
	add = add && u.found
	if u.accepted.Load() && (!add || u.isAdded.Load()) {
		return u, nil
	}
	user, err := s.user(u.known)
	if err != nil {
		return nil, err
	}
	u.console.SetUser(user)
	u.accepted.Store(true)
	if add {
		u.isAdded.Store(true)
	}
	k := u.now()
	s.remember(k, u.lastStatus())
	if u.hap == nil && s.offers(k) {
		if u = s.place(k, true); u == nil {
			return nil, unknownConsole(k.hostID)
		}
	}
	s.tellPage()
	return u, nil
}

// now returns what is known of the console now.
func (u *unit) now() known {
	k := u.known
	k.addr, k.added, k.stranger = u.console.Addr(), u.isAdded.Load(), !u.accepted.Load()
	return k
}

// lastStatus returns what the console last said of itself.
func (u *unit) lastStatus() ps4.Status {
	last := u.tv.Snapshot()
	return ps4.Status{
		HostID: u.hostID, HostType: cmp.Or(u.hostType, hostTypePS4), HostName: cmp.Or(last.HostName, u.hostName),
		Addr: u.console.Addr(), SystemVersion: cmp.Or(last.SystemVersion, u.firmware), RequestPort: last.RequestPort,
	}
}

// origin returns how the console is known.
func (u *unit) origin() string {
	switch {
	case !u.found:
		return api.OriginConfigured
	case u.accepted.Load():
		return api.OriginAccepted
	}
	return api.OriginFound
}

// gate keeps commands, and the credential with them, from a console that the
// owner has not accepted.
type gate struct {
	accessory.Console
	unit *unit
}

func (g gate) Wake(ctx context.Context) error {
	if !g.unit.accepted.Load() {
		return accessory.ErrNotAccepted
	}
	return g.Console.Wake(ctx)
}

func (g gate) Do(ctx context.Context, work func(context.Context, accessory.Session) error) error {
	if !g.unit.accepted.Load() {
		return accessory.ErrNotAccepted
	}
	return g.Console.Do(ctx, work)
}

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

// refusal returns why a console has no unit; nil: it has one, or is unknown.
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

// list returns the units of this moment, by host id.
func (s *server) list() []*unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.units), func(a, b *unit) int { return strings.Compare(a.hostID, b.hostID) })
}

// unit returns a console's unit, nil if it has none.
func (s *server) unit(hostID string) *unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.units[hostID]
}

// unitAt returns the unit of the console at an address, nil if there is none.
// Of two, one of which another console has replaced there, it is the one that
// answers.
func (s *server) unitAt(addr netip.AddrPort) (at *unit) {
	for _, u := range s.list() {
		if u.console.Addr() == addr && (at == nil || at.tv.Snapshot().State == ps4.StateUnreachable) {
			at = u
		}
	}
	return at
}
