package web_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/web"
)

func TestEveryAnswerTellsBrowsersWhatNotToDo(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	stranger, owner := s.browser(), s.signedIn()
	for _, got := range []answer{
		stranger.get("/"), stranger.get("/login"), stranger.get("/healthz"), stranger.get("/none"), stranger.signIn("wrong"),
		stranger.get("/api/v1/consoles"), owner.get("/"), owner.get("/api/v1/consoles"), owner.get("/api/v1/none"), stranger.get("/guide/"),
	} {
		where := got.Request.Method + " " + got.Request.URL.Path
		csp := got.Header.Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, directive) {
				t.Errorf("%s: the policy %q lacks %s", where, csp, directive)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: the policy %q allows too much", where, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got.Header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", where, name, got.Header.Get(name), want)
			}
		}
	}
}

func TestAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	stranger, owner := s.browser(), s.signedIn()
	for _, got := range []answer{
		owner.get("/api/v1/homekit"), owner.get("/api/v1/backup"), owner.get("/api/v1/none"), stranger.get("/api/v1/homekit"),
		stranger.get("/"), stranger.get("/healthz"), stranger.get("/none"), stranger.signIn("wrong"),
	} {
		if kept := got.Header.Get("Cache-Control"); kept != "no-store" {
			t.Errorf("%s %s: Cache-Control is %q", got.Request.Method, got.Request.URL.Path, kept)
		}
	}
}

func TestOnlyNamesOfTheMachineAreServed(t *testing.T) {
	t.Parallel()
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	short, _, _ := strings.Cut(machine, ".")
	s := newSite(t, web.SiteOptions{AllowedHosts: []string{"ps4kit.example.org"}})
	for host, status := range map[string]int{
		"127.0.0.1":              http.StatusOK,
		"192.168.1.5:8990":       http.StatusOK,
		"[fe80::1]:8990":         http.StatusOK,
		"[::1]":                  http.StatusOK,
		"localhost:8990":         http.StatusOK,
		"LOCALHOST":              http.StatusOK,
		machine:                  http.StatusOK,
		short + ".local:8990":    http.StatusOK,
		short + ".local.":        http.StatusOK,
		"ps4kit.example.org":     http.StatusOK,
		"PS4kit.Example.org:443": http.StatusOK,
		"example.org":            http.StatusMisdirectedRequest,
		"x.ps4kit.example.org":   http.StatusMisdirectedRequest,
		"evil.example:8990":      http.StatusMisdirectedRequest,
		"localhost.evil.example": http.StatusMisdirectedRequest,
		"127.0.0.1.evil.example": http.StatusMisdirectedRequest,
		"127.1":                  http.StatusMisdirectedRequest,
		"0x7f000001":             http.StatusMisdirectedRequest,
		"-":                      http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/login", "/healthz"} {
			r := s.browser().request(http.MethodGet, path, "")
			r.Host = host
			if got := s.browser().send(r); got.StatusCode != status {
				t.Errorf("%s%s: %s, want %d", host, path, got.Status, status)
			}
		}
	}
	r := s.browser().request(http.MethodGet, "/api/v1/consoles", "")
	r.Host = "evil.example"
	got := s.browser().send(r)
	if e := got.error(t); e.Code != "unknown_host" || !strings.Contains(e.Hint, "web.allowed_hosts") {
		t.Errorf("%+v", e)
	}
}

func TestWritesOfOtherPagesAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header, value string
		refused       bool
	}{
		"a script":               {"X-Any", "thing", false},
		"this page":              {"Origin", "http://SELF", false},
		"this page over TLS":     {"Sec-Fetch-Site", "same-origin", false},
		"another page":           {"Origin", "http://evil.example", true},
		"another port":           {"Origin", "http://127.0.0.1:1", true},
		"a page without a name":  {"Origin", "null", true},
		"another site":           {"Sec-Fetch-Site", "cross-site", true},
		"another host of a site": {"Sec-Fetch-Site", "same-site", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, web.SiteOptions{})
			owner := s.signedIn()
			for _, path := range []string{"/api/v1/consoles/Den/keys", "/login", "/logout"} {
				body := "password=x"
				if strings.HasPrefix(path, "/api") {
					body = `{"keys":["up"]}`
				}
				r := owner.request(http.MethodPost, path, body)
				r.Header.Set(tt.header, strings.Replace(tt.value, "http://SELF", s.url, 1))
				if got := owner.send(r); (got.StatusCode == http.StatusForbidden) != tt.refused {
					t.Errorf("%s: %s", path, got.Status)
				}
			}
			if calls := s.b.calls.Load(); (calls == 0) != tt.refused {
				t.Errorf("the Backend was called %d times", calls)
			}
		})
	}
}

