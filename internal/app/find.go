package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// find returns the unit of the console that host names (see api.Backend) with its
// television running. A console that is not known is asked at its address, or
// searched for when nothing is known at all; it gets a unit, but HomeKit does not.
func (s *server) find(ctx context.Context, host string) (*unit, error) {
	var silent []string // configured consoles that host may mean, and that have not answered yet
	if host == "" {
		silent = s.meetConfigured(ctx)
	}
	matches := s.matching(host)
	if len(matches)+len(silent) == 0 {
		if err := s.meet(ctx, host); err != nil {
			return nil, err
		}
		matches = s.matching(host)
	}
	switch {
	case len(matches)+len(silent) > 1:
		return nil, &api.Error{Code: "ambiguous", Message: "several consoles fit: " + strings.Join(append(names(matches), silent...), ", "),
			Hint: "Choose one with --name, --host-id or --ip-address."}
	case len(matches) == 1:
		s.runTelevision(matches[0])
		return matches[0], nil
	case len(silent) == 1:
		return nil, fmt.Errorf("%w (%s)", ps4.ErrUnreachable, silent[0])
	case host == "":
		return nil, &api.Error{Code: "unreachable", Message: "no console was found",
			Hint: "Switch the PS4 on or put it into rest mode, or give its address: --ip-address."}
	}
	return nil, &api.Error{Code: "not_found", Message: "no console is known as " + host,
		Hint: "ps4kit search lists the consoles in this network."}
}

// findPS4 is find for what only a PS4 can do.
func (s *server) findPS4(ctx context.Context, host string) (*unit, error) {
	u, err := s.find(ctx, host)
	if err == nil && u.hostType != "" && u.hostType != hostTypePS4 {
		return nil, ps4.ErrUnsupported
	}
	return u, err
}

func (s *server) matching(host string) []*unit {
	var matches []*unit
	for _, u := range s.list() {
		if host == "" && u.lastSeen().HostType == hostTypePS4 || host != "" && u.is(host) {
			matches = append(matches, u)
		}
	}
	if host == "" && !s.Config.Discovery.Enabled {
		matches = chosen(matches)
	}
	return matches
}

// chosen leaves out consoles that somebody only tried, where the configuration names
// others.
func chosen(units []*unit) []*unit {
	named := slices.DeleteFunc(slices.Clone(units), func(u *unit) bool { return u.found })
	if len(named) == 0 {
		return units
	}
	return named
}

// is says whether host names the console.
func (u *unit) is(host string) bool {
	snapshot := u.tv.Snapshot()
	return strings.EqualFold(host, u.hostID) || strings.EqualFold(host, snapshot.Name) ||
		strings.EqualFold(host, snapshot.HostName) || host == FormatAddress(snapshot.Addr)
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

// meet looks for a console that has no unit: at the address that host is, or else at
// the addresses of the configuration and then by a search.
func (s *server) meet(ctx context.Context, host string) error {
	if addr, isAddress := parseAddress(host); isAddress {
		return s.meetAt(ctx, addr)
	}
	s.meetConfigured(ctx)
	if len(s.matching(host)) > 0 {
		return nil
	}
	found, err := s.network.Discover(ctx, searchTime)
	for _, st := range found {
		if st.HostType == hostTypePS4 || isCalled(host, st) { // a PS5 only when it is asked for
			s.greet(st)
		}
	}
	return err
}

// meetConfigured asks the consoles of the configuration that have no unit yet, and
// returns the addresses of those that do not answer.
func (s *server) meetConfigured(ctx context.Context) (silent []string) {
	for _, c := range s.Config.Consoles {
		if c.HostID == "" && !s.serves(c.Address) && s.meetAt(ctx, c.Address) != nil {
			silent = append(silent, FormatAddress(c.Address))
		}
	}
	return silent
}

// meetAt asks a console at its address.
func (s *server) meetAt(ctx context.Context, addr netip.AddrPort) error {
	st, err := s.network.Console(addr, ps4.Credential{}).Status(ctx)
	if err == nil {
		s.greet(st)
	}
	return err
}

// greet gives a console that has just answered a unit, if it has none: one with a HAP
// server, if the server would have offered it to HomeKit once it found it.
func (s *server) greet(st ps4.Status) {
	s.meeting.Lock()
	defer s.meeting.Unlock()
	if u := s.unit(st.HostID); u != nil {
		s.files.remember(st)
		return
	}
	k := s.fromStatus(st)
	if !s.hasRoom(k) {
		return
	}
	s.files.remember(st)
	if s.offers(k) {
		s.startUnit(s.life, k)
	}
	if s.unit(k.hostID) != nil {
		return
	}
	u, err := s.newUnit(k)
	if err != nil {
		s.Log.WithError(err).Warn("a console that answered cannot be used")
		return
	}
	s.add(u)
}

// offers says whether a console that a command meets belongs in HomeKit.
func (s *server) offers(k known) bool {
	return !s.alone && k.hostType == hostTypePS4 && !slices.Contains(s.refusals(), k.hostID) &&
		(!k.found || s.publishes(k.addr))
}

// parseAddress reads ADDR or ADDR:DDPPORT.
func parseAddress(host string) (netip.AddrPort, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a, ps4.DefaultPort), true
	}
	a, err := netip.ParseAddrPort(host)
	return a, err == nil
}

// runTelevision runs the television of a unit that no HAP server runs with.
func (s *server) runTelevision(u *unit) {
	if u.hap != nil && !s.alone {
		return
	}
	u.started.Do(func() {
		s.group.Go(func() error {
			if err := u.tv.Run(s.life); err != nil && !errors.Is(err, context.Canceled) {
				s.Log.WithError(err).Warn("console")
			}
			return nil
		})
	})
}
