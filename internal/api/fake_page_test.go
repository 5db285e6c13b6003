package api_test

import (
	"context"
	"maps"
	"net/http"
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
	p.events = api.NewEvents(context.Background(), p.log)
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

func (p *page) Overview(context.Context, api.None) (api.Overview, error) {
	p.shown.Lock()
	defer p.shown.Unlock()
	return api.Overview{Consoles: slices.AppendSeq([]api.Card{}, maps.Values(p.cards))}, nil
}

func (p *page) PermitKeys(ctx context.Context, in api.PermitKeysRequest) error {
	return p.do(ctx, "PermitKeys", in)
}

func (p *page) RenameConsole(ctx context.Context, in api.NameRequest) error {
	return p.do(ctx, "RenameConsole", in)
}

func (p *page) OrderTitles(ctx context.Context, in api.OrderRequest) error {
	return p.do(ctx, "OrderTitles", in)
}

func (p *page) Covers(ctx context.Context, in api.HostRequest) ([]string, error) {
	return give[[]string](ctx, &p.backend, "Covers", in)
}

func (p *page) Cover(ctx context.Context, in api.CoverRequest) (api.Picture, error) {
	return give[api.Picture](ctx, &p.backend, "Cover", in)
}

func (p *page) SetAccount(ctx context.Context, in api.AccountRequest) error {
	return p.do(ctx, "SetAccount", in)
}

func (p *page) AuthorizeURL() string { return "https://psn.example/authorize?a=1&b=2" }

func (p *page) SignIn(ctx context.Context, in api.SignInRequest) error {
	return p.do(ctx, "SignIn", in)
}

func (p *page) PSNTitles(ctx context.Context, in api.PsnTitlesRequest) ([]api.ImportTitle, error) {
	return give[[]api.ImportTitle](ctx, &p.backend, "PSNTitles", in)
}

func (p *page) Library(_ context.Context, in api.LibraryRequest) (api.Library, error) {
	return api.Library{Country: in.Country, Apps: []api.MediaApp{{Name: "Netflix", ID: "CUSA00127"}}, ListURL: "https://list.example"}, nil
}

func (p *page) Capture(ctx context.Context, in api.CaptureRequest) error {
	return p.do(ctx, "Capture", in)
}

func (p *page) Test(ctx context.Context, in api.HostRequest) error { return p.do(ctx, "Test", in) }

func (p *page) SetupURI(ctx context.Context, in api.HostRequest) (string, error) {
	return give[string](ctx, &p.backend, "SetupURI", in)
}

func (p *page) Restore(ctx context.Context, in api.Archive) (api.Restored, error) {
	return give[api.Restored](ctx, &p.backend, "Restore", in)
}

func (p *page) SetSetting(ctx context.Context, in api.SettingRequest) error {
	return p.do(ctx, "SetSetting", in)
}

func (p *page) Restart(ctx context.Context, in api.None) error {
	return p.do(ctx, "Restart", in)
}

func (p *page) Settings(ctx context.Context, in api.None) ([]api.Setting, error) {
	return give[[]api.Setting](ctx, &p.backend, "Settings", in)
}

// accounts is an Accounts with one token.
type accounts struct {
	backend
	permit func(*http.Request, api.Access) error // nil: all access
}

func (a *accounts) Permit(r *http.Request, need api.Access) error {
	if a.permit == nil {
		return nil
	}
	return a.permit(r, need)
}

func (*accounts) Caller(*http.Request) any { return nil }

func (*accounts) Session(context.Context, api.None) (api.Session, error) {
	return api.Session{Version: "v1", Expires: time.Now(), TLS: true}, nil
}

func (a *accounts) ChangePassword(ctx context.Context, in api.PasswordRequest) error {
	return a.do(ctx, "ChangePassword", in)
}

func (*accounts) Tokens(context.Context, api.None) ([]api.Token, error) {
	return []api.Token{{ID: "abcd2345", Name: "doorbell", Access: "read", Created: time.Now(), LastUsed: time.Now()}}, nil
}

func (*accounts) MakeToken(_ context.Context, in api.TokenRequest) (api.NewToken, error) {
	return api.NewToken{ID: "abcd2345", Name: in.Name, Access: in.Access, Token: "ps4kit_x"}, nil
}

func (a *accounts) RevokeToken(ctx context.Context, in api.TokenIDRequest) error {
	return a.do(ctx, "RevokeToken", in)
}
