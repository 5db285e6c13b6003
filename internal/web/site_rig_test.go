package web_test

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/web"
)

const password = "correct horse"

// memory is a Store that holds JSON, as a file does.
type memory struct {
	mu    sync.Mutex
	data  []byte // nil: nothing was saved
	saves int
	err   error // of Save
}

func (m *memory) Load() (web.Saved, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var saved web.Saved
	if m.data == nil {
		return saved, fs.ErrNotExist
	}
	return saved, json.Unmarshal(m.data, &saved)
}

func (m *memory) Save(saved web.Saved) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.saves++
	m.data, err = json.Marshal(saved)
	return err
}

func (m *memory) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.data)
}

// hashOf returns a hash of the lowest cost, which is quick to verify.
func hashOf(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// newGuard returns a Guard with the password above.
func newGuard(t *testing.T) (*web.Guard, *memory) {
	t.Helper()
	store := &memory{}
	if err := store.Save(web.Saved{PasswordHash: hashOf(t, password)}); err != nil {
		t.Fatal(err)
	}
	store.saves = 0
	return mustGuard(t, store, ""), store
}

func mustGuard(t *testing.T, store web.Store, configured string) *web.Guard {
	t.Helper()
	g, err := web.NewGuard(store, configured, func(netip.Addr) {})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// backend is an api.Backend that counts its calls and does nothing.
type backend struct {
	api.Backend // nil: other methods panic
	calls       atomic.Int32
	during      func(context.Context) error
}

func (b *backend) done() error {
	b.calls.Add(1)
	return nil
}

func (b *backend) Consoles(ctx context.Context, _ api.None) ([]api.Console, error) {
	if b.during != nil {
		return nil, b.during(ctx)
	}
	return nil, b.done()
}

func (b *backend) Keys(context.Context, api.KeysRequest) error                    { return b.done() }
func (b *backend) AddTitle(context.Context, api.AddTitleRequest) error            { return b.done() }
func (b *backend) Homekit(context.Context, api.None) ([]api.Accessory, error)     { return nil, b.done() }
func (b *backend) Link(context.Context, api.LinkRequest) error                    { return b.done() }
func (b *backend) SetRegistration(context.Context, api.RegistrationRequest) error { return b.done() }
func (b *backend) SetCredential(context.Context, api.CredentialRequest) error     { return b.done() }
func (b *backend) Backup(context.Context, api.None) (api.Archive, error)          { return nil, b.done() }

func serve(t *testing.T, ln net.Listener, h http.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, ln, h, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// site is what web.listen serves, over a real connection.
type site struct {
	t     *testing.T
	url   string
	b     *backend
	guard *web.Guard
	store *memory

	holding        atomic.Bool
	entered, ended chan struct{}
}

// newSite serves a Site until the test ends, and adds missing options.
func newSite(t *testing.T, o web.SiteOptions) *site {
	t.Helper()
	s := &site{t: t, entered: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	s.b = &backend{during: s.during}
	if o.Guard == nil {
		o.Guard, s.store = newGuard(t)
	}
	s.guard = o.Guard
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	serve(t, web.Bound(ln, nil), web.Site(complete(o, s.b)))
	return s
}

// during makes one call of the Backend last until its context ends.
func (s *site) during(ctx context.Context) error {
	if s.holding.CompareAndSwap(true, false) {
		s.entered <- struct{}{}
		<-ctx.Done()
		s.ended <- struct{}{}
	}
	return nil
}

// hold sends a request that runs until the server ends it; then ended is sent to.
func (s *site) hold(c *guest) (ended <-chan struct{}) {
	s.holding.Store(true)
	r := c.request(http.MethodGet, "/api/v1/consoles", "")
	done := make(chan struct{})
	s.t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		if resp, err := c.http.Do(r); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-s.entered
	return s.ended
}

func complete(o web.SiteOptions, b *backend) web.SiteOptions {
	o.Services.Backend = b
	if o.Unready == nil {
		o.Unready = func() []string { return nil }
	}
	return o
}

// guest is a browser or a script.
type guest struct {
	*site
	http  *http.Client
	token string
}

// browser keeps cookies and follows no redirect.
func (s *site) browser() *guest {
	jar, _ := cookiejar.New(nil) // no options, no error
	return &guest{site: s, http: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signedIn returns a browser that is signed in.
func (s *site) signedIn() *guest {
	s.t.Helper()
	c := s.browser()
	if got := c.signIn(password); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/" {
		s.t.Fatalf("signing in: %s to %q", got.Status, got.Header.Get("Location"))
	}
	return c
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

func (a answer) error(t *testing.T) api.Error {
	t.Helper()
	var body struct{ Error api.Error }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || body.Error.Code == "" || body.Error.Message == "" {
		t.Errorf("%s %q is not an error in JSON", a.Status, a.body)
	}
	return body.Error
}

// must fails the test unless the answer has a status.
func (a answer) must(t *testing.T, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %q, want %d", a.Status, a.body, status)
	}
	return a
}

func (c *guest) signIn(password string) answer {
	c.t.Helper()
	return c.send(c.request(http.MethodPost, "/login", url.Values{"password": {password}}.Encode()))
}

// request returns a request with a body that is JSON or a form.
func (c *guest) request(method, path, body string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	switch {
	case strings.HasPrefix(body, "{"):
		r.Header.Set("Content-Type", "application/json")
	case body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r
}

func (c *guest) send(r *http.Request) answer {
	c.t.Helper()
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (c *guest) get(path string) answer {
	c.t.Helper()
	return c.send(c.request(http.MethodGet, path, ""))
}

func (c *guest) do(method, path, body string) answer {
	c.t.Helper()
	return c.send(c.request(method, path, body))
}

// makeToken makes a token and returns a script that sends it, and its id.
func (c *guest) makeToken(access string) (script *guest, id string) {
	c.t.Helper()
	got := c.do(http.MethodPost, "/api/v1/tokens", `{"name":"script","access":"`+access+`"}`).must(c.t, http.StatusOK)
	var made struct{ ID, Token string }
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || made.ID == "" || made.Token == "" {
		c.t.Fatalf("%q: %v", got.body, err)
	}
	script = c.browser()
	script.token = made.Token
	return script, made.ID
}

// visit sends a request without a connection, for tests with a fake clock, and
// returns the session cookie that the browser has then.
func visit(h http.Handler, from, cookie, method, path, form string) (w *httptest.ResponseRecorder, cookieNow string) {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(form))
	r.RemoteAddr = net.JoinHostPort(from, "40000")
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "ps4kit_session", Value: cookie})
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "ps4kit_session" {
			cookie = c.Value
		}
	}
	return w, cookie
}
