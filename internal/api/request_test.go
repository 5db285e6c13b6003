package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

// direct carries requests to a handler as text, so that their addresses are parsed
// as a server does, but without a connection.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	arrived := httptest.NewRequest(r.Method, r.URL.RequestURI(), r.Body)
	arrived.Header = r.Header
	w := httptest.NewRecorder()
	d.ServeHTTP(w, arrived)
	return w.Result(), nil
}

// post sends a request with a JSON content type.
func post(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// refused returns the error in an answer; every answer that is no success has one.
func refused(t *testing.T, w *httptest.ResponseRecorder) api.Error {
	t.Helper()
	var body struct{ Error api.Error }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Error.Code == "" || body.Error.Message == "" {
		t.Errorf("%d %q is not an error in JSON", w.Code, w.Body)
	}
	return body.Error
}

func TestHostileRequestsAreRefused(t *testing.T) {
	t.Parallel()
	const power = "/api/v1/consoles/Den/power"
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"unknown field":        {"POST", power, `{"state":"awake","now":true}`, 400, "bad_request"},
		"two values":           {"POST", power, `{"state":"awake"}{"state":"standby"}`, 400, "bad_request"},
		"rest after the value": {"POST", power, `{"state":"awake"}]`, 400, "bad_request"},
		"not JSON":             {"POST", power, `{"state":`, 400, "bad_request"},
		"not UTF-8":            {"POST", power, "{\"state\":\"\xff\"}", 400, "bad_request"},
		"null":                 {"POST", power, `null`, 400, "bad_request"},
		"a list":               {"POST", power, `[]`, 400, "bad_request"},
		"a text":               {"POST", power, `"awake"`, 400, "bad_request"},
		"deep":                 {"POST", power, `{"state":` + strings.Repeat("[", 60000), 400, "bad_request"},
		"no state":             {"POST", power, `{}`, 400, "bad_request"},
		"unknown state":        {"POST", power, `{"state":"off"}`, 400, "bad_request"},
		"wrong type":           {"POST", power, `{"state":1}`, 400, "bad_request"},
		"wait for standby":     {"POST", power, `{"state":"standby","wait":true}`, 400, "bad_request"},
		"too large":            {"POST", power, `{"state":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "too_large"},
		"no text":              {"PUT", "/api/v1/consoles/Den/keyboard", `{}`, 400, "bad_request"},
		"null text":            {"PUT", "/api/v1/consoles/Den/keyboard", `{"text":null}`, 400, "bad_request"},
		"no keys":              {"POST", "/api/v1/consoles/Den/keys", `{}`, 400, "bad_request"},
		"null keys":            {"POST", "/api/v1/consoles/Den/keys", `{"keys":null}`, 400, "bad_request"},
		"no titles to import":  {"POST", "/api/v1/consoles/Den/titles/import", `{}`, 400, "bad_request"},
		"no change":            {"PATCH", "/api/v1/consoles/Den/titles/X", `{}`, 400, "bad_request"},
		"two changes":          {"PATCH", "/api/v1/consoles/Den/titles/X", `{"hidden":true,"pinned":true}`, 400, "bad_request"},
		"no wait":              {"POST", "/api/v1/search", `{}`, 400, "bad_request"},
		"negative wait":        {"POST", "/api/v1/search", `{"wait":"-1s"}`, 400, "bad_request"},
		"body where none is":   {"DELETE", "/api/v1/consoles/Den/keyboard", `{}`, 400, "bad_request"},
		"wrong method":         {"DELETE", power, "", 405, "bad_method"},
		"unknown path":         {"GET", "/api/v1/passwords", "", 404, "unknown_request"},
		"root":                 {"GET", "/", "", 404, "unknown_request"},
		"trailing slash":       {"DELETE", "/api/v1/consoles/Den/titles/", "", 404, "unknown_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &backend{}
			w := post(api.Handler(api.Services{Backend: b}), tt.method, tt.path, tt.body)
			if e := refused(t, w); w.Code != tt.status || e.Code != tt.code {
				t.Errorf("%d %s, want %d %s", w.Code, e.Code, tt.status, tt.code)
			}
			if calls := b.recorded(); len(calls) != 0 {
				t.Errorf("the Backend was called: %+v", calls)
			}
		})
	}
}

// TestErrorsOfABodyContainNoValues checks the messages, which programs log.
func TestErrorsOfABodyContainNoValues(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"titles":[],"force":true}`:                              `the body has an unknown field "force"`,
		`{"titles":"12345678"}`:                                   "titles has the wrong type",
		`{"titles":[{"id":12345678}]}`:                            "titles.id has the wrong type",
		`{"titles":[{"id":"X","last_played":"12345678"}]}`:        "the body has a value of the wrong type",
		`{"titles":[{"id":"X","last_played":12345678}]}`:          "the body has a value of the wrong type",
		`{"titles":[{"id":"X","last_played":"json: unknown"}]}`:   "the body has a value of the wrong type",
		`{"titles":[{"id":"12345678}`:                             "the body is not JSON",
		`{"titles":[{"id":"X","last_played":"2026-11-30"}],"x":}`: "the body is not JSON",
	} {
		w := post(api.Handler(api.Services{Backend: &backend{}}), http.MethodPost, "/api/v1/consoles/Den/titles/import", body)
		if e := refused(t, w); e.Message != want {
			t.Errorf("%s: %q, want %q", body, e.Message, want)
		}
	}
}

func TestOnlyJSONIsTaken(t *testing.T) {
	t.Parallel()
	for kind, status := range map[string]int{
		"application/json":                  http.StatusNoContent,
		"Application/JSON; charset=utf-8":   http.StatusNoContent,
		"":                                  http.StatusUnsupportedMediaType,
		"text/plain":                        http.StatusUnsupportedMediaType,
		"application/x-www-form-urlencoded": http.StatusUnsupportedMediaType,
		"application/json; x":               http.StatusUnsupportedMediaType,
	} {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/consoles/-/link", strings.NewReader(`{"pin":"1"}`))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		api.Handler(api.Services{Backend: &backend{}}).ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%q: %d, want %d", kind, w.Code, status)
		}
	}
}

