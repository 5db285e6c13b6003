package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/web"
)

func TestFirstPassword(t *testing.T) {
	t.Parallel()
	store := &memory{}
	first, err := mustGuard(t, store, "").FirstPassword()
	if err != nil || !regexp.MustCompile(`^[a-z2-7]{4}(-[a-z2-7]{4}){2}$`).MatchString(first.Password) {
		t.Fatalf("%q, %v", first.Password, err)
	}
	saved, _ := store.Load()
	if cost, err := bcrypt.Cost([]byte(saved.PasswordHash)); err != nil || cost < 10 {
		t.Errorf("a hash of the cost %d: %v", cost, err)
	}
	s := newSite(t, web.SiteOptions{Guard: mustGuard(t, store, "")}) // after a restart
	if again, err := s.guard.FirstPassword(); err != nil || again != first {
		t.Errorf("after a restart: %v", err)
	}
	owner := s.browser()
	owner.signIn(first.Password)
	if got := owner.get("/api/v1/session").must(t, http.StatusOK); !strings.Contains(got.body, `"first_password":true`) {
		t.Errorf("%s", got.body)
	}
	owner.do(http.MethodPut, "/api/v1/password", fmt.Sprintf(`{"current":%q,"new":"chosen by me"}`, first.Password)).must(t, http.StatusNoContent)
	if _, err := s.guard.FirstPassword(); !isCode(err, "password_changed") {
		t.Errorf("%v", err)
	}
	if text := store.text(); strings.Contains(text, first.Password) || strings.Contains(text, "chosen by me") {
		t.Error("a password is kept in clear")
	}
}

// TestFirstPasswordIsReplacedWithoutIt checks that a browser needn't repeat the
// generated password, but a chosen one.
func TestFirstPasswordIsReplacedWithoutIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{Guard: mustGuard(t, &memory{}, ""), PasswordCommand: "sudo <ps4kit> web password"})
	first, err := s.guard.FirstPassword()
	if err != nil {
		t.Fatal(err)
	}
	hint := func(want string) {
		t.Helper()
		if got := s.browser().get("/login").must(t, http.StatusOK); !strings.Contains(got.body, want) {
			t.Errorf("no %q in %s", want, got.body)
		}
	}
	hint("First time here? Run <code>sudo &lt;ps4kit&gt; web password</code>")
	owner := s.browser()
	owner.signIn(first.Password)
	owner.do(http.MethodPut, "/api/v1/password", `{"current":"wrong","new":"chosen by me"}`).must(t, http.StatusUnprocessableEntity)
	owner.do(http.MethodPut, "/api/v1/password", `{"current":"","new":"short"}`).must(t, http.StatusUnprocessableEntity)
	owner.do(http.MethodPut, "/api/v1/password", `{"current":"","new":"chosen by me"}`).must(t, http.StatusNoContent)
	owner.get("/api/v1/session").must(t, http.StatusOK)
	again := owner.do(http.MethodPut, "/api/v1/password", `{"current":"","new":"chosen again"}`)
	if e := again.error(t); e.Code != "password_changed" {
		t.Errorf("another tab that chooses one: %+v", e)
	}
	hint("web password --new</code>")
}

func isCode(err error, code string) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == code
}

func TestChangingThePasswordEndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	owner, other := s.signedIn(), s.signedIn()
	script, _ := other.makeToken("control")
	owner.do(http.MethodPut, "/api/v1/password", `{"current":"`+password+`","new":"chosen by me"}`).must(t, http.StatusNoContent)
	owner.get("/api/v1/consoles").must(t, http.StatusOK)
	other.get("/api/v1/consoles").must(t, http.StatusUnauthorized)
	script.get("/api/v1/consoles").must(t, http.StatusOK)
	if got := s.browser().signIn(password); got.Header.Get("Location") != "/login?failed=1" {
		t.Error("the old password is still good")
	}
	if got := s.browser().signIn("chosen by me"); got.Header.Get("Location") != "/" {
		t.Error("the new password is not good")
	}
}

func TestRenewingThePasswordEndsEverySession(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	owner := s.signedIn()
	renewed, err := s.guard.RenewPassword()
	if err != nil {
		t.Fatal(err)
	}
	owner.get("/api/v1/consoles").must(t, http.StatusUnauthorized)
	if first, err := s.guard.FirstPassword(); err != nil || first != renewed {
		t.Errorf("%v", err)
	}
	if got := s.browser().signIn(renewed.Password); got.Header.Get("Location") != "/" {
		t.Error("the new password is not good")
	}
}

func TestUnfitPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	owner := newSite(t, web.SiteOptions{}).signedIn()
	for unfit, want := range map[string]string{"": "at least 8", "7 bytes": "at least 8", strings.Repeat("é", 37): "too long"} {
		got := owner.do(http.MethodPut, "/api/v1/password", fmt.Sprintf(`{"current":%q,"new":%q}`, password, unfit))
		if e := got.error(t); e.Code != "bad_password" || !strings.Contains(e.Message, want) {
			t.Errorf("%q: %s %+v", unfit, got.Status, e)
		}
	}
}

// TestPasswordOfTheConfiguration checks that it overrides a saved password, and
// that only the configuration changes it.
func TestPasswordOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]*memory{"nothing saved": {}, "another password saved": savedPassword(t, "another")} {
		before := store.text()
		s := newSite(t, web.SiteOptions{Guard: mustGuard(t, store, hashOf(t, password))})
		owner := s.signedIn()
		got := owner.do(http.MethodPut, "/api/v1/password", `{"current":"`+password+`","new":"chosen by me"}`)
		if e := got.error(t); e.Code != "password_configured" || !strings.Contains(e.Hint, "web.password_hash") {
			t.Errorf("%s: %+v", name, e)
		}
		if _, err := s.guard.FirstPassword(); !isCode(err, "password_configured") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.guard.RenewPassword(); !isCode(err, "password_configured") {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.browser().signIn("another"); got.Header.Get("Location") == "/" {
			t.Errorf("%s: a saved password is good", name)
		}
		if store.text() != before {
			t.Errorf("%s: %s is saved", name, store.text())
		}
	}
}

func savedPassword(t *testing.T, password string) *memory {
	t.Helper()
	store := &memory{}
	if err := store.Save(web.Saved{PasswordHash: hashOf(t, password)}); err != nil {
		t.Fatal(err)
	}
	return store
}

// TestNothingChangesThatIsNotSaved checks that a change that was reported as
// failed has no effect.
func TestNothingChangesThatIsNotSaved(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	owner := s.signedIn()
	script, id := owner.makeToken("control")
	s.store.mu.Lock()
	s.store.err = errors.New("the disk is full")
	s.store.mu.Unlock()
	for _, got := range []answer{
		owner.do(http.MethodPut, "/api/v1/password", `{"current":"`+password+`","new":"chosen by me"}`),
		owner.do(http.MethodPost, "/api/v1/tokens", `{"name":"x","access":"control"}`),
		owner.do(http.MethodDelete, "/api/v1/tokens/"+id, ""),
	} {
		if e := got.error(t); !strings.Contains(e.Message, "the disk is full") {
			t.Errorf("%s %+v", got.Status, e)
		}
	}
	script.get("/api/v1/consoles").must(t, http.StatusOK)
	s.signedIn()
	if _, err := web.NewGuard(&memory{err: errors.New("the disk is full")}, "", nil); err == nil {
		t.Error("a first password that is not saved is good")
	}
}

func TestSavedHashesAreChecked(t *testing.T) {
	t.Parallel()
	for hash, good := range map[string]bool{
		"":                                  true,
		hashOf(t, password):                 true,
		"x":                                 false,
		"$2a$31$" + strings.Repeat("x", 53): false, // would take hours
	} {
		if err := (web.Saved{PasswordHash: hash}).Check(); (err == nil) != good {
			t.Errorf("%q: %v", hash, err)
		}
	}
}

func TestPasswordsPrintAsNothing(t *testing.T) {
	t.Parallel()
	secret := api.Password{Password: "k7mq-2xhd-5fwa"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, value := range []any{secret, &secret, []api.Password{secret}, web.Saved{FirstPassword: secret.Password}, &web.Saved{FirstPassword: secret.Password}} {
			if got := fmt.Sprintf(verb, value); !strings.Contains(got, "[redacted]") || strings.Contains(got, "2xhd") {
				t.Errorf("%s of %T prints %s", verb, value, got)
			}
		}
	}
}

func FuzzSignIn(f *testing.F) {
	for _, seed := range []string{"", password, "wrong", "&", "a=b&password=" + password, "\x00", "%zz", strings.Repeat("x", 100)} {
		f.Add(seed)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, tried string) {
		g := mustGuard(t, &memory{}, string(hash))
		h := web.Site(complete(web.SiteOptions{Guard: g}, &backend{}))
		_, cookie := visit(h, home, "", http.MethodPost, "/login", url.Values{"password": {tried}}.Encode())
		if (cookie != "") != (tried == password) {
			t.Errorf("%q: the cookie is %q", tried, cookie)
		}
	})
}
