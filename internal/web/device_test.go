package web_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/web"
)

// tab is a browser without a connection, for tests with a fake clock.
type tab struct {
	h       http.Handler
	from    string
	cookies map[string]string
}

func newTab(h http.Handler, from string) *tab {
	return &tab{h: h, from: from, cookies: map[string]string{}}
}

func (b *tab) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	r.RemoteAddr = net.JoinHostPort(b.from, "40000")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		r.Header.Add("X-Forwarded-For", line)
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return w
}

// signIn reports whether the password was accepted.
func (b *tab) signIn() bool {
	return b.do(http.MethodPost, "/login", form).Header().Get("Location") == "/"
}

// TestGuesserDoesNotLockOutAKnownDevice, although it has the same address, as
// everyone has behind the address translation of a container.
func TestGuesserDoesNotLockOutAKnownDevice(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, _ *web.Guard, _ *memory) {
		owner := newTab(h, home)
		if !owner.signIn() {
			t.Fatal("the owner can't sign in")
		}
		in := 0
		for range 34 {
			for range 10 {
				fail(t, h, home)
			}
			delete(owner.cookies, "ps4kit_session")
			if owner.signIn() {
				in++
			}
			time.Sleep(time.Second)
		}
		if in != 34 {
			t.Errorf("%d of 34 correct passwords got in", in)
		}
		if newTab(h, home).signIn() {
			t.Error("a stranger is not limited")
		}
		forged := newTab(h, home)
		forged.cookies["ps4kit_device"] = strings.Repeat("A", 26) + owner.cookies["ps4kit_device"][26:]
		if forged.signIn() {
			t.Error("a forged device is not limited")
		}
	})
}

func TestKnownDeviceIsLimited(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, g *web.Guard, _ *memory) {
		stolen := newTab(h, home)
		if !stolen.signIn() {
			t.Fatal("can't sign in")
		}
		delete(stolen.cookies, "ps4kit_session")
		if got := stolen.do(http.MethodGet, "/api/v1/consoles", ""); got.Code != http.StatusUnauthorized {
			t.Errorf("a device without a session gets %d", got.Code)
		}
		for i := range 6 {
			want := http.StatusSeeOther
			if i == 5 {
				want = http.StatusTooManyRequests
			}
			if got := stolen.do(http.MethodPost, "/login", "password=wrong"); got.Code != want {
				t.Errorf("try %d: %d, want %d", i+1, got.Code, want)
			}
		}
		if !newTab(h, home).signIn() {
			t.Error("a device locks its address out")
		}
		if _, err := g.RenewPassword(); err != nil {
			t.Fatal(err)
		}
		if got := stolen.do(http.MethodPost, "/login", "password=wrong"); got.Code != http.StatusSeeOther {
			t.Errorf("%d: with another password, the device is still known", got.Code)
		}
	})
}

// TestChangedPasswordKeepsTheDevice whose owner changed it.
func TestChangedPasswordKeepsTheDevice(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, _ *web.Guard, _ *memory) {
		owner := newTab(h, home)
		owner.signIn()
		if got := owner.do(http.MethodPut, "/api/v1/password", `{"current":"`+password+`","new":"another one"}`); got.Code != http.StatusNoContent {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		before := owner.cookies["ps4kit_device"]
		owner.do(http.MethodGet, "/", "")
		if owner.cookies["ps4kit_device"] == before {
			t.Fatal("the device is not renewed")
		}
		failAll(t, h, home)
		if got := owner.do(http.MethodPost, "/login", "password=another+one"); got.Code != http.StatusSeeOther {
			t.Errorf("%d", got.Code)
		}
	})
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	var from string
	g, err := web.NewGuard(&memory{}, hashOf(t, password), func(a netip.Addr) { from = a.String() })
	if err != nil {
		t.Fatal(err)
	}
	h := web.Site(complete(web.SiteOptions{Guard: g, TrustedProxies: []netip.Prefix{
		netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("fe80::1/128"),
	}}, &backend{}))
	for _, tt := range []struct {
		sender  string
		headers []string
		want    string
	}{
		{"172.17.0.1", []string{"192.168.1.7"}, "192.168.1.7"},
		{"172.17.0.1", []string{"10.9.9.9, 192.168.1.8"}, "192.168.1.8"},              // the first may be made up
		{"172.17.0.1", []string{"10.9.9.9", "192.168.1.9,172.17.0.2"}, "192.168.1.9"}, // two proxies, two lines
		{"172.17.0.1", []string{"172.17.0.3"}, "172.17.0.3"},
		{"172.17.0.1", []string{"2001:db8:1::1"}, "2001:db8:1::1"},
		{"::ffff:172.17.0.1", []string{"192.168.1.10"}, "192.168.1.10"},
		{"fe80::1%eth0", []string{"192.168.1.11"}, "192.168.1.11"},
		{"172.17.0.4", nil, "172.17.0.4"},
		{"172.17.0.5", []string{"192.168.1.12, nonsense"}, "172.17.0.5"},
		{"192.168.1.13", []string{"192.168.1.14"}, "192.168.1.13"}, // not a proxy
	} {
		from = "nobody"
		newTab(h, tt.sender).do(http.MethodPost, "/login", "password=wrong", tt.headers...)
		if from != tt.want {
			t.Errorf("%s with %q is %s, want %s", tt.sender, tt.headers, from, tt.want)
		}
	}
	guesser := newTab(h, "172.17.0.1")
	for n := range 9 {
		guesser.do(http.MethodPost, "/login", "password=wrong", "1.2.3."+string(rune('0'+n))+", 192.168.1.20")
	}
	if got := guesser.do(http.MethodPost, "/login", form, "192.168.1.20"); got.Code != http.StatusTooManyRequests {
		t.Errorf("%d for a guesser behind a proxy", got.Code)
	}
	if got := newTab(h, "172.17.0.1").do(http.MethodPost, "/login", form, "192.168.1.21"); got.Header().Get("Location") != "/" {
		t.Errorf("%d for the owner behind the same proxy", got.Code)
	}
}

// streams is an api.Page with streams and nothing else.
type streams struct{ api.Page }

func (streams) Overview(context.Context, api.None) (api.Overview, error) {
	return api.Overview{}, nil
}

// TestOneTokenLeavesStreamsForOthers, and so does one session.
func TestOneTokenLeavesStreamsForOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{Services: api.Services{Page: streams{}, Events: api.NewEvents(t.Context(), &api.Log{})}})
	owner := s.signedIn()
	greedy, _ := owner.makeToken("read")
	other, _ := owner.makeToken("read")
	follow := func(c *guest) int {
		t.Helper()
		resp, err := c.http.Do(c.request(http.MethodGet, "/api/v1/events", ""))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp.StatusCode
	}
	for _, c := range []*guest{greedy, owner} {
		for n := range 10 {
			want := http.StatusOK
			if n >= 8 {
				want = http.StatusServiceUnavailable
			}
			if got := follow(c); got != want {
				t.Errorf("stream %d of one: %d, want %d", n+1, got, want)
			}
		}
	}
	for _, c := range []*guest{other, s.signedIn()} {
		if got := follow(c); got != http.StatusOK {
			t.Errorf("a stream of another: %d", got)
		}
	}
}