func TestWrongMethodNamesTheRightOnes(t *testing.T) {
	t.Parallel()
	w := post(api.Handler(api.Services{Backend: &backend{}}), http.MethodPost, "/api/v1/consoles/Den/keyboard", "")
	if allow := w.Header().Get("Allow"); allow != "DELETE, GET, HEAD, PUT" {
		t.Errorf("Allow: %q", allow)
	}
}

// FuzzPower: any body leads to exactly one call and no content, or to none and an
// error in JSON that repeats no secret of the body.
func FuzzPower(f *testing.F) {
	for _, seed := range []string{`{"state":"awake"}`, `{"state":"standby"}`, `{"state":"awake","wait":true}`, `{}`, ``, `null`, `{"pin":12345678}`,
		`{"state":12345678}`, `{"state":{"a":12345678}}`, `{"state":"12345678"}`, `{"state":"awake"} `, `{"state":"awake"}x`, "\ufeff{}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		b := &backend{}
		r := httptest.NewRequest(http.MethodPost, "/api/v1/consoles/-/power", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.Handler(api.Services{Backend: b}).ServeHTTP(w, r)
		if w.Code == http.StatusNoContent {
			if rest, _ := io.ReadAll(w.Body); len(rest) > 0 || len(b.recorded()) != 1 {
				t.Errorf("%q: %q after the calls %+v", body, rest, b.recorded())
			}
			return
		}
		if refused(t, w); len(b.recorded()) != 0 || strings.Contains(w.Body.String(), "12345678") && !strings.Contains(body, `"12345678":`) {
			t.Errorf("%q: %d %s after the calls %+v", body, w.Code, w.Body, b.recorded())
		}
	})
}
