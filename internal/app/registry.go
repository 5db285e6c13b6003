package app

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// registry knows which consoles exist and which of them the owner has accepted.
//
// Anyone on the network can answer a search as any number of consoles, so a
// console that was only found is a stranger: it gets no credential, and makes
// room for others once it is silent.
type registry struct {
	env
	tasks
	users   users
	network *ps4.Network
	options ps4.Options // of consoles without settings of their own
	art     *art
	homekit *homekit

	meeting      sync.Mutex // held while a console gets, changes or loses its unit or its titles, so that it has only one unit
	sightings    sightings
	crowded      sync.Once // logs once that too many consoles answer
	otherConsole sync.Once // logs once that another console answers at a configured address

	mu      sync.Mutex
	units   map[string]*unit // by host id
	refused map[string]error // known consoles that cannot be served and why, by host id
}

// maxConsoles is how many consoles one process is built for
// (docs/ARCHITECTURE.md); their ports are that many from homekit.port on.
const maxConsoles = 64

// start makes the unit of a known console, offers it to HomeKit and runs it. If
// that fails it logs why and returns nil.
func (r *registry) start(k known) *unit {
	log := r.log.WithFields(logrus.Fields{"console": k.name, "host_id": k.hostID})
	u, err := r.newUnit(k)
	var ln net.Listener
	if err == nil {
		err = r.homekit.offer(u)
	}
	if err == nil {
		ln, err = r.homekit.listen(u.hap)
	}
	if err != nil {
		log.WithError(err).Error("this console is not offered to HomeKit")
		r.mu.Lock()
		r.refused[k.hostID] = err
		r.mu.Unlock()
		r.events.Changed()
		return nil
	}
	u.running.Store(true)
	r.add(u)
	log.WithFields(logrus.Fields{"address": FormatAddress(k.addr), "port": u.hap.port}).Info("console added")
	u.run(r.tasks, func(ctx context.Context) {
		g, ctx := errgroup.WithContext(ctx)
		g.Go(func() error { return u.tv.Run(ctx) })
		g.Go(func() error { return u.hap.serve(ctx, ln) })
		if err := g.Wait(); err != nil {
			log.WithError(err).Error("this console is no longer offered to HomeKit")
		}
	})
	return u
}

// restart tries again to offer a refused console to HomeKit. It replaces the
// unit that a command may have given it.
func (r *registry) restart(k known) error {
	r.meeting.Lock()
	defer r.meeting.Unlock()
	r.withdraw(k.hostID)
	_, err := r.place(k, true)
	return err
}

// runTelevision runs the television of a unit that is not served.
func (r *registry) runTelevision(u *unit) {
	if u.running.Swap(true) {
		return
	}
	u.run(r.tasks, func(ctx context.Context) {
		if err := u.tv.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			r.log.WithError(err).Warn("console")
		}
	})
}

// isKnown reports whether the owner has accepted a console.
func (r *registry) isKnown(hostID string) bool {
	u := r.unit(hostID)
	return u != nil && u.isAccepted()
}

// meet handles the answer of a console and returns its unit: the one it has, a
// new one if there is room, or nil. A console that was only found gets a unit,
// and is stored, once two searches found it; earlier only if a command needs it,
// and then it is not stored.
func (r *registry) meet(st ps4.Status, needed bool) *unit {
	r.meeting.Lock()
	defer r.meeting.Unlock()
	k := r.fromStatus(st)
	stays := k.standing > stranger || r.sightings.repeated(st)
	u := r.unit(st.HostID)
	named := u != nil && k.standing == configured && u.standing() != configured // an entry of config.yaml turns out to mean it
	switch {
	case u == nil && !needed && (!stays || r.refusals()[k.hostID] != nil), u == nil && !r.makeRoom(k, needed):
		return nil
	case u != nil && !named:
		k.standing = max(k.standing, u.standing())
		k.addr = u.console.Addr() // the library changes it, by its rules
	}
	if stays && st.Addr == k.addr { // a reply from elsewhere may be forged
		r.remember(k, st)
	}
	if u != nil && !named && (u.hap != nil || !stays || !r.offers(k)) {
		return u
	}
	u, err := r.place(k, stays)
	if err != nil {
		r.log.WithError(err).Warn("a console that answered cannot be used")
	}
	return u
}

