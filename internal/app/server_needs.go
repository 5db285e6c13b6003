package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// A Need is something that a console lacks before Home can control it.
type Need string

// Needs, in the order in which users meet them.
const (
	NeedAccount Need = "account" // the PSN account to log in with
	NeedLink    Need = "link"    // with a PIN that the console shows
	NeedUnlock  Need = "unlock"  // after too many wrong setup codes
	NeedPairing Need = "pairing" // with Apple Home
)

// Setup is an accessory with what it still needs.
type Setup struct {
	Accessory api.Accessory // has secrets, which must not be logged
	Type      string        // PS4 or PS5; empty for the companion bridge
	Address   string        // of the console
	Needs     []Need        // none: ready to use
	Before    []Need        // what it needed when it was reported last
	New       bool          // it was not reported before
}

// Met reports whether the accessory needed something before, and no longer does.
func (s Setup) Met(n Need) bool { return slices.Contains(s.Before, n) && !s.Lacks(n) }

// Lacks reports whether the accessory needs something.
func (s Setup) Lacks(n Need) bool { return slices.Contains(s.Needs, n) }

// settleTime is how long a change waits for others, so that a console that is
// linked and accepted at once is reported once.
const settleTime = 300 * time.Millisecond

// followNeeds reports each accessory when it appears, and again when what it
// needs has changed, until ctx is done.
func (s *server) followNeeds(ctx context.Context) {
	reported := map[string][]Need{}
	for {
		changed := s.events.Next()
		there := map[string]bool{}
		for _, setup := range s.setups() {
			id := setup.Accessory.HostID
			there[id] = true
			before, known := reported[id]
			setup.Before, setup.New = before, !known
			if !known || !slices.Equal(before, setup.Needs) {
				reported[id] = setup.Needs
				s.Needs(setup)
			}
		}
		maps.DeleteFunc(reported, func(id string, _ []Need) bool { return !there[id] })
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		if !pause(ctx, settleTime) {
			return
		}
	}
}

// setups lists the accessories with what they need.
func (s *server) setups() []Setup {
	var list []Setup
	for _, a := range s.homekit.list() {
		setup := Setup{Accessory: a}
		if u := s.registry.unit(a.HostID); u != nil {
			console := u.lastSeen()
			setup.Type, setup.Address = console.HostType, console.Address
			setup.Needs = s.lacks(u)
		}
		switch {
		case a.PairingLocked:
			setup.Needs = append(setup.Needs, NeedUnlock)
		case !a.Paired:
			setup.Needs = append(setup.Needs, NeedPairing)
		}
		list = append(list, setup)
	}
	return list
}

// lacks returns what commands to a console need.
func (s *server) lacks(u *unit) (needs []Need) {
	if u.remote != nil {
		if !u.remote.Registration().IsZero() {
			return nil
		}
		if !s.setup.users.hasAccount(u.known) {
			needs = append(needs, NeedAccount)
		}
		return append(needs, NeedLink)
	}
	if s.setup.users.of(u.known).Credential.IsZero() {
		needs = append(needs, NeedAccount)
	}
	// No console tells whether this program is linked with it until a command
	// fails. Earlier versions did not record links.
	snapshot := u.tv.Snapshot()
	linked := u.linked.Load() || snapshot.SessionOpen || u.hap != nil && u.hap.Info().Paired
	refused := snapshot.LastError != nil && Explain(snapshot.LastError).Code == "pin_needed"
	if !linked || refused || !u.isAccepted() {
		needs = append(needs, NeedLink)
	}
	return needs
}
