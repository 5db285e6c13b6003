package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/web"
)

func TestTokensMayDoLessThanTheOwner(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{Guard: mustGuard(t, withOldToken(t, "admin"), "")})
	owner := s.signedIn()
	read, _ := owner.makeToken("read")
	control, _ := owner.makeToken("control")
	admin := s.browser() // made by ps4kit before there were read tokens
	admin.token = oldToken
	unknown := s.browser()
	unknown.token = "ps4kit_unknown"
	for _, tt := range []struct {
		route string
		body  string
		as    [5]int // read, control, admin, owner, unknown token
	}{
		{"GET /consoles", "", [5]int{200, 200, 200, 200, 401}},
		{"GET /session", "", [5]int{200, 200, 200, 200, 401}},
		{"GET /openapi.json", "", [5]int{200, 200, 200, 200, 401}},
		{"POST /consoles/Den/keys", `{"keys":["up"]}`, [5]int{403, 204, 204, 204, 401}},
		{"POST /consoles/Den/titles", `{"id":"CUSA00129","name":"x"}`, [5]int{403, 204, 204, 204, 401}},
		{"GET /homekit", "", [5]int{403, 403, 200, 200, 401}},
		{"POST /consoles/Den/link", `{"pin":"12345678"}`, [5]int{403, 403, 204, 204, 401}},
		{"PUT /credential", `{"credential":"x"}`, [5]int{403, 403, 204, 204, 401}},
		{"GET /backup", "", [5]int{403, 403, 403, 200, 401}},
		{"GET /tokens", "", [5]int{403, 403, 403, 200, 401}},
		{"POST /tokens", `{"name":"x","access":"control"}`, [5]int{403, 403, 403, 200, 401}},
		{"DELETE /tokens/none", "", [5]int{403, 403, 403, 404, 401}},
		{"PUT /password", `{"current":"` + password + `","new":"` + password + `"}`, [5]int{403, 403, 403, 204, 401}},
		{"GET /credential", "", [5]int{403, 403, 403, 403, 401}},
		{"GET /password", "", [5]int{403, 403, 403, 403, 401}},
		{"POST /password", "", [5]int{403, 403, 403, 403, 401}},
	} {
		method, path, _ := strings.Cut(tt.route, " ")
		for i, c := range []*guest{read, control, admin, owner, unknown} {
			got := c.do(method, "/api/v1"+path, tt.body)
			if got.StatusCode != tt.as[i] {
				t.Errorf("%s as %d: %s %s, want %d", tt.route, i, got.Status, got.body, tt.as[i])
			}
			if got.StatusCode == http.StatusForbidden && got.error(t).Code != "forbidden" {
				t.Errorf("%s as %d: %s", tt.route, i, got.body)
			}
		}
	}
	control.get("/").must(t, http.StatusSeeOther) // a token does not open the page
}

func TestTokenGoesBeforeTheCookie(t *testing.T) {
	t.Parallel()
	owner := newSite(t, web.SiteOptions{}).signedIn()
	script, _ := owner.makeToken("control")
	for header, status := range map[string]int{
		"Bearer ps4kit_unknown":              http.StatusUnauthorized,
		"Bearer":                             http.StatusUnauthorized,
		"bearer " + script.token:             http.StatusForbidden,
		"Basic cHM0a2l0OmNvcnJlY3QgaG9yc2U=": http.StatusOK, // for a proxy
		script.token:                         http.StatusOK,
	} {
		r := owner.request(http.MethodGet, "/api/v1/homekit", "")
		r.Header.Set("Authorization", header)
		if got := owner.send(r); got.StatusCode != status {
			t.Errorf("%q: %s, want %d", header, got.Status, status)
		}
	}
}

