package psn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/psn"
)

var npssoText = strings.Repeat("aB3dEf7h", 8)

// The account of docs/protocol.md §2.
const accountID = "9019256736915509894"

const (
	authorizePath = "/api/authz/v3/oauth/authorize"
	tokenPath     = "/api/authz/v3/oauth/token"
	titlesPath    = "/api/gamelist/v2/users/me/titles"
	mePath        = "/api/v1/devices/accounts/me"
)

// sony is a copy of Sony's hosts for one account. Its answers have the fields
// that psn-api 2.18.1 declares.
type sony struct {
	answers map[string]http.HandlerFunc // by path, in place of the usual ones
	titles  []string                    // JSON

	mu       sync.Mutex
	requests []string
	busy     int // requests now
}

func (s *sony) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	s.busy++
	if s.busy > 1 {
		s.requests = append(s.requests, "AT THE SAME TIME")
	}
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.busy--; s.mu.Unlock() }()
	if answer := s.answers[r.URL.Path]; answer != nil {
		answer(w, r)
		return
	}
	switch r.URL.Path {
	case authorizePath:
		if r.Header.Get("Cookie") != "npsso="+npssoText {
			expired(w, r)
			return
		}
		w.Header().Set("Location", "com.scee.psxandroid.scecompcall://redirect/?code=v3.secretcode&cid=1")
		w.WriteHeader(http.StatusFound)
	case tokenPath:
		if r.PostFormValue("code") != "v3.secretcode" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"secrettoken","expires_in":3599,"refresh_token":"x","token_type":"bearer"}`)
	case titlesPath:
		s.page(w, r)
	case mePath:
		_, _ = io.WriteString(w, `{"accountId":"`+accountID+`","accountDevices":[]}`)
	default:
		http.NotFound(w, r)
	}
}

// page answers with a page of the titles.
func (s *sony) page(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer secrettoken" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var limit, offset int
	_, _ = fmt.Sscan(r.FormValue("limit"), &limit)
	_, _ = fmt.Sscan(r.FormValue("offset"), &offset)
	page := s.titles[min(offset, len(s.titles)):min(offset+limit, len(s.titles))]
	_, _ = fmt.Fprintf(w, `{"titles":[%s],"nextOffset":%d,"totalItemCount":%d}`, strings.Join(page, ","), offset+limit, len(s.titles))
}

// expired redirects as Sony does for an npsso that is no longer valid.
func expired(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "com.scee.psxandroid.scecompcall://redirect/?error=login_required&error_code=4165")
	w.WriteHeader(http.StatusFound)
}

func title(id, name, played string) string {
	text, _ := json.Marshal(map[string]string{
		"titleId": id, "name": name + " (en)", "localizedName": name, "category": "ps4_game",
		"imageUrl": "https://image.api.playstation.com/" + id + ".png", "lastPlayedDateTime": played,
	})
	return string(text)
}

func serve(t *testing.T, s *sony) *psn.Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &psn.Client{AccountURL: server.URL, TitlesURL: server.URL, HTTP: &http.Client{Transport: transport}}
}

func npsso(t *testing.T) psn.NPSSO {
	t.Helper()
	n, err := psn.ParseNPSSO(npssoText)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func titles(ctx context.Context, c *psn.Client, n psn.NPSSO) ([]api.ImportTitle, error) {
	session, err := c.SignIn(ctx, n)
	if err != nil {
		return nil, err
	}
	return session.Titles(ctx)
}

func TestTitlesOfSeveralPagesComeMostRecentFirst(t *testing.T) {
	t.Parallel()
	s := &sony{}
	for i := range 450 {
		s.titles = append(s.titles, title(fmt.Sprintf("CUSA%05d_00", i), fmt.Sprintf("Game %d", i), fmt.Sprintf("2020-01-01T00:%02d:%02d.500Z", i/60, i%60)))
	}
	s.titles = append(s.titles,
		title("PPSA01284_00", "A PS5 title", "2024-01-01T00:00:00Z"), title("nonsense", "No id", "2024-01-01T00:00:00Z"),
		title("CUSA00001_00", "Again", "2024-01-01T00:00:00Z"), title("CUSA99999_00", "Never played", "yesterday"))
	list, err := titles(t.Context(), serve(t, s), npsso(t))
	if err != nil {
		t.Fatal(err)
	}
	want := api.ImportTitle{
		ID: "CUSA00449", Name: "Game 449", ImageURL: "https://image.api.playstation.com/CUSA00449_00.png",
		LastPlayed: time.Date(2020, 1, 1, 0, 7, 29, 5e8, time.UTC),
	}
	if len(list) != 451 || list[0] != want || list[450].ID != "CUSA99999" {
		t.Errorf("got %d titles, the first %+v and the last %+v; want 451 and %+v", len(list), list[0], list[len(list)-1], want)
	}
	wantRequests := []string{
		"GET /api/authz/v3/oauth/authorize?access_type=offline&client_id=09515159-7237-4370-9b40-3806e67c0891&" +
			"redirect_uri=com.scee.psxandroid.scecompcall%3A%2F%2Fredirect&response_type=code&scope=psn%3Amobile.v2.core+psn%3Aclientapp",
		"POST /api/authz/v3/oauth/token",
		"GET /api/gamelist/v2/users/me/titles?categories=ps4_game&limit=200&offset=0",
		"GET /api/gamelist/v2/users/me/titles?categories=ps4_game&limit=200&offset=200",
		"GET /api/gamelist/v2/users/me/titles?categories=ps4_game&limit=200&offset=400",
	}
	if got := strings.Join(s.requests, "\n"); got != strings.Join(wantRequests, "\n") {
		t.Errorf("requests:\n%s\nwant\n%s", got, strings.Join(wantRequests, "\n"))
	}
}

// A title cannot spoil the text around it, nor fill a request to the server.
func TestHostileTitles(t *testing.T) {
	t.Parallel()
	long := `{"titleId":"CUSA00004","localizedName":"` + strings.Repeat("x", 1<<20) + `","imageUrl":"https://image.api.playstation.com/` + strings.Repeat("x", 1<<20) + `"}`
	s := &sony{titles: []string{
		title("CUSA00001", "\u202ekcab\u202c", ""), title("CUSA00002", "a\x1b[31mb\nc\x00", ""), title("CUSA00003", "\u2066\u200b ", ""), long,
	}}
	list, err := titles(t.Context(), serve(t, s), npsso(t))
	if err != nil || len(list) != 4 {
		t.Fatalf("%d titles, %v", len(list), err)
	}
	for i, want := range []string{"kcab", "a [31mb c", "(en)", strings.Repeat("x", 256)} {
		if list[i].Name != want {
			t.Errorf("title %d is named %q, want %q", i+1, list[i].Name, want)
		}
	}
	if got := list[3].ImageURL; got != "" {
		t.Errorf("an image with an address of %d bytes", len(got))
	}
}

func TestAccountID(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"text": `{"accountId":"` + accountID + `"}`, "number": `{"accountId":` + accountID + `}`} {
		client := serve(t, &sony{answers: map[string]http.HandlerFunc{mePath: answer(200, body)}})
		session, err := client.SignIn(t.Context(), npsso(t))
		if err != nil {
			t.Fatal(err)
		}
		if id, err := session.AccountID(t.Context()); err != nil || id != accountID {
			t.Errorf("%s: account id %q, %v; want %s", name, id, err, accountID)
		}
	}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Each failure has its own error and costs no further request.
func TestFailures(t *testing.T) {
	t.Parallel()
	toSignIn := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://my.account.sony.com/", http.StatusFound)
	}
	busy := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	cutOff := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{")
	}
	for name, c := range map[string]struct {
		path     string
		answer   http.HandlerFunc
		want     error
		requests int
	}{
		"expired npsso":       {authorizePath, expired, psn.ErrNPSSO, 1},
		"sign-in page":        {authorizePath, toSignIn, psn.ErrNPSSO, 1},
		"authorize forbidden": {authorizePath, answer(403, "Access Denied"), psn.ErrNPSSO, 1},
		"authorize garbage":   {authorizePath, answer(200, "<html>"), psn.ErrAnswer, 1},
		"authorize busy":      {authorizePath, answer(429, ""), &api.Error{Code: "psn_busy"}, 1},
		"code refused":        {tokenPath, answer(400, `{"error":"invalid_grant"}`), psn.ErrNPSSO, 2},
		"token garbage":       {tokenPath, answer(200, "secrettoken"), psn.ErrAnswer, 2},
		"no token":            {tokenPath, answer(200, "{}"), psn.ErrAnswer, 2},
		"token of two lines":  {tokenPath, answer(200, `{"access_token":"a\nb"}`), psn.ErrAnswer, 2},
		"expired token":       {titlesPath, answer(401, `{"error":{"code":2106602,"message":"Expired token"}}`), psn.ErrNPSSO, 3},
		"busy":                {titlesPath, busy, &api.Error{Code: "psn_busy", RetryAfter: 2 * time.Minute}, 3},
		"out of order":        {titlesPath, answer(503, "secrettoken"), psn.ErrUnreachable, 3},
		"redirected list":     {titlesPath, toSignIn, psn.ErrAnswer, 3},
		"garbage":             {titlesPath, answer(200, `{"titles":`), psn.ErrAnswer, 3},
		"other JSON":          {titlesPath, answer(200, `{"data":[]}`), psn.ErrAnswer, 3},
		"titles of one type":  {titlesPath, answer(200, `{"titles":"secrettoken"}`), psn.ErrAnswer, 3},
		"endless":             {titlesPath, answer(200, strings.Repeat(" ", 5<<20)), psn.ErrAnswer, 3},
		"cut off":             {titlesPath, cutOff, psn.ErrUnreachable, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &sony{answers: map[string]http.HandlerFunc{c.path: c.answer}}
			got, err := titles(t.Context(), serve(t, s), npsso(t))
			if got != nil || err == nil {
				t.Fatalf("got %v, %v; want %v", got, err, c.want)
			}
			coded, want := api.AsError(err), api.AsError(c.want)
			switch {
			case want.Code == "psn_busy" && (coded.Code != want.Code || coded.RetryAfter != want.RetryAfter), want.Code != "psn_busy" && !errors.Is(err, c.want):
				t.Fatalf("got %v, %v; want %v", got, err, c.want)
			case strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), npssoText):
				t.Errorf("the error contains a secret: %v", err)
			}
			if len(s.requests) != c.requests {
				t.Errorf("%d requests, want %d: %q", len(s.requests), c.requests, s.requests)
			}
			if coded.Hint == "" {
				t.Errorf("no hint in %v", err)
			}
		})
	}
}

func TestBadAccountID(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"accountId":null}`, `{"accountId":""}`, `{"accountId":1e18}`, `{"accountId":"me"}`, `{"accountId":[1]}`} {
		client := serve(t, &sony{answers: map[string]http.HandlerFunc{mePath: answer(200, body)}})
		session, err := client.SignIn(t.Context(), npsso(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.AccountID(t.Context()); !errors.Is(err, psn.ErrAnswer) {
			t.Errorf("%s: %v, want %v", body, err, psn.ErrAnswer)
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for _, base := range []string{server.URL, "http://[broken"} {
		_, err := (&psn.Client{AccountURL: base}).SignIn(t.Context(), npsso(t))
		if !errors.Is(err, psn.ErrUnreachable) {
			t.Errorf("%s: %v, want %v", base, err, psn.ErrUnreachable)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := serve(t, &sony{}).SignIn(ctx, npsso(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestParseNPSSO(t *testing.T) {
	t.Parallel()
	for _, text := range []string{npssoText, " " + npssoText + "\r\n", `"` + npssoText + `"`, `{"npsso":"` + npssoText + `"}`, "{\n \"npsso\": \"" + npssoText + "\"\n}\n"} {
		if n, err := psn.ParseNPSSO(text); err != nil || n != npsso(t) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "{}", npssoText[1:], npssoText + "0", npssoText[1:] + ";", npssoText[2:] + "é", `{"npsso":"short"}`, `{"npsso":` + npssoText} {
		_, err := psn.ParseNPSSO(text)
		if !errors.Is(err, psn.ErrNPSSOFormat) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, want %v", text, err, psn.ErrNPSSOFormat)
		}
	}
}

func TestNPSSONeverPrints(t *testing.T) {
	t.Parallel()
	n := npsso(t)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "npsso", n, "in", struct{ N psn.NPSSO }{n})
	marshaled, err := json.Marshal(map[string]any{"n": n})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q %x %d", n, n, n, n, n, n, n), fmt.Sprint(&n, []psn.NPSSO{n}), log.String(), string(marshaled)} {
		if strings.Contains(text, npssoText) || strings.Contains(text, fmt.Sprintf("%x", npssoText)) || !strings.Contains(text, "[redacted]") {
			t.Errorf("printed %q", text)
		}
	}
}
