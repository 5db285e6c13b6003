package api_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

// call is a call of a Backend's method.
type call struct {
	method  string
	request any
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

func (b *backend) do(ctx context.Context, method string, request any) error {
	b.mu.Lock()
	b.calls = append(b.calls, call{method, request})
	b.mu.Unlock()
	if b.during != nil {
		if err := b.during(ctx); err != nil {
			return err
		}
	}
	return b.err
}

// give is do for a method that has a result.
func give[T any](ctx context.Context, b *backend, method string, request any) (T, error) {
	result, _ := b.result.(T)
	return result, b.do(ctx, method, request)
}

func (b *backend) Consoles(ctx context.Context, in api.None) ([]api.Console, error) {
	return give[[]api.Console](ctx, b, "Consoles", in)
}

func (b *backend) Status(ctx context.Context, in api.HostRequest) (api.Console, error) {
	return give[api.Console](ctx, b, "Status", in)
}

func (b *backend) AddConsole(ctx context.Context, in api.AddConsoleRequest) (api.Console, error) {
	return give[api.Console](ctx, b, "AddConsole", in)
}

func (b *backend) ForgetConsole(ctx context.Context, in api.HostRequest) error {
	return b.do(ctx, "ForgetConsole", in)
}

func (b *backend) Search(ctx context.Context, in api.SearchRequest) ([]api.Console, error) {
	return give[[]api.Console](ctx, b, "Search", in)
}

func (b *backend) Power(ctx context.Context, in api.PowerRequest) error {
	return b.do(ctx, "Power", in)
}

func (b *backend) Start(ctx context.Context, in api.StartRequest) error {
	return b.do(ctx, "Start", in)
}

func (b *backend) Keys(ctx context.Context, in api.KeysRequest) error {
	return b.do(ctx, "Keys", in)
}

func (b *backend) Keyboard(ctx context.Context, in api.HostRequest) (api.Keyboard, error) {
	return give[api.Keyboard](ctx, b, "Keyboard", in)
}

func (b *backend) SetText(ctx context.Context, in api.TextRequest) error {
	return b.do(ctx, "SetText", in)
}

func (b *backend) Submit(ctx context.Context, in api.SubmitRequest) error {
	return b.do(ctx, "Submit", in)
}

func (b *backend) CloseKeyboard(ctx context.Context, in api.HostRequest) error {
	return b.do(ctx, "CloseKeyboard", in)
}

func (b *backend) Link(ctx context.Context, in api.LinkRequest) error {
	return b.do(ctx, "Link", in)
}

func (b *backend) SetRegistration(ctx context.Context, in api.RegistrationRequest) error {
	return b.do(ctx, "SetRegistration", in)
}

func (b *backend) Credential(ctx context.Context, in api.HostRequest) (api.User, error) {
	return give[api.User](ctx, b, "Credential", in)
}

func (b *backend) SetCredential(ctx context.Context, in api.CredentialRequest) error {
	return b.do(ctx, "SetCredential", in)
}

func (b *backend) Titles(ctx context.Context, in api.HostRequest) ([]api.Title, error) {
	return give[[]api.Title](ctx, b, "Titles", in)
}

func (b *backend) AddTitle(ctx context.Context, in api.AddTitleRequest) error {
	return b.do(ctx, "AddTitle", in)
}

func (b *backend) ImportTitles(ctx context.Context, in api.ImportTitlesRequest) (api.Imported, error) {
	imported, err := give[api.Imported](ctx, b, "ImportTitles", in)
	if imported.Added == nil {
		imported = api.Imported{Added: []string{}, Known: []string{}, NoSlot: []string{}}
	}
	return imported, err
}

func (b *backend) ChangeTitle(ctx context.Context, in api.ChangeTitleRequest) error {
	return b.do(ctx, "ChangeTitle", in)
}

func (b *backend) ForgetTitle(ctx context.Context, in api.TitleRequest) error {
	return b.do(ctx, "ForgetTitle", in)
}

func (b *backend) Homekit(ctx context.Context, in api.None) ([]api.Accessory, error) {
	return give[[]api.Accessory](ctx, b, "Homekit", in)
}

func (b *backend) ResetHomekit(ctx context.Context, in api.HostRequest) error {
	return b.do(ctx, "ResetHomekit", in)
}

func (b *backend) Backup(ctx context.Context, in api.None) (api.Archive, error) {
	return give[api.Archive](ctx, b, "Backup", in)
}

func (b *backend) WebPassword(ctx context.Context, in api.None) (api.Password, error) {
	return give[api.Password](ctx, b, "WebPassword", in)
}

func (b *backend) RenewWebPassword(ctx context.Context, in api.None) (api.Password, error) {
	return give[api.Password](ctx, b, "RenewWebPassword", in)
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
