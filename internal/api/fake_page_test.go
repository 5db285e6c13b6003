package api_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// page is a Page with consoles in memory; it records the other calls as a
// backend does.
type page struct {
	backend
	events *api.Events
	log    *api.Log

	shown sync.Mutex
	cards map[string]api.Card // by host id
}

func newPage() *page {
	p := &page{log: &api.Log{}, cards: map[string]api.Card{}}
	p.events = api.NewEvents(p.log)
	return p
}

// show changes what the page shows of a console.
func (p *page) show(hostID string, c api.Card) {
	p.shown.Lock()
	p.cards[hostID] = c
	p.shown.Unlock()
	p.events.Changed()
}

// named returns a console with a name.
func named(name string) api.Card {
	return api.Card{Console: api.Console{HostID: "A", Name: name, State: api.StateAwake}}
}

func (p *page) Events() *api.Events { return p.events }

func (p *page) Overview(context.Context) (api.Overview, error) {
	p.shown.Lock()
	defer p.shown.Unlock()
	return api.Overview{Consoles: slices.AppendSeq([]api.Card{}, maps.Values(p.cards))}, nil
}

func (p *page) PermitKeys(ctx context.Context, host string, on bool) error {
	return p.do(ctx, "PermitKeys", host, on)
}

func (p *page) RenameConsole(ctx context.Context, host, name string) error {
	return p.do(ctx, "RenameConsole", host, name)
}

func (p *page) OrderTitles(ctx context.Context, host string, ids []string) error {
	return p.do(ctx, "OrderTitles", host, ids)
}

func (p *page) Covers(ctx context.Context, host string) ([]string, error) {
	return give[[]string](ctx, &p.backend, "Covers", host)
}

func (p *page) Cover(ctx context.Context, titleID string, size int) (api.Picture, error) {
	return give[api.Picture](ctx, &p.backend, "Cover", titleID, size)
}

func (p *page) SetAccount(ctx context.Context, host, accountID, passcode string) error {
	return p.do(ctx, "SetAccount", host, accountID, passcode)
}

func (p *page) AuthorizeURL() string { return "https://psn.example/authorize?a=1&b=2" }

func (p *page) SignIn(ctx context.Context, host, address, passcode string) error {
	return p.do(ctx, "SignIn", host, address, passcode)
}

func (p *page) PSNTitles(ctx context.Context, npsso string, credential bool) ([]api.ImportTitle, error) {
	return give[[]api.ImportTitle](ctx, &p.backend, "PSNTitles", npsso, credential)
}

func (p *page) Library(country string) api.Library {
	return api.Library{Country: country, Apps: []api.MediaApp{{Name: "Netflix", ID: "CUSA00127"}}, ListURL: "https://list.example"}
}

func (p *page) Capture(ctx context.Context, host, passcode string) error {
	return p.do(ctx, "Capture", host, passcode)
}

func (p *page) Test(ctx context.Context, host string) error { return p.do(ctx, "Test", host) }

func (p *page) SetupURI(ctx context.Context, host string) (string, error) {
	return give[string](ctx, &p.backend, "SetupURI", host)
}

func (p *page) Restore(archive []byte) (api.Restored, error) {
	return give[api.Restored](context.Background(), &p.backend, "Restore", string(archive))
}

func (p *page) SetSetting(key string, value *string) error {
	return p.do(context.Background(), "SetSetting", key, value)
}

func (p *page) Restart() error { return p.do(context.Background(), "Restart") }

func (p *page) Settings() []api.Setting {
	settings, _ := give[[]api.Setting](context.Background(), &p.backend, "Settings")
	return settings
}

// accounts is an Accounts with one token.
type accounts struct{ backend }

func (*accounts) Session(context.Context) api.Session {
	return api.Session{Version: "v1", Expires: time.Now(), TLS: true}
}

func (a *accounts) ChangePassword(ctx context.Context, current, chosen string) error {
	return a.do(ctx, "ChangePassword", current, chosen)
}

func (*accounts) Tokens() []api.Token {
	return []api.Token{{ID: "abcd2345", Name: "doorbell", Access: "read", Created: time.Now(), LastUsed: time.Now()}}
}

func (*accounts) MakeToken(name, access string) (api.NewToken, error) {
	return api.NewToken{ID: "abcd2345", Name: name, Access: access, Token: "ps4kit_x"}, nil
}

func (a *accounts) RevokeToken(id string) error {
	return a.do(context.Background(), "RevokeToken", id)
}
