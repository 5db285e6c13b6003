package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/ps4"
)

// find returns the unit of the console that host names, with its television
// running: by host id, by its name here or by its own, or by address. An empty
// host is the only console that is known. The owner may name a console that is
// unknown yet; it gets a unit.
func (r *registry) find(ctx context.Context, host string) (*unit, error) {
	if addr, err := ps4.ParseAddress(host); err == nil {
		there := pick(r.list(), func(u *unit) bool { return u.console.Addr().Addr() == addr.Addr() })
		named := slices.ContainsFunc(there, func(u *unit) bool { return isAt(addr, u.console.Addr()) })
		if r.simulating() && addr.Port() == ps4.DefaultPort && len(there) > 1 && !named { // they differ in their ports
			return nil, ambiguous(names(there))
		}
		return r.findAt(ctx, addr)
	}
	var silent []string // configured consoles that host may mean, and that have not answered yet
	if host == "" {
		silent = r.meetConfigured(ctx)
	}
	matches := r.matching(host)
	if len(matches)+len(silent) == 0 && api.IsOwner(ctx) {
		var err error
		if matches, err = r.search(ctx, host); err != nil {
			return nil, err
		}
	}
	switch {
	case len(matches)+len(silent) > 1:
		return nil, ambiguous(append(names(matches), silent...))
	case len(matches) == 1:
		u := r.withType(ctx, matches[0])
		r.runTelevision(u)
		return u, nil
	case len(silent) == 1:
		return nil, fmt.Errorf("%w (%s)", ps4.ErrUnreachable, silent[0])
	case host == "":
		return nil, &api.Error{Code: "unreachable", Message: "no console was found",
			Hint: "Turn the console on or put it into rest mode, or give its address: --ip-address."}
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
func (r *registry) findAt(ctx context.Context, addr netip.AddrPort) (*unit, error) {
	known := r.unitAt(addr)
	if five := r.unitAt(maybePS5(addr)); known == nil && five != nil {
		known, addr = five, five.console.Addr()
	}
	if !api.IsOwner(ctx) {
		if known == nil {
			return nil, unknownConsole(FormatAddress(addr))
		}
		r.runTelevision(known)
		return known, nil
	}
	st, err := r.ask(ctx, addr)
	if errors.Is(err, ps4.ErrUnreachable) && known != nil && time.Now().Before(known.console.DeafUntil()) {
		r.runTelevision(known)
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	if known != nil && known.hostID != st.HostID {
		r.noteReplaced(ctx, known, st)
	}
	u := r.meet(st, true)
	if u == nil {
		return nil, unknownConsole(FormatAddress(addr))
	}
	r.readdress(ctx, u, st.Addr)
	u = r.withType(ctx, u)
	r.runTelevision(u)
	return u, nil
}

// ask returns the status of the console at an address. If that may be the
// address of a PS5 without its port, it asks at both ports. Replies come from
// other ports than questions go to, so the type of the console tells which
// question it answered.
func (r *registry) ask(ctx context.Context, addr netip.AddrPort) (ps4.Status, error) {
	if maybePS5(addr) == addr {
		return r.network.Console(addr, ps4.Credential{}).Status(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var five ps4.Status
	var fiveErr error
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		five, fiveErr = r.network.Console(maybePS5(addr), ps4.Credential{}).Status(ctx)
		if fiveErr == nil && five.HostType == ps4.TypePS5 { // else it is the answer of a PS4 to the other question
			cancel()
		}
	}()
	st, err := r.network.Console(addr, ps4.Credential{}).Status(ctx)
	if err == nil {
		cancel()
	}
	<-asked
	if err != nil && fiveErr == nil && five.HostType == ps4.TypePS5 {
		st, err = five, nil
	}
	if err == nil && st.HostType == ps4.TypePS5 {
		st.Addr = maybePS5(addr)
	}
	return st, err
}

// readdress has a console asked at the address that the owner names, unless it
// still answers at its own: two addresses then claim its host id, and the
// current one stays.
func (r *registry) readdress(ctx context.Context, u *unit, addr netip.AddrPort) {
	from := u.console.Addr()
	if from == addr {
		return
	}
	if _, err := u.console.Status(ctx); err == nil {
		r.log.Warnf("%s and %s both claim to be console %s: keeping %s", FormatAddress(from), FormatAddress(addr), u.hostID, FormatAddress(from))
		return
	}
	u.console.SetAddr(addr)
	r.log.Warnf("console %s is at %s now, not at %s", u.hostID, FormatAddress(addr), FormatAddress(from))
}

// noteReplaced tells the user, until the console is accepted, that another one
// answers at the address than before.
func (r *registry) noteReplaced(ctx context.Context, before *unit, st ps4.Status) {
	if u := r.unit(st.HostID); u != nil && u.isAccepted() && u.console.Addr() == st.Addr {
		return
	}
	text := fmt.Sprintf("the console at %s is %s (%s) now, not %s (%s)",
		FormatAddress(st.Addr), st.HostName, st.HostID, before.tv.Snapshot().Name, before.hostID)
	if before.config.HostID == "" && isAt(before.config.Address, st.Addr) {
		text += "; config.yaml means the old one until you forget it: ps4kit consoles forget " + before.hostID
	}
	api.Notice(ctx, text)
}

// findAccepted is find for what may send the credential: the owner accepts a
// console by naming it.
func (r *registry) findAccepted(ctx context.Context, host string) (*unit, error) {
	u, err := r.find(ctx, host)
	if err != nil {
		return nil, err
	}
	if host != "" && api.IsOwner(ctx) {
		return r.accept(u, accepted)
	}
	return u, nil
}

// findKept is find for commands that store something about a console, which must
// be accepted or in HomeKit.
func (r *registry) findKept(ctx context.Context, host string) (*unit, error) {
	u, err := r.findAccepted(ctx, host)
	if err == nil && !u.isAccepted() && u.hap == nil {
		return nil, u.errNotAccepted()
	}
	return u, err
}

// matching returns the units that host may mean. A stranger can give itself any
// name, so it counts only if no accepted console fits.
func (r *registry) matching(host string) []*unit {
	matches := pick(r.list(), func(u *unit) bool { return host == "" || u.is(host) })
	matches = prefer(matches, func(u *unit) bool { return u.isAccepted() })
	if host == "" && !slices.ContainsFunc(matches, func(u *unit) bool { return u.isAccepted() }) {
		matches = prefer(matches, func(u *unit) bool { return u.lastSeen().HostType == ps4.TypePS4 })
	}
	if host == "" && !r.config.Discovery.Enabled { // configured and added ones before those that were only tried
		matches = prefer(matches, func(u *unit) bool { return u.standing() >= added })
	}
	return matches
}

// prefer returns the elements of a list that are better, or all if none is.
func prefer[T any](list []T, better func(T) bool) []T {
	if some := pick(list, better); len(some) > 0 {
		return some
	}
	return list
}

func names(units []*unit) []string {
	var list []string
	for _, u := range units {
		list = append(list, label(u.tv.Snapshot().Name, u.hostID))
	}
	return list
}

// label names a console in a message.
func label(name, hostID string) string { return name + " (" + hostID + ")" }

// search looks for a console that no unit is known to be: at the addresses of
// the configuration, then on the network, and where consoles are whose own name
// is not known yet.
func (r *registry) search(ctx context.Context, host string) ([]*unit, error) {
	r.meetConfigured(ctx)
	if matches := r.matching(host); len(matches) > 0 {
		return matches, nil
	}
	found, err := r.scan(ctx, searchTime)
	found = slices.DeleteFunc(found, func(st ps4.Status) bool {
		return host != "" && !strings.EqualFold(host, st.HostID) && !strings.EqualFold(host, st.HostName)
	})
	found = prefer(found, func(st ps4.Status) bool { return r.isKnown(st.HostID) })
	if host == "" {
		found = prefer(found, func(st ps4.Status) bool { return r.isKnown(st.HostID) || st.HostType == ps4.TypePS4 })
	}
	if len(found) > 1 {
		var fit []string
		for _, st := range found {
			fit = append(fit, label(st.HostName, st.HostID))
		}
		return nil, ambiguous(fit)
	}
	for _, st := range found {
		if u := r.meet(st, true); u != nil {
			return []*unit{u}, err
		}
	}
	return nil, err
}

// scan searches the networks for consoles, and asks those that have a unit: a
// broadcast may not reach them.
func (r *registry) scan(ctx context.Context, wait time.Duration) ([]ps4.Status, error) {
	var also []netip.AddrPort
	for _, u := range r.list() {
		if addr := u.console.Addr(); addr.IsValid() {
			also = append(also, addr)
		}
	}
	return r.network.Discover(ctx, wait, also...)
}

// meetConfigured asks the consoles of the configuration that have no unit yet,
// and returns the addresses of those that do not answer.
func (r *registry) meetConfigured(ctx context.Context) (silent []string) {
	for _, c := range r.unmet() {
		st, err := r.ask(ctx, c.Address)
		if err != nil {
			silent = append(silent, FormatAddress(c.Address))
			continue
		}
		r.meet(st, true)
	}
	return silent
}
