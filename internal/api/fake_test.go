package api_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// call is a call of a Backend's method.
type call struct {
	method string
	args   []any
}

// backend records the calls that it gets, and answers with what a test put into it.
type backend struct {
	result any
	err    error
	during func(context.Context) error // runs within every call when set; its error wins

	mu    sync.Mutex
	calls []call
}

func (b *backend) recorded() []call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

func (b *backend) do(ctx context.Context, method string, args ...any) error {
	b.mu.Lock()
	b.calls = append(b.calls, call{method, args})
	b.mu.Unlock()
	if b.during != nil {
		if err := b.during(ctx); err != nil {
			return err
		}
	}
	return b.err
}

// give is do for a method that has a result.
func give[T any](ctx context.Context, b *backend, method string, args ...any) (T, error) {
	result, _ := b.result.(T)
	return result, b.do(ctx, method, args...)
}

func (b *backend) Search(ctx context.Context, wait time.Duration) ([]api.Console, error) {
	return give[[]api.Console](ctx, b, "Search", wait)
}

func (b *backend) Consoles(ctx context.Context) ([]api.Console, error) {
	return give[[]api.Console](ctx, b, "Consoles")
}

func (b *backend) Status(ctx context.Context, host string) (api.Console, error) {
	return give[api.Console](ctx, b, "Status", host)
}

func (b *backend) AddConsole(ctx context.Context, address string) (api.Console, error) {
	return give[api.Console](ctx, b, "AddConsole", address)
}

func (b *backend) ForgetConsole(ctx context.Context, host string) error {
	return b.do(ctx, "ForgetConsole", host)
}

func (b *backend) Wake(ctx context.Context, host string, wait bool) error {
	return b.do(ctx, "Wake", host, wait)
}

func (b *backend) Standby(ctx context.Context, host string) error {
	return b.do(ctx, "Standby", host)
}

func (b *backend) Start(ctx context.Context, host, title string, noQuit bool) error {
	return b.do(ctx, "Start", host, title, noQuit)
}

func (b *backend) Keys(ctx context.Context, host string, keys []string) error {
	return b.do(ctx, "Keys", host, keys)
}

func (b *backend) Keyboard(ctx context.Context, host string) (api.Keyboard, error) {
	return give[api.Keyboard](ctx, b, "Keyboard", host)
}

func (b *backend) SetText(ctx context.Context, host, text string) error {
	return b.do(ctx, "SetText", host, text)
}

func (b *backend) Submit(ctx context.Context, host string, text *string) error {
	return b.do(ctx, "Submit", host, text)
}

func (b *backend) CloseKeyboard(ctx context.Context, host string) error {
	return b.do(ctx, "CloseKeyboard", host)
}

func (b *backend) Link(ctx context.Context, host string, link api.Link) error {
	return b.do(ctx, "Link", host, link)
}

func (b *backend) SetRegistration(ctx context.Context, host string, r api.Registration) error {
	return b.do(ctx, "SetRegistration", host, r)
}

func (b *backend) SetCredential(ctx context.Context, host string, user api.User) error {
	return b.do(ctx, "SetCredential", host, user)
}

func (b *backend) Credential(ctx context.Context, host string) (api.User, error) {
	return give[api.User](ctx, b, "Credential", host)
}

func (b *backend) Titles(ctx context.Context, host string) ([]api.Title, error) {
	return give[[]api.Title](ctx, b, "Titles", host)
}

func (b *backend) AddTitle(ctx context.Context, host, id, name string) error {
	return b.do(ctx, "AddTitle", host, id, name)
}

func (b *backend) ImportTitles(ctx context.Context, host string, titles []api.ImportTitle, dryRun bool) (api.Imported, error) {
	imported, err := give[api.Imported](ctx, b, "ImportTitles", host, titles, dryRun)
	if imported.Added == nil {
		imported = api.Imported{Added: []string{}, Known: []string{}, NoSlot: []string{}}
	}
	return imported, err
}

func (b *backend) RenameTitle(ctx context.Context, host, id, name string) error {
	return b.do(ctx, "RenameTitle", host, id, name)
}

func (b *backend) HideTitle(ctx context.Context, host, id string, hide bool) error {
	return b.do(ctx, "HideTitle", host, id, hide)
}

func (b *backend) PinTitle(ctx context.Context, host, id string, pin bool) error {
	return b.do(ctx, "PinTitle", host, id, pin)
}

func (b *backend) ForgetTitle(ctx context.Context, host, id string) error {
	return b.do(ctx, "ForgetTitle", host, id)
}

func (b *backend) Homekit(ctx context.Context) ([]api.Accessory, error) {
	return give[[]api.Accessory](ctx, b, "Homekit")
}

func (b *backend) ResetHomekit(ctx context.Context, host string) error {
	return b.do(ctx, "ResetHomekit", host)
}

func (b *backend) Backup(ctx context.Context) ([]byte, error) {
	return give[[]byte](ctx, b, "Backup")
}

func (b *backend) WebPassword(ctx context.Context) (api.Password, error) {
	return give[api.Password](ctx, b, "WebPassword")
}

func (b *backend) RenewWebPassword(ctx context.Context) (api.Password, error) {
	return give[api.Password](ctx, b, "RenewWebPassword")
}

// serveSocket serves b on a socket until the test ends.
func serveSocket(t *testing.T, b api.Backend) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	ln, err := api.ListenSocket(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, ln, api.Handler(api.Services{Backend: b}))
	return path
}

// connect serves b on a socket and returns a client of it.
func connect(t *testing.T, b api.Backend) *api.Client {
	t.Helper()
	client, err := api.Connect(t.Context(), serveSocket(t, b))
	if err != nil {
		t.Fatal(err)
	}
	return client
}
