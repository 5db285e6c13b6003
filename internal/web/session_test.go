package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/web"
)

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{Version: "v9", Simulated: true})
	c := s.browser()
	for _, wrong := range []string{"", "wrong", password + "x", strings.Repeat(password, 7)} {
		got := c.signIn(wrong).must(t, http.StatusSeeOther)
		if got.Header.Get("Location") != "/login?failed=1" || len(got.Cookies()) > 0 {
			t.Errorf("%q leads to %q with %v", wrong, got.Header.Get("Location"), got.Cookies())
		}
	}
	cookie := c.signIn(password).must(t, http.StatusSeeOther).Cookies()[0]
	if cookie.Name != "ps4kit_session" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Secure {
		t.Errorf("the cookie is %v", cookie)
	}
	if got := c.get("/api/v1/session").must(t, http.StatusOK); !strings.Contains(got.body, `"version":"v9","simulated":true,"first_password":false,"expires":"`) {
		t.Errorf("%s", got.body)
	}
	c.get("/api/v1/consoles").must(t, http.StatusOK)
	got := c.do(http.MethodPost, "/logout", "").must(t, http.StatusSeeOther)
	if got.Header.Get("Location") != "/login" || got.Cookies()[0].MaxAge >= 0 {
		t.Errorf("signing out leads to %q with %v", got.Header.Get("Location"), got.Cookies())
	}
	stale := c.request(http.MethodGet, "/api/v1/consoles", "")
	stale.AddCookie(cookie)
	c.send(stale).must(t, http.StatusUnauthorized)
}

func TestSignInTakesAShortFormOnly(t *testing.T) {
	t.Parallel()
	c := newSite(t, web.SiteOptions{}).browser()
	c.do(http.MethodPost, "/login", "password="+strings.Repeat("x", 5000)).must(t, http.StatusBadRequest)
	for _, got := range []answer{
		c.do(http.MethodPost, "/login", `{"password":"`+password+`"}`),
		c.do(http.MethodPost, "/login?password="+strings.ReplaceAll(password, " ", "+"), "x=y"),
	} {
		if got.Header.Get("Location") != "/login?failed=1" {
			t.Errorf("%s to %q", got.Status, got.Header.Get("Location"))
		}
	}
	c.get("/login").must(t, http.StatusOK)
}

// inBubble runs a test with a Site and a fake clock.
func inBubble(t *testing.T, test func(t *testing.T, h http.Handler, g *web.Guard, store *memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g, store := newGuard(t)
		test(t, web.Site(complete(web.SiteOptions{Guard: g}, &backend{})), g, store)
	})
}

const (
	home = "192.168.1.2"
	form = "password=correct+horse"
)

// enter signs in and returns the cookie.
func enter(t *testing.T, h http.Handler, from string) string {
	t.Helper()
	w, cookie := visit(h, from, "", http.MethodPost, "/login", form)
	if cookie == "" {
		t.Fatalf("signing in: %d %s", w.Code, w.Body)
	}
	return cookie
}

func asks(h http.Handler, cookie string) int {
	w, _ := visit(h, home, cookie, http.MethodGet, "/api/v1/consoles", "")
	return w.Code
}

func TestSessionEndsUnused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, _ *web.Guard, _ *memory) {
		const week = 7 * 24 * time.Hour
		cookie := enter(t, h, home)
		for range 3 {
			time.Sleep(week - time.Second)
			if status := asks(h, cookie); status != http.StatusOK {
				t.Fatalf("%d before a week without a request is over", status)
			}
		}
		time.Sleep(week)
		if status := asks(h, cookie); status != http.StatusUnauthorized {
			t.Errorf("%d after a week without a request", status)
		}
	})
}

func TestTheLongestUnusedSessionGivesWay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, _ *web.Guard, _ *memory) {
		first, second := enter(t, h, home), ""
		for i := range 63 {
			time.Sleep(time.Second)
			cookie := enter(t, h, home)
			if i == 0 {
				second = cookie
			}
		}
		if status := asks(h, first); status != http.StatusOK {
			t.Fatalf("%d with 64 sessions", status)
		}
		time.Sleep(time.Second)
		last := enter(t, h, home)
		for name, tt := range map[string]struct {
			cookie string
			status int
		}{
			"used lately": {first, http.StatusOK}, "longest unused": {second, http.StatusUnauthorized}, "newest": {last, http.StatusOK},
		} {
			if status := asks(h, tt.cookie); status != tt.status {
				t.Errorf("%s: %d, want %d", name, status, tt.status)
			}
		}
	})
}

// TestOpenPageKeepsItsSession although others signed in more lately: it has a
// request running, so nobody is away longer.
func TestOpenPageKeepsItsSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{during: func(context.Context) error { time.Sleep(time.Hour); return nil }}
		g, _ := newGuard(t)
		h := web.Site(complete(web.SiteOptions{Guard: g}, b))
		open := enter(t, h, home)
		done := make(chan int)
		go func() { done <- asks(h, open) }()
		for range 64 {
			time.Sleep(time.Second)
			enter(t, h, home)
		}
		if status := <-done; status != http.StatusOK {
			t.Errorf("%d", status)
		}
		if w, _ := visit(h, home, open, http.MethodGet, "/", ""); w.Code != http.StatusOK {
			t.Errorf("%d after the request", w.Code)
		}
	})
}

// TestSigningInAgainReplacesTheSession checks that the old cookie is rejected.
func TestSigningInAgainReplacesTheSession(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, _ *web.Guard, _ *memory) {
		before := enter(t, h, home)
		_, after := visit(h, home, before, http.MethodPost, "/login", form)
		if after == before || asks(h, before) != http.StatusUnauthorized || asks(h, after) != http.StatusOK {
			t.Errorf("before %d, after %d", asks(h, before), asks(h, after))
		}
	})
}

// TestWhatIsUnderWayEndsWithTheSession checks that running requests end, such as
// the events of a page that was left open.
func TestWhatIsUnderWayEndsWithTheSession(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *site, c *guest){
		"signing out": func(_ *site, c *guest) { c.do(http.MethodPost, "/logout", "").must(t, http.StatusSeeOther) },
		"a new password": func(s *site, _ *guest) {
			if _, err := s.guard.RenewPassword(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, web.SiteOptions{})
			c := s.signedIn()
			ended := s.hold(c)
			end(s, c)
			<-ended
		})
	}
}

// TestSessionLastsWhileARequestDoes checks that a page can stay open for weeks.
func TestSessionLastsWhileARequestDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const weeks = 30 * 24 * time.Hour
		b := &backend{during: func(context.Context) error { time.Sleep(weeks); return nil }}
		g, _ := newGuard(t)
		h := web.Site(complete(web.SiteOptions{Guard: g}, b))
		cookie := enter(t, h, home)
		done := make(chan int)
		go func() { done <- asks(h, cookie) }()
		time.Sleep(weeks - time.Second)
		enter(t, h, home) // may remove expired sessions
		if status := <-done; status != http.StatusOK {
			t.Errorf("%d", status)
		}
		if w, _ := visit(h, home, cookie, http.MethodGet, "/", ""); w.Code != http.StatusOK {
			t.Errorf("%d after the request", w.Code)
		}
	})
}
