package web_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/web"
)

// fail tries a wrong password and returns the status, and how long to wait.
func fail(t *testing.T, h http.Handler, from string) (status int, wait time.Duration) {
	t.Helper()
	w, _ := visit(h, from, "", http.MethodPost, "/login", "password=wrong")
	seconds, _ := strconv.Atoi(w.Header().Get("Retry-After"))
	if (seconds > 0) != (w.Code == http.StatusTooManyRequests) {
		t.Errorf("%d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	return w.Code, time.Duration(seconds) * time.Second
}

func failAll(t *testing.T, h http.Handler, from string) {
	t.Helper()
	for i := range 5 {
		if status, _ := fail(t, h, from); status != http.StatusSeeOther {
			t.Fatalf("try %d from %s: %d", i+1, from, status)
		}
	}
}

func TestTriesAreLimited(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, _ *web.Guard, _ *memory) {
		failAll(t, h, home)
		status, wait := fail(t, h, home)
		if status != http.StatusTooManyRequests || wait != 30*time.Second {
			t.Fatalf("%d, wait %v, want 429 and 30 s", status, wait)
		}
		if w, _ := visit(h, home, "", http.MethodPost, "/login", form); w.Code != http.StatusTooManyRequests {
			t.Errorf("%d for the right password after too many tries", w.Code)
		}
		enter(t, h, "192.168.1.3") // others are not locked out
		time.Sleep(wait)
		enter(t, h, home)
		failAll(t, h, home) // the right password restores every try
	})
}

// TestWrongPasswordsAreTold checks that each wrong password is reported with its
// address, and that throttled attempts are not.
func TestWrongPasswordsAreTold(t *testing.T) {
	t.Parallel()
	var told []string
	g, err := web.NewGuard(&memory{}, hashOf(t, password), func(from netip.Addr) { told = append(told, from.String()) })
	if err != nil {
		t.Fatal(err)
	}
	h := web.Site(complete(web.SiteOptions{Guard: g}, &backend{}))
	enter(t, h, home)
	failAll(t, h, "192.168.1.3")
	if status, _ := fail(t, h, "192.168.1.3"); status != http.StatusTooManyRequests {
		t.Fatalf("%d after too many tries", status)
	}
	if want := slices.Repeat([]string{"192.168.1.3"}, 5); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestOneNetworkOfIPv6IsOneAddress(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, _ *web.Guard, _ *memory) {
		failAll(t, h, "2001:db8::1")
		for from, want := range map[string]int{
			"2001:db8::2":                      http.StatusTooManyRequests,
			"2001:db8:0:0:ffff:ffff:ffff:ffff": http.StatusTooManyRequests,
			"2001:db8:0:1::1":                  http.StatusSeeOther,
			"192.168.1.3":                      http.StatusSeeOther,
			"fe80::1%eth0":                     http.StatusSeeOther,
		} {
			if status, _ := fail(t, h, from); status != want {
				t.Errorf("%s: %d, want %d", from, status, want)
			}
		}
		failAll(t, h, "::ffff:192.168.1.9")
		if status, _ := fail(t, h, "192.168.1.9"); status != http.StatusTooManyRequests {
			t.Errorf("%d for the same IPv4 address in another form", status)
		}
	})
}

// TestAddressesBeyondTheBoundShareTheirTries checks that someone with thousands
// of addresses gains few tries by them, and locks out newcomers only for a while.
func TestAddressesBeyondTheBoundShareTheirTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := web.NewThrottle()
		for i := range 1024 + 5 {
			if wait := throttle.Take(netip.AddrFrom4([4]byte{10, 0, byte(i / 256), byte(i)})); wait > 0 {
				t.Fatalf("address %d has to wait %v", i, wait)
			}
		}
		late := netip.MustParseAddr(home)
		if wait := throttle.Take(late); wait != 30*time.Second {
			t.Errorf("one more has to wait %v, want 30 s", wait)
		}
		time.Sleep(30 * time.Second) // then the others have all their tries again
		for range 5 {
			if wait := throttle.Take(late); wait > 0 {
				t.Errorf("it still has to wait %v", wait)
			}
		}
	})
}

// TestHashesAreBounded checks that a third sign-in waits for a slot, but not for long.
func TestHashesAreBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, h http.Handler, g *web.Guard, _ *memory) {
		release := web.OccupyHashing(g)
		begin := time.Now()
		if w, _ := visit(h, home, "", http.MethodPost, "/login", form); w.Code != http.StatusTooManyRequests || time.Since(begin) != 5*time.Second {
			t.Errorf("%d after %v, want 429 after 5 s", w.Code, time.Since(begin))
		}
		go func() {
			time.Sleep(2 * time.Second)
			release()
		}()
		begin = time.Now()
		enter(t, h, home)
		if time.Since(begin) != 2*time.Second {
			t.Errorf("signed in after %v", time.Since(begin))
		}
	})
}

func TestCurrentPasswordIsLimitedToo(t *testing.T) {
	t.Parallel()
	owner := newSite(t, web.SiteOptions{}).signedIn()
	for range 5 {
		if e := owner.do(http.MethodPut, "/api/v1/password", `{"current":"wrong","new":"long enough"}`).error(t); e.Code != "wrong_password" {
			t.Fatalf("%+v", e)
		}
	}
	got := owner.do(http.MethodPut, "/api/v1/password", `{"current":"`+password+`","new":"long enough"}`)
	if e := got.error(t); got.StatusCode != http.StatusTooManyRequests || e.Code != "too_many_tries" || got.Header.Get("Retry-After") == "" {
		t.Errorf("%s %+v %v", got.Status, e, got.Header)
	}
}
