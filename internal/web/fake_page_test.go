package web_test

import (
	"context"
	"sync"

	"github.com/ps4kit/ps4kit/internal/web"
)

// page is a Page about consoles in memory; it records the other calls as a backend does.
type page struct {
	backend
	events *web.Events
	log    *web.Log

	shown sync.Mutex
	views map[string]web.View
}

func newPage() *page {
	p := &page{log: web.NewLog(), views: map[string]web.View{}}
	p.events = web.NewEvents("v1", p.log, func(hostID string) web.View {
		p.shown.Lock()
		defer p.shown.Unlock()
		return p.views[hostID]
	})
	return p
}

// show makes a console look so, and says that it may have changed.
func (p *page) show(hostID string, v web.View) {
	p.shown.Lock()
	p.views[hostID] = v
	p.shown.Unlock()
	p.events.Changed(hostID)
}

// named is what is seen of a console.
func named(name string) web.View {
	return web.View{Card: &web.Card{Console: web.Console{HostID: "A", Name: name}}}
}

func (p *page) Events() *web.Events { return p.events }

func (p *page) Overview(context.Context) (web.Overview, error) {
	p.shown.Lock()
	defer p.shown.Unlock()
	o := web.Overview{Consoles: []web.Card{}}
	for _, v := range p.views {
		o.Consoles = append(o.Consoles, *v.Card)
	}
	return o, nil
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

func (p *page) Cover(ctx context.Context, titleID string, size int) (web.Picture, error) {
	return give[web.Picture](ctx, &p.backend, "Cover", titleID, size)
}

func (p *page) SetAccount(ctx context.Context, host, accountID, passcode string) error {
	return p.do(ctx, "SetAccount", host, accountID, passcode)
}

func (p *page) AuthorizeURL() string { return "https://psn.example/authorize?a=1&b=2" }

func (p *page) SignIn(ctx context.Context, host, address, passcode string) error {
	return p.do(ctx, "SignIn", host, address, passcode)
}

func (p *page) Capture(ctx context.Context, host, passcode string) error {
	return p.do(ctx, "Capture", host, passcode)
}

func (p *page) Test(ctx context.Context, host string) error { return p.do(ctx, "Test", host) }

func (p *page) SetupURI(ctx context.Context, host string) (string, error) {
	return give[string](ctx, &p.backend, "SetupURI", host)
}

func (p *page) Restore(archive []byte) (web.Restored, error) {
	return give[web.Restored](context.Background(), &p.backend, "Restore", string(archive))
}

func (p *page) Settings() []web.Setting {
	settings, _ := give[[]web.Setting](context.Background(), &p.backend, "Settings")
	return settings
}