func TestHealthAndMetricsNeedNoSignIn(t *testing.T) {
	t.Parallel()
	with := newSite(t, web.SiteOptions{
		Unready: func() []string { return []string{"A0B1C2D3E4F5: not listening"} },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ps4kit_up 1\n")) }),
	}).browser()
	with.get("/healthz").must(t, http.StatusOK)
	if got := with.get("/readyz").must(t, http.StatusServiceUnavailable); !strings.Contains(got.body, "not listening") {
		t.Errorf("%q", got.body)
	}
	if got := with.get("/metrics").must(t, http.StatusOK); got.body != "ps4kit_up 1\n" {
		t.Errorf("%q", got.body)
	}
	newSite(t, web.SiteOptions{}).browser().get("/metrics").must(t, http.StatusNotFound)
}

func TestStrangersGetTheSignInPageAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	stranger := s.browser()
	if got := stranger.get("/").must(t, http.StatusSeeOther); got.Header.Get("Location") != "/login" {
		t.Errorf("/ leads to %q", got.Header.Get("Location"))
	}
	if got := stranger.get("/login").must(t, http.StatusOK); got.body != content(t, "login.html") {
		t.Errorf("/login is %q", got.body)
	}
	for _, route := range []string{
		"GET /consoles", "GET /session", "GET /homekit", "GET /backup", "GET /tokens", "GET /password", "POST /password",
		"PUT /password", "POST /consoles/Den/keys", "GET /credential",
	} {
		method, path, _ := strings.Cut(route, " ")
		got := stranger.do(method, "/api/v1"+path, "")
		if e := got.error(t); got.StatusCode != http.StatusUnauthorized || e.Code != "not_signed_in" || got.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %s %+v", route, got.Status, e)
		}
	}
	if calls := s.b.calls.Load(); calls > 0 {
		t.Errorf("a stranger reached the Backend: %+v", calls)
	}
	if got := s.signedIn().get("/").must(t, http.StatusOK); got.body != content(t, "index.html") {
		t.Errorf("/ is %q", got.body)
	}
}

// content returns what a site without a generated password serves for a file.
func content(t *testing.T, name string) string {
	t.Helper()
	return strings.Replace(pageFiles(t)[name], "{{hint}}", "Lost the password? Run <code> --new</code> on the machine that runs ps4kit.", 1)
}

// TestFilesOfThePage checks that each file has a type and that a browser that
// has it gets no second copy.
func TestFilesOfThePage(t *testing.T) {
	t.Parallel()
	owner := newSite(t, web.SiteOptions{}).signedIn()
	for name := range pageFiles(t) {
		path := "/assets/" + name
		switch name {
		case "index.html":
			path = "/"
		case "login.html":
			path = "/login"
		case "guide.html":
			continue // see TestGuide
		}
		plain := owner.get(path).must(t, http.StatusOK)
		if plain.body != content(t, name) || plain.Header.Get("Content-Type") == "" || plain.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %q with %v", path, plain.body, plain.Header)
		}
		again := owner.request(http.MethodGet, path, "")
		again.Header.Set("If-None-Match", plain.Header.Get("ETag"))
		owner.send(again).must(t, http.StatusNotModified)
		owner.do(http.MethodPut, path, "").must(t, http.StatusMethodNotAllowed)
	}
	stranger := newSite(t, web.SiteOptions{}).browser() // browsers fetch these without cookies
	for name, want := range map[string]string{"icon.png": "image/png", "manifest.webmanifest": "application/manifest+json"} {
		if got := stranger.get("/assets/"+name).must(t, http.StatusOK).Header.Get("Content-Type"); got != want {
			t.Errorf("%s has the type %q, want %q", name, got, want)
		}
	}
	for _, path := range []string{"/assets/", "/assets/none.js", "/assets/index.html", "/index.html", "/assets/vendor", "/assets/..%2fguide%2finstall.html", "/assets/..%2fsite.go"} {
		if got := owner.get(path); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, got.Status)
		}
	}
}