func TestTokensAreListedWithoutTheirSecret(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	owner := s.signedIn()
	if got := owner.get("/api/v1/tokens").must(t, http.StatusOK); got.body != "[]\n" {
		t.Errorf("no tokens are %q", got.body)
	}
	script, id := owner.makeToken("control")
	got := owner.get("/api/v1/tokens").must(t, http.StatusOK)
	var list []map[string]any
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || len(list) != 1 {
		t.Fatalf("%q: %v", got.body, err)
	}
	if list[0]["id"] != id || list[0]["name"] != "script" || list[0]["access"] != "control" || list[0]["created"] == nil || list[0]["last_used"] != nil {
		t.Errorf("%v", list[0])
	}
	for where, text := range map[string]string{"the list": got.body, "the file": s.store.text()} {
		if strings.Contains(text, script.token) || strings.Contains(text, strings.TrimPrefix(script.token, "ps4kit_")) {
			t.Errorf("%s has the token", where)
		}
	}
	if strings.Contains(got.body, "hash") {
		t.Errorf("the list has a hash: %s", got.body)
	}
	again := newSite(t, web.SiteOptions{Guard: mustGuard(t, s.store, "")}).browser() // after a restart
	again.token = script.token
	again.get("/api/v1/consoles").must(t, http.StatusOK)
}

func TestUnfitTokensAreRefused(t *testing.T) {
	t.Parallel()
	owner := newSite(t, web.SiteOptions{}).signedIn()
	for _, body := range []string{
		`{"name":"","access":"control"}`, `{"name":"x"}`, `{"name":"x","access":"owner"}`, `{"name":"x","access":"admin"}`, `{"name":"x\n","access":"control"}`,
		`{"name":"` + strings.Repeat("x", 65) + `","access":"control"}`,
	} {
		if e := owner.do(http.MethodPost, "/api/v1/tokens", body).must(t, http.StatusBadRequest).error(t); e.Code != "bad_request" {
			t.Errorf("%s: %+v", body, e)
		}
	}
	got := owner.do(http.MethodPost, "/api/v1/tokens", `{"name":"a\u202eb\u200b","access":"read"}`).must(t, http.StatusOK)
	if !strings.Contains(got.body, `"name":"ab"`) {
		t.Errorf("a name with invisible characters: %q", got.body)
	}
	for range 99 {
		owner.makeToken("control")
	}
	if e := owner.do(http.MethodPost, "/api/v1/tokens", `{"name":"x","access":"control"}`).error(t); e.Code != "too_many_tokens" {
		t.Errorf("%+v", e)
	}
}

func TestRevokedTokenIsGoodForNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, web.SiteOptions{})
	owner := s.signedIn()
	script, id := owner.makeToken("control")
	other, _ := owner.makeToken("control")
	ended := s.hold(script)
	owner.do(http.MethodDelete, "/api/v1/tokens/"+id, "").must(t, http.StatusNoContent)
	<-ended
	script.get("/api/v1/consoles").must(t, http.StatusUnauthorized)
	other.get("/api/v1/consoles").must(t, http.StatusOK)
	owner.do(http.MethodDelete, "/api/v1/tokens/"+id, "").must(t, http.StatusNotFound)
}

// oldToken is a token that is stored already.
const oldToken = "ps4kit_x"

func withOldToken(t *testing.T, access string) *memory {
	t.Helper()
	sum := sha256.Sum256([]byte(oldToken))
	store := &memory{}
	err := store.Save(web.Saved{PasswordHash: hashOf(t, password),
		Tokens: []web.SavedToken{{Token: api.Token{ID: "x", Access: access}, Hash: hex.EncodeToString(sum[:])}}})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestLastUseIsKeptOnceAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := withOldToken(t, "control")
		h := web.Site(complete(web.SiteOptions{Guard: mustGuard(t, store, hashOf(t, password))}, &backend{}))
		before := store.saves
		for range 4 {
			r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/api/v1/consoles", nil)
			r.Header.Set("Authorization", "Bearer "+oldToken)
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			time.Sleep(20 * time.Minute)
		}
		if saves := store.saves - before; saves != 2 {
			t.Errorf("%d writes in 80 minutes, want 2", saves)
		}
		saved, err := store.Load()
		if want := time.Now().Add(-20 * time.Minute); err != nil || !saved.Tokens[0].LastUsed.Equal(want) {
			t.Errorf("last used %v, want %v (%v)", saved.Tokens[0].LastUsed, want, err)
		}
	})
}
