package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

func TestPageRequestsReachThePage(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]call{
		`PUT /consoles/D%2Fen/remote-play-keys {"on":true}`:                      {"PermitKeys", api.PermitKeysRequest{Host: "D/en", On: new(true)}},
		`PUT /consoles/D%2Fen/name {"name":"Attic"}`:                             {"RenameConsole", api.NameRequest{Host: "D/en", Name: "Attic"}},
		`PUT /consoles/-/titles/order {"ids":["HOME","CUSA00129"]}`:              {"OrderTitles", api.OrderRequest{IDs: []string{"HOME", "CUSA00129"}}},
		`PUT /consoles/Den/titles/order {"ids":[]}`:                              {"OrderTitles", api.OrderRequest{Host: "Den", IDs: []string{}}},
		`PUT /credential/account {"account_id":"123"}`:                           {"SetAccount", api.AccountRequest{AccountID: "123"}},
		`PUT /consoles/Den/credential/account {"account_id":"1","passcode":"2"}`: {"SetAccount", api.AccountRequest{Host: "Den", AccountID: "1", Passcode: "2"}},
		`PUT /credential/psn {"address":"https://x"}`:                            {"SignIn", api.SignInRequest{Address: "https://x"}},
		`PUT /consoles/Den/credential/psn {"address":"a","passcode":"1234"}`:     {"SignIn", api.SignInRequest{Host: "Den", Address: "a", Passcode: "1234"}},
		`POST /credential/capture {}`:                                            {"Capture", api.CaptureRequest{}},
		`POST /consoles/Den/credential/capture {"passcode":"1234"}`:              {"Capture", api.CaptureRequest{Host: "Den", Passcode: "1234"}},
		`POST /consoles/Den/test `:                                               {"Test", api.HostRequest{Host: "Den"}},
		`PATCH /consoles/Den/titles/order {"hidden":true}`:                       {"", nil}, // an input of that name is the Backend's
	} {
		t.Run(request, func(t *testing.T) {
			t.Parallel()
			p := newPage()
			line := strings.SplitN(request, " ", 3)
			w := post(api.Handler(api.Services{Backend: &backend{}, Page: p}), line[0], "/api/v1"+line[1], line[2])
			if w.Code != http.StatusNoContent {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			got := call{}
			if calls := p.recorded(); len(calls) > 0 {
				got = calls[0]
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("called %+v, want %+v", got, want)
			}
		})
	}
}

func TestTitlesOfAnAccount(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.result = []api.ImportTitle{{ID: "CUSA00129", Name: "Netflix"}}
	h := api.Handler(api.Services{Backend: &backend{}, Page: p})
	w := post(h, http.MethodPost, "/api/v1/psn/titles", `{"npsso":"secret","credential":true}`)
	want := call{"PSNTitles", api.PsnTitlesRequest{NPSSO: "secret", Credential: true}}
	if got := w.Body.String(); w.Code != http.StatusOK || strings.TrimSpace(got) != `[{"id":"CUSA00129","name":"Netflix"}]` || !reflect.DeepEqual(p.recorded(), []call{want}) {
		t.Errorf("%d %s, called %+v", w.Code, got, p.recorded())
	}
	w = post(h, http.MethodGet, "/api/v1/library?country=de", "")
	if got := strings.TrimSpace(w.Body.String()); got != `{"country":"de","apps":[{"name":"Netflix","id":"CUSA00127"}],"list_url":"https://list.example","sign_in_url":"","npsso_url":""}` {
		t.Errorf("media apps: %s", got)
	}
}

func TestImportsAreBounded(t *testing.T) {
	t.Parallel()
	b := &backend{}
	body := `{"titles":[` + strings.Repeat(`{"id":"CUSA00129"},`, 500) + `{"id":"CUSA00129"}]}`
	w := post(api.Handler(api.Services{Backend: b}), http.MethodPost, "/api/v1/consoles/Den/titles/import", body)
	if w.Code != http.StatusBadRequest || len(b.recorded()) != 0 {
		t.Errorf("501 titles: %d %s, called %v", w.Code, w.Body, b.recorded())
	}
}

