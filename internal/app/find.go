package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// ownerKey marks a context as that of the owner's command line.
type ownerKey struct{}

// asOwner marks ctx: what comes from the command line or through the socket may
// name a console by any address, and by naming it accepts it.
func asOwner(ctx context.Context) context.Context { return context.WithValue(ctx, ownerKey{}, true) }

// forOwner marks the requests of the socket, which only the owner can open.
func forOwner(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(asOwner(r.Context()))) })
}

func (s *server) isOwner(ctx context.Context) bool { return s.alone || ctx.Value(ownerKey{}) != nil }

// find returns the unit of the console that host names, with its television
// running: by host id, by its name here or by its own, or by address. An empty
// host is the only PS4 that is known. The owner may name a console that is
// unknown yet; it gets a unit.
func (s *server) find(ctx context.Context, host string) (*unit, error) {
	if addr, err := ps4.ParseAddress(host); err == nil {
		return s.findAt(ctx, addr)
	}
	var silent []string // configured consoles that host may mean, and that have not answered yet
	if host == "" {
		silent = s.meetConfigured(ctx)
	}
	matches := s.matching(host)
	if len(matches)+len(silent) == 0 && s.isOwner(ctx) {
		var err error
		if matches, err = s.search(ctx, host); err != nil {
			return nil, err
		}
	}
	switch {
	case len(matches)+len(silent) > 1:
		return nil, ambiguous(append(names(matches), silent...))
	case len(matches) == 1:
		s.runTelevision(matches[0])
		return matches[0], nil
	case len(silent) == 1:
		return nil, fmt.Errorf("%w (%s)", ps4.ErrUnreachable, silent[0])
	case host == "":
		return nil, &api.Error{Code: "unreachable", Message: "no console was found",
			Hint: "Switch the PS4 on or put it into rest mode, or give its address: --ip-address."}
	}
	return nil, unknownConsole(host)
}

func ambiguous(fit []string) error {
	return &api.Error{Code: "ambiguous", Message: "several consoles fit: " + strings.Join(fit, ", "),
		Hint: "Choose one with --name, --host-id or --ip-address."}
}

func unknownConsole(host string) error {
	return &api.Error{Code: "not_found", Message: "no console is known as " + host,
		Hint: "ps4kit search lists the consoles in this network."}
}