// place makes a unit for a console and replaces the one that it has. The unit
// has a HAP server if the console stays and belongs in HomeKit.
func (r *registry) place(k known, stays bool) (*unit, error) {
	if r.unit(k.hostID) != nil {
		r.withdraw(k.hostID)
	}
	if stays && r.offers(k) {
		if u := r.start(k); u != nil {
			return u, nil
		}
	}
	u, err := r.newUnit(k)
	if err != nil {
		return nil, err
	}
	r.add(u)
	return u, nil
}

// remember stores what a console said of itself for the next start, if any of
// it is new.
func (r *registry) remember(k known, st ps4.Status) {
	_ = r.files.change(st.HostID, true, func(seen *state.Console) { // logged there
		before := *seen
		seen.HostType = cmp.Or(seen.HostType, st.HostType) // it never changes
		seen.Name, seen.Address = st.HostName, st.Addr
		seen.SystemVersion, seen.RequestPort = st.SystemVersion, cmp.Or(st.RequestPort, seen.RequestPort)
		seen.Stranger, seen.Added = k.standing == stranger, seen.Added || k.standing == added
		if k.config.HostID == "" && k.config.Address.IsValid() {
			seen.ConfigAddress = k.config.Address
		}
		if *seen != before {
			seen.LastSeen = time.Now()
		}
	})
}

// note stores what an accepted console has just said of itself.
func (r *registry) note(u *unit, st ps4.Status) {
	r.meeting.Lock()
	defer r.meeting.Unlock()
	if u.isAccepted() && u.simulated == nil && r.unit(u.hostID) == u {
		r.remember(u.now(), st)
	}
}

// forget stops the unit of a console and removes everything that is stored.
func (r *registry) forget(hostID string) error {
	r.meeting.Lock()
	defer r.meeting.Unlock()
	r.sightings.forget(hostID)
	r.withdraw(hostID)
	return r.files.forget(hostID)
}

// offers reports whether this process offers a console to HomeKit.
func (r *registry) offers(k known) bool {
	return r.homekit.serves() && r.refusals()[k.hostID] == nil && r.publishes(k)
}

// makeRoom reports whether a console that is new may get a unit. One that the
// owner has accepted or that a command needs always may. Among strangers, an
// address has room for one, and all together for maxConsoles; those that are
// silent and unpaired make room for others.
func (r *registry) makeRoom(k known, needed bool) bool {
	if k.standing > stranger || needed {
		return true
	}
	units := r.list()
	var silent *unit
	for _, u := range units {
		switch sameAddress := u.console.Addr() == k.addr; {
		case !r.evictable(u):
		case r.isSilent(u):
			if silent == nil || sameAddress {
				silent = u
			}
		case sameAddress:
			return false
		}
	}
	crowded := len(units)+len(r.refusals()) >= maxConsoles
	switch {
	case silent != nil && (crowded || silent.console.Addr() == k.addr):
		r.withdraw(silent.hostID)
		if err := r.files.forget(silent.hostID); err != nil {
			r.log.WithError(err).Warn("cannot forget a console that is gone")
		}
	case crowded:
		r.crowded.Do(func() {
			r.log.Warnf("more than %d consoles answer: the others are left out; ps4kit consoles add ADDRESS accepts one", maxConsoles)
		})
		return false
	}
	return true
}

// isSilent reports whether a console has left polls unanswered.
func (r *registry) isSilent(u *unit) bool {
	snapshot := u.tv.Snapshot()
	polls := time.Duration(r.config.Poll.Misses+1) * 2 * r.config.Poll.Interval
	return snapshot.State == ps4.StateUnreachable && time.Since(cmp.Or(snapshot.LastSeen, u.made)) > polls
}

// evictable reports whether a unit is that of an unpaired stranger.
func (r *registry) evictable(u *unit) bool {
	switch {
	case u.isAccepted():
		return false
	case u.hap != nil:
		return !u.hap.Info().Paired
	}
	record, err := r.files.homekit(u.hostID).Load()
	return len(record.Pairings) == 0 && (err == nil || errors.Is(err, fs.ErrNotExist))
}

// withdraw stops the unit of a console, if it has one, and waits for everything
// that it runs. It forgets that the console could not be served.
func (r *registry) withdraw(hostID string) {
	r.mu.Lock()
	u := r.units[hostID]
	delete(r.units, hostID)
	delete(r.refused, hostID)
	r.mu.Unlock()
	if u != nil {
		u.stop()
		u.runs.Wait()
	}
	r.events.Changed()
}

