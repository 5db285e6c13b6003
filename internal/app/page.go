package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// page implements api.Page: what only the web page and scripts ask of a running
// server.
type page struct {
	*setup
	*server
}

var _ api.Page = page{}

func (p page) Overview(context.Context, api.None) (api.Overview, error) {
	all := api.Overview{Consoles: []api.Card{}, Release: p.updates.newer()}
	for _, u := range p.registry.list() {
		all.Consoles = append(all.Consoles, p.card(u))
	}
	for hostID, why := range p.registry.refusals() {
		if p.registry.unit(hostID) == nil {
			all.Consoles = append(all.Consoles, p.refusedCard(hostID, why))
		}
	}
	slices.SortFunc(all.Consoles, func(a, b api.Card) int { return byName(a.Name, a.HostID, b.Name, b.HostID) })
	return all, nil
}

// card returns a console as the page shows it, without asking the console.
func (p page) card(u *unit) api.Card {
	snapshot := u.tv.Snapshot()
	card := api.Card{
		Console:      u.shown(snapshot.Status, snapshot.Name),
		Active:       snapshot.Active,
		Starting:     snapshot.Starting,
		Pursuing:     string(snapshot.Pursuing),
		Working:      snapshot.Working,
		SessionOpen:  snapshot.SessionOpen,
		KeyboardOpen: snapshot.KeyboardOpen,
		LastSeen:     snapshot.LastSeen,
		Identified:   snapshot.Identified,
		Accepted:     u.isAccepted(),
		Credential:   !p.users.of(u.known).Credential.IsZero(),
		Account:      p.users.hasAccount(u.known),
		Linked:       u.linked.Load(),
		Tested:       u.rested.Load() && u.woken.Load(),
		Offered:      u.hap != nil,
		Paired:       u.hap != nil && u.hap.Info().Paired,
		Cover:        p.art.coverPath(snapshot.TitleID),
		Simulated:    u.simulated != nil,
	}
	if u.remote != nil {
		card.Linked = card.Registered
	}
	if snapshot.LastError != nil {
		card.LastError, card.LastErrorAt = Explain(u.advised(snapshot.LastError)), snapshot.LastErrorAt
	}
	return card
}

// refusedCard returns a console that cannot be served, with the reason.
func (p page) refusedCard(hostID string, why error) api.Card {
	k := known{hostID: hostID, name: hostID}
	for _, other := range p.registry.known() {
		if other.hostID == hostID {
			k = other
		}
	}
	st := ps4.Status{HostID: hostID, HostType: k.hostType, Addr: k.addr, SystemVersion: k.firmware}
	remotePlay := p.registry.usesRemotePlay(k)
	card := api.Card{Console: apiConsole(st, k.name, remotePlay), Accepted: k.standing > stranger, LastError: Explain(why)}
	card.Registered = remotePlay && !p.registry.registration(k).IsZero()
	return card
}

func (p page) Covers(ctx context.Context, in api.HostRequest) ([]string, error) {
	u, err := p.registry.find(ctx, in.Host)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, in := range u.tv.Snapshot().Inputs {
		if p.art.coverPath(in.TitleID) != "" {
			ids = append(ids, in.TitleID)
		}
	}
	return ids, nil
}

func (p page) RenameConsole(ctx context.Context, in api.NameRequest) error {
	u, err := p.registry.findKept(ctx, in.Host)
	if err != nil {
		return err
	}
	return u.tv.Rename(in.Name)
}

func (p page) OrderTitles(ctx context.Context, in api.OrderRequest) error {
	u, err := p.registry.findKept(ctx, in.Host)
	if err != nil {
		return err
	}
	return u.tv.SetOrder(in.IDs)
}

func (p page) SetupURI(ctx context.Context, in api.HostRequest) (string, error) {
	name, hap, err := p.offered(ctx, in.Host)
	if err != nil {
		return "", err
	}
	info := hap.Info()
	if info.Paired {
		return "", &api.Error{Code: "paired", Message: name + " is paired already", Hint: "Remove it in the Home app first."}
	}
	if info.SetupLocked {
		return "", api.Accessory{Name: name, HostID: in.Host}.LockedError()
	}
	return info.SetupURI, nil
}

// offered returns the name and the HAP server of a console, or of the companion
// bridge.
func (p page) offered(ctx context.Context, host string) (string, *hapServer, error) {
	switch c := p.homekit.companion.Load(); {
	case c != nil && strings.EqualFold(host, state.Companion):
		return c.Name(), c.hap, nil
	case c != nil && host == "":
		return "", nil, ambiguous([]string{c.Name(), "the consoles"})
	}
	u, err := p.registry.find(ctx, host)
	switch {
	case err != nil:
		return "", nil, err
	case u.hap == nil:
		return "", nil, errNotOffered(u.name)
	}
	return u.tv.Snapshot().Name, u.hap, nil
}

// coverTime is how long Cover waits for a cover that is not cached. A cover that
// arrives later is there the next time.
const coverTime = 3 * time.Second

func (p page) Cover(ctx context.Context, in api.CoverRequest) (api.Picture, error) {
	none := &api.Error{Code: "not_found", Message: "this title has no cover"}
	if p.art.cache == nil {
		return api.Picture{}, none
	}
	switch artcache.Size(in.Size) {
	case artcache.Full, artcache.Small, artcache.Medium:
	default:
		return api.Picture{}, &api.Error{Code: "bad_request", Message: "size must be 0 (original), 96 or 256"}
	}
	img, ok := p.art.cache.Cached(ctx, in.ID, artcache.Size(in.Size))
	if !ok {
		if drawn, ok := drawnCover(in.ID); ok && p.art.draws {
			return drawn, nil
		}
		ctx, cancel := context.WithTimeout(ctx, coverTime)
		defer cancel()
		var err error
		img, err = p.art.cache.Cover(ctx, in.ID, artcache.Size(in.Size))
		if err != nil {
			p.log.WithField("part", "art").WithError(err).Debug("no cover")
			return api.Picture{}, none
		}
	}
	return api.Picture{Data: img.Data, Type: img.Type, ETag: img.ETag}, nil
}

func (p page) Settings(context.Context, api.None) ([]api.Setting, error) {
	latest := p.latest.Load()
	waits := waiting(p.config, latest)
	var list []api.Setting
	for _, s := range latest.Settings() {
		list = append(list, api.Setting{
			Key: s.Key, Value: s.Value, Source: s.Source, Waits: slices.Contains(waits, s.Key), Editable: editable(s),
		})
	}
	return list, nil
}

// Restore stores a checked backup in the state directory and restarts the
// server. Opening the state puts the backup in place.
func (p page) Restore(_ context.Context, archive api.Archive) (api.Restored, error) {
	if !p.restarting.CompareAndSwap(false, true) {
		return api.Restored{}, errRestarting()
	}
	contents, err := p.State.StageRestore(archive)
	if err != nil {
		p.restarting.Store(false)
		return api.Restored{}, err
	}
	p.stop()
	return api.Restored(contents), nil
}

func (p page) Restart(context.Context, api.None) error {
	if !p.restarting.CompareAndSwap(false, true) {
		return errRestarting()
	}
	p.log.Info("restarting")
	p.stop()
	return nil
}

func errRestarting() error {
	return &api.Error{Code: "busy", Message: "the server is restarting, or restoring another backup"}
}