func TestPageRefusesBadRequests(t *testing.T) {
	t.Parallel()
	for request, status := range map[string]int{
		"PUT /consoles/Den/remote-play-keys {}":         http.StatusBadRequest,
		"PUT /consoles/Den/titles/order {}":             http.StatusBadRequest,
		`PUT /consoles/Den/titles/order {"ids":null}`:   http.StatusBadRequest,
		`PUT /consoles/Den/titles/order {"ids":["a",1]`: http.StatusBadRequest,
		`PUT /consoles/Den/name {"nam":"x"}`:            http.StatusBadRequest,
		"POST /consoles/Den/test {}":                    http.StatusBadRequest,
		"GET /titles/CUSA00129/cover?size=big ":         http.StatusBadRequest,
		"POST /consoles/Den/titles/order ":              http.StatusMethodNotAllowed,
		"POST /overview ":                               http.StatusMethodNotAllowed,
	} {
		p := newPage()
		line := strings.SplitN(request, " ", 3)
		w := post(api.Handler(api.Services{Backend: &backend{}, Page: p}), line[0], "/api/v1"+line[1], line[2])
		if refused(t, w); w.Code != status || len(p.recorded()) > 0 {
			t.Errorf("%s: %d %s after the calls %+v", request, w.Code, w.Body, p.recorded())
		}
	}
}