// accept raises the standing of a console to accepted or added, and returns its
// unit: from now on it may get the credential, and it belongs in HomeKit.
func (r *registry) accept(u *unit, as standing) (*unit, error) {
	r.meeting.Lock()
	defer r.meeting.Unlock()
	if u.standing() >= as {
		return u, nil
	}
	r.authorize(u)
	u.current.Store(int32(as))
	k := u.now()
	r.remember(k, u.lastStatus())
	if u.hap == nil && r.offers(k) {
		return r.place(k, true)
	}
	r.events.Changed()
	return u, nil
}

// proved stores what a command proved about a console.
func (r *registry) proved(u *unit, fact *atomic.Bool, store func(*state.Console)) {
	_ = r.files.change(u.hostID, false, store) // logged there
	if fact.CompareAndSwap(false, true) {
		r.events.Changed()
	}
}

// add registers a unit.
func (r *registry) add(u *unit) {
	r.mu.Lock()
	r.units[u.hostID] = u
	r.mu.Unlock()
	r.events.Changed()
	u.tv.RefreshNames() // one may have been learned since the television was made
}

// linked starts to use the new Remote Play registration of a console.
func (r *registry) linked(u *unit) error {
	if (u.remote != nil) == r.usesRemotePlay(u.known) {
		r.authorize(u)
		r.events.Changed()
		return nil
	}
	r.meeting.Lock()
	defer r.meeting.Unlock()
	_, err := r.place(u.now(), true)
	return err
}

// permitKeys stores whether keys may be pressed with Remote Play, and gives the
// console a new unit that does.
func (r *registry) permitKeys(u *unit, on bool) error {
	r.meeting.Lock()
	defer r.meeting.Unlock()
	k := u.now()
	if k.keys == on {
		return nil
	}
	k.keys = on
	if err := r.files.change(u.hostID, false, func(c *state.Console) { c.RemotePlayKeys = on }); err != nil {
		return err
	}
	_, err := r.place(k, true)
	return err
}

// changedConsole tells the companion bridge and the page that a television has
// something new to show. It does not block. A console of unknown type gets another
// unit if it turns out to be a PS5.
func (r *registry) changedConsole(u *unit) {
	if c := r.homekit.companion.Load(); c != nil {
		c.Changed(u.hostID)
	}
	r.events.Changed()
	if u.untyped() && u.tv != nil && u.tv.Snapshot().HostType == ps4.TypePS5 {
		u.retype.Do(func() { r.run(func(context.Context) { r.asPS5(u) }) })
	}
}

// withType asks a console of unknown type for it before a command uses its unit,
// which would end if the console turned out to be a PS5 meanwhile.
func (r *registry) withType(ctx context.Context, u *unit) *unit {
	if !u.untyped() {
		return u
	}
	hostType := u.tv.Snapshot().HostType
	if hostType == "" {
		st, _ := u.console.Ask(ctx, typeTime) // the command reports a failure
		hostType = st.HostType
	}
	if hostType != ps4.TypePS5 {
		return u
	}
	return r.asPS5(u)
}

// typeTime limits how long a command waits to learn the type of a console.
const typeTime = time.Second

// asPS5 gives a console that turned out to be a PS5 another unit, unless it has
// one already, and returns it.
func (r *registry) asPS5(u *unit) *unit {
	r.meeting.Lock()
	defer r.meeting.Unlock()
	if current := r.unit(u.hostID); current != u {
		return cmp.Or(current, u)
	}
	k := u.now()
	k.hostType = ps4.TypePS5
	placed, err := r.place(k, true)
	if err != nil {
		r.log.WithError(err).Warn("a PS5 cannot be used")
		return u
	}
	return placed
}

// refusals returns why known consoles cannot be served, by host id. A command may
// have given one a unit without a HAP server.
func (r *registry) refusals() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.refused)
}

// list returns the units of this moment, by host id.
func (r *registry) list() []*unit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.units), func(a, b *unit) int { return strings.Compare(a.hostID, b.hostID) })
}

// unit returns a console's unit, nil if it has none.
func (r *registry) unit(hostID string) *unit {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.units[hostID]
}

// unitAt returns the unit of the console at an address, nil if there is none. If
// one console has replaced another there, it returns the one that answers.
func (r *registry) unitAt(addr netip.AddrPort) (at *unit) {
	for _, u := range r.list() {
		if u.console.Addr() == addr && (at == nil || at.tv.Snapshot().State == ps4.StateUnreachable) {
			at = u
		}
	}
	return at
}
