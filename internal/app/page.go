package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
)

// page*.go implement api.Page.

var _ api.Page = (*server)(nil)

// Overview implements api.Page.
func (s *server) Overview(context.Context) (api.Overview, error) {
	all := api.Overview{Consoles: []api.Card{}}
	for _, u := range s.list() {
		all.Consoles = append(all.Consoles, s.card(u))
	}
	for _, hostID := range s.refusals() {
		if card := s.refusedCard(hostID); card != nil {
			all.Consoles = append(all.Consoles, *card)
		}
	}
	slices.SortFunc(all.Consoles, func(a, b api.Card) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.HostID, b.HostID))
	})
	return all, nil
}

// card returns a console as the page shows it, without asking the console.
func (s *server) card(u *unit) api.Card {
	snapshot := u.tv.Snapshot()
	user, err := s.user(u.known)
	return api.Card{
		Console:      apiConsole(snapshot.Status, snapshot.Name),
		Active:       snapshot.Active,
		Starting:     snapshot.Starting,
		Working:      snapshot.Working,
		SessionOpen:  snapshot.SessionOpen,
		KeyboardOpen: snapshot.KeyboardOpen,
		LastSeen:     snapshot.LastSeen,
		Identified:   snapshot.Identified,
		LastError:    trouble(snapshot.LastError),
		LastErrorAt:  troubleAt(snapshot),
		Accepted:     u.accepted.Load(),
		Credential:   err == nil && !user.Credential.IsZero(),
		Offered:      u.hap != nil,
		Paired:       u.hap != nil && u.hap.Info().Paired,
		Cover:        s.coverPath(snapshot.TitleID),
		Simulated:    u.simulated != nil,
	}
}

// refusedCard returns a console that cannot be served, with the reason, or nil.
func (s *server) refusedCard(hostID string) *api.Card {
	why := s.refusal(hostID)
	if why == nil {
		return nil
	}
	card := &api.Card{Console: api.Console{HostID: hostID, Name: hostID, State: api.StateUnreachable}, LastError: trouble(why)}
	for _, k := range s.knownConsoles(s.simulated) {
		if k.hostID == hostID {
			card.Name, card.Address, card.HostType = k.name, FormatAddress(k.addr), hostTypePS4
			card.Accepted = !k.stranger
		}
	}
	return card
}

// trouble returns an error as the page shows it, or nil.
func trouble(err error) *api.Error {
	if err == nil {
		return nil
	}
	return Explain(err)
}

func troubleAt(snapshot accessory.Snapshot) (at time.Time) {
	if snapshot.LastError != nil {
		at = snapshot.LastErrorAt
	}
	return at
}

// Covers implements api.Page.
func (s *server) Covers(ctx context.Context, host string) ([]string, error) {
	u, err := s.findPS4(ctx, host)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, in := range u.tv.Snapshot().Inputs {
		if s.coverPath(in.TitleID) != "" {
			ids = append(ids, in.TitleID)
		}
	}
	return ids, nil
}

// coverPath returns the path of a title's cover, or "" if it is not cached. When
// it is found later, learned reports a change.
func (s *server) coverPath(titleID string) string {
	if titleID == "" || s.art == nil {
		return ""
	}
	if _, ok := s.art.Cached(s.life, titleID, artcache.Medium); !ok {
		return ""
	}
	return api.CoverPath(titleID, int(artcache.Medium))
}