// findAt returns the unit of the console that answers at an address, whichever
// it is. Only the owner may name an address where no console is known.
func (s *server) findAt(ctx context.Context, addr netip.AddrPort) (*unit, error) {
	known := s.unitAt(addr)
	if !s.isOwner(ctx) {
		if known == nil {
			return nil, unknownConsole(FormatAddress(addr))
		}
		s.runTelevision(known)
		return known, nil
	}
	st, err := s.network.Console(addr, ps4.Credential{}).Status(ctx)
	if errors.Is(err, ps4.ErrUnreachable) && known != nil && time.Now().Before(known.console.DeafUntil()) {
		s.runTelevision(known)
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	if known != nil && known.hostID != st.HostID {
		s.noteReplaced(ctx, known, st)
	}
	u := s.meet(st, true)
	if u == nil {
		return nil, unknownConsole(FormatAddress(addr))
	}
	s.readdress(ctx, u, addr)
	s.runTelevision(u)
	return u, nil
}

// readdress has a console asked at the address that the owner names, unless it
// still answers at its own: two addresses then claim its host id, and the
// current one stays.
func (s *server) readdress(ctx context.Context, u *unit, addr netip.AddrPort) {
	from := u.console.Addr()
	if from == addr {
		return
	}
	if _, err := u.console.Status(ctx); err == nil {
		s.Log.Warnf("%s and %s both claim to be console %s: keeping %s", FormatAddress(from), FormatAddress(addr), u.hostID, FormatAddress(from))
		return
	}
	u.console.SetAddr(addr)
	s.Log.Warnf("console %s is at %s now, not at %s", u.hostID, FormatAddress(addr), FormatAddress(from))
}

// noteReplaced tells the user, until the console is accepted, that another one
// answers at the address than before.
func (s *server) noteReplaced(ctx context.Context, before *unit, st ps4.Status) {
	if u := s.unit(st.HostID); u != nil && u.accepted.Load() && u.console.Addr() == st.Addr {
		return
	}
	text := fmt.Sprintf("the console at %s is %s (%s) now, not %s (%s)",
		FormatAddress(st.Addr), st.HostName, st.HostID, before.tv.Snapshot().Name, before.hostID)
	if before.config.HostID == "" && before.config.Address == st.Addr {
		text += "; config.yaml means the old one until you forget it: ps4kit consoles forget " + before.hostID
	}
	api.Notice(ctx, text)
}

// findAccepted is find for what may send the credential: the owner accepts a
// console by naming it.
func (s *server) findAccepted(ctx context.Context, host string) (*unit, error) {
	u, err := s.findPS4(ctx, host)
	if err != nil {
		return nil, err
	}
	if host != "" && s.isOwner(ctx) {
		return s.accept(u, false)
	}
	return u, nil
}

// findKept is find for what is stored of a console. Nothing is kept for one
// that is neither accepted nor in HomeKit.
func (s *server) findKept(ctx context.Context, host string) (*unit, error) {
	u, err := s.findAccepted(ctx, host)
	if err == nil && !u.accepted.Load() && u.hap == nil {
		return nil, accessory.ErrNotAccepted
	}
	return u, err
}

// findPS4 is find for what only a PS4 can do.
func (s *server) findPS4(ctx context.Context, host string) (*unit, error) {
	u, err := s.find(ctx, host)
	if err == nil && u.hostType != "" && u.hostType != hostTypePS4 {
		return nil, ps4.ErrUnsupported
	}
	return u, err
}

// matching returns the units that host may mean. A stranger may call itself
// anything: it counts only if no accepted console fits.
func (s *server) matching(host string) []*unit {
	var matches []*unit
	for _, u := range s.list() {
		if host == "" && u.lastSeen().HostType == hostTypePS4 || host != "" && u.is(host) {
			matches = append(matches, u)
		}
	}
	if accepted := keep(matches, func(u *unit) bool { return u.accepted.Load() }); len(accepted) > 0 {
		matches = accepted
	}
	if host == "" && !s.Config.Discovery.Enabled {
		matches = chosen(matches)
	}
	return matches
}

// chosen leaves out consoles that were only tried, if there are configured or
// added ones.
func chosen(units []*unit) []*unit {
	named := keep(units, func(u *unit) bool { return !u.found || u.isAdded.Load() })
	if len(named) == 0 {
		return units
	}
	return named
}

func keep(units []*unit, wanted func(*unit) bool) (kept []*unit) {
	for _, u := range units {
		if wanted(u) {
			kept = append(kept, u)
		}
	}
	return kept
}

// is says whether host names the console.
func (u *unit) is(host string) bool {
	snapshot := u.tv.Snapshot()
	return strings.EqualFold(host, u.hostID) || strings.EqualFold(host, snapshot.Name) ||
		strings.EqualFold(host, cmp.Or(snapshot.HostName, u.hostName))
}

// isCalled says whether host is the host id or the name of a console that answers.
func isCalled(host string, st ps4.Status) bool {
	return host != "" && (strings.EqualFold(host, st.HostID) || strings.EqualFold(host, st.HostName))
}

func names(units []*unit) []string {
	var list []string
	for _, u := range units {
		list = append(list, u.tv.Snapshot().Name+" ("+u.hostID+")")
	}
	return list
}

// search looks for a console that no unit is known to be: at the addresses of
// the configuration, then on the network, and where consoles are whose own name
// is not known yet.
func (s *server) search(ctx context.Context, host string) ([]*unit, error) {
	s.meetConfigured(ctx)
	if matches := s.matching(host); len(matches) > 0 {
		return matches, nil
	}
	var also []netip.AddrPort
	for _, u := range s.list() {
		if addr := u.console.Addr(); addr.IsValid() {
			also = append(also, addr)
		}
	}
	found, err := s.network.Discover(ctx, searchTime, also...)
	found = slices.DeleteFunc(found, func(st ps4.Status) bool {
		return !isCalled(host, st) && (host != "" || st.HostType != hostTypePS4) // a PS5 only when it is asked for
	})
	if known := slices.DeleteFunc(slices.Clone(found), func(st ps4.Status) bool { return !s.isKnown(st.HostID) }); len(known) > 0 {
		found = known // a stranger may call itself anything
	}
	if len(found) > 1 {
		var fit []string
		for _, st := range found {
			fit = append(fit, st.HostName+" ("+st.HostID+")")
		}
		return nil, ambiguous(fit)
	}
	for _, st := range found {
		if u := s.meet(st, true); u != nil {
			return []*unit{u}, err
		}
	}
	return nil, err
}

// meetConfigured asks the consoles of the configuration that have no unit yet,
// and returns the addresses of those that do not answer.
func (s *server) meetConfigured(ctx context.Context) (silent []string) {
	for _, c := range s.Config.Consoles {
		if c.HostID != "" || s.hasEntry(c) {
			continue
		}
		st, err := s.network.Console(c.Address, ps4.Credential{}).Status(ctx)
		if err != nil {
			silent = append(silent, FormatAddress(c.Address))
			continue
		}
		s.meet(st, true)
	}
	return silent
}

// runTelevision runs the television of a unit that no HAP server runs with.
func (s *server) runTelevision(u *unit) {
	if u.hap != nil && !s.alone {
		return
	}
	u.started.Do(func() {
		s.runUnit(u, func(ctx context.Context) {
			if err := u.tv.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				s.Log.WithError(err).Warn("console")
			}
		})
	})
}