// TestSecretsAreInNoRefusal: what somebody typed is not repeated.
func TestSecretsAreInNoRefusal(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"address":{"x":"SECRET"}}`, `{"address":"x","passcode":["SECRET"]}`, `{"address":"SECRET`, `{"address":"SECRET"}"`,
	} {
		w := post(api.Handler(api.Services{Backend: &backend{}, Page: newPage()}), http.MethodPut, "/api/v1/credential/psn", body)
		if w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestCover(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.result = api.Picture{Data: []byte("\x89PNG"), Type: "image/png", ETag: `"abc"`}
	h := api.Handler(api.Services{Backend: &backend{}, Page: p})
	path := api.CoverPath("CUSA00129", 256)
	w := post(h, http.MethodGet, path, "")
	if w.Code != http.StatusOK || w.Body.String() != "\x89PNG" || w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
	if c := p.recorded()[0]; !reflect.DeepEqual(c, call{"Cover", api.CoverRequest{ID: "CUSA00129", Size: 256}}) {
		t.Errorf("%+v", c)
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("If-None-Match", `"abc"`)
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("the same again: %d %q", w.Code, w.Body)
	}
	p.err = &api.Error{Code: "not_found", Message: "none"}
	if w := post(h, http.MethodGet, path, ""); w.Code != http.StatusNotFound || refused(t, w).Code != "not_found" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestQRCode(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.result = "X-HM://0086BRILOABCD"
	h := api.Handler(api.Services{Backend: &backend{}, Page: p})
	w := post(h, http.MethodGet, "/api/v1/homekit/Den/qr", "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	svg := w.Body.String()
	if side := regexp.MustCompile(`viewBox="0 0 (\d+) `).FindStringSubmatch(svg); side == nil || side[1] != "29" { // 21 modules and the edge
		t.Errorf("%v modules: %.200s", side, svg)
	}
	// The three corners where a reader finds the code, and white around them.
	for _, at := range [][3]int{{4, 4, 1}, {24, 4, 1}, {4, 24, 1}, {5, 5, 0}, {3, 3, 0}, {12, 4, 0}} {
		if black := strings.Contains(svg, fmt.Sprintf("M%d %dh1", at[0], at[1])); black != (at[2] == 1) {
			t.Errorf("module %d,%d is black: %v", at[0], at[1], black)
		}
	}
	if strings.Contains(svg, "style") || strings.Contains(svg, "script") || strings.Contains(svg, "X-HM") {
		t.Error("the image holds what a page may not show")
	}
	for _, code := range []string{"paired", "pairing_locked"} {
		p.err = &api.Error{Code: code, Message: code}
		if w := post(h, http.MethodGet, "/api/v1/homekit/Den/qr", ""); w.Code != http.StatusNotFound || refused(t, w).Code != code {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestSettingsAndPSN(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.result = []api.Setting{{Key: "web.listen", Value: ":8990", Source: "default"}}
	h := api.Handler(api.Services{Backend: &backend{}, Page: p})
	for path, want := range map[string]string{
		"/settings": `[{"key":"web.listen","value":":8990","source":"default","waits":false,"editable":false}]`,
		"/psn":      `{"authorize_url":"https://psn.example/authorize?a=1\u0026b=2"}`,
	} {
		if w := post(h, http.MethodGet, "/api/v1"+path, ""); strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s: %s, want %s", path, w.Body, want)
		}
	}
}

func TestSetSetting(t *testing.T) {
	t.Parallel()
	p := newPage()
	h := api.Handler(api.Services{Backend: &backend{}, Page: p})
	for _, tt := range []struct{ method, path, body string }{
		{http.MethodPut, "/settings/poll.interval", `{"value":"2s"}`},
		{http.MethodPut, "/settings/poll.interval", `{}`},
		{http.MethodPost, "/restart", ""},
	} {
		if w := post(h, tt.method, "/api/v1"+tt.path, tt.body); w.Code != http.StatusNoContent {
			t.Errorf("%s %s: %d %s", tt.path, tt.body, w.Code, w.Body)
		}
	}
	want := []call{{"SetSetting", api.SettingRequest{Key: "poll.interval", Value: new("2s")}}, {"SetSetting", api.SettingRequest{Key: "poll.interval"}}, {"Restart", api.None{}}}
	if got := p.recorded(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.result = api.Restored{Files: []string{"consoles.json"}}
	send := func(kind, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/restore", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		api.Handler(api.Services{Backend: &backend{}, Page: p}).ServeHTTP(w, r)
		return w
	}
	for _, tt := range []struct {
		kind, body string
		status     int
	}{
		{"application/json", "{}", http.StatusUnsupportedMediaType},
		{"application/gzip", strings.Repeat("x", 16<<20+1), http.StatusRequestEntityTooLarge},
	} {
		if w := send(tt.kind, tt.body); w.Code != tt.status || len(p.recorded()) > 0 {
			t.Errorf("%s of %d bytes: %d", tt.kind, len(tt.body), w.Code)
		}
	}
	w := send("application/gzip", "archive")
	if w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"files":["consoles.json"]`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if c := p.recorded(); !reflect.DeepEqual(c, []call{{"Restore", api.Archive("archive")}}) {
		t.Errorf("%+v", c)
	}
}

// TestAccess covers what each level of access opens.
func TestAccess(t *testing.T) {
	t.Parallel()
	var need api.Access
	h := api.Handler(api.Services{Backend: &backend{}, Page: newPage(), Accounts: &accounts{permit: func(_ *http.Request, n api.Access) error {
		need = n
		return &api.Error{Code: "forbidden", Message: "no"}
	}}})
	for request, want := range map[string]api.Access{
		"GET /overview":                         api.AccessRead,
		"GET /events":                           api.AccessRead,
		"GET /openapi.json":                     api.AccessRead,
		"GET /consoles/Den":                     api.AccessRead,
		"POST /search":                          api.AccessRead,
		"GET /titles/CUSA00129/cover":           api.AccessRead,
		"GET /consoles/Den/keyboard":            api.AccessControl, // logs in
		"POST /consoles/Den/power":              api.AccessControl,
		"POST /consoles/Den/test":               api.AccessControl,
		"PUT /consoles/Den/name":                api.AccessControl,
		"PUT /consoles/Den/titles/order":        api.AccessControl,
		"GET /log":                              api.AccessSetup,
		"GET /settings":                         api.AccessSetup,
		"GET /psn":                              api.AccessSetup,
		"POST /psn/titles":                      api.AccessSetup,
		"GET /library":                          api.AccessRead,
		"POST /consoles/Den/titles/import":      api.AccessControl,
		"POST /consoles/Den/link":               api.AccessSetup,
		"PUT /credential":                       api.AccessSetup,
		"PUT /credential/account":               api.AccessSetup,
		"PUT /consoles/Den/credential/account":  api.AccessSetup,
		"PUT /credential/psn":                   api.AccessSetup,
		"PUT /consoles/Den/credential/psn":      api.AccessSetup,
		"POST /credential/capture":              api.AccessSetup,
		"POST /consoles/Den/credential/capture": api.AccessSetup,
		"GET /homekit/Den/qr":                   api.AccessSetup,
		"GET /homekit":                          api.AccessSetup,
		"DELETE /homekit/Den/pairings":          api.AccessSetup,
		"GET /backup":                           api.AccessOwner,
		"POST /restore":                         api.AccessOwner,
		"PUT /password":                         api.AccessOwner,
		"POST /tokens":                          api.AccessOwner,
		"GET /password":                         api.AccessSocket,
		"POST /password":                        api.AccessSocket,
		"GET /credential":                       api.AccessSocket,
		"GET /consoles/Den/credential":          api.AccessSocket,
	} {
		method, path, _ := strings.Cut(request, " ")
		if post(h, method, "/api/v1"+path, ""); need != want {
			t.Errorf("%s needs %v, want %v", request, need, want)
		}
	}
}
