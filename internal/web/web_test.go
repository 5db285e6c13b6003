package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHealth(t *testing.T) {
	t.Parallel()
	var lacks []string
	g, _ := newGuard(t)
	h := web.Site(complete(web.SiteOptions{Guard: g, Unready: func() []string { return lacks }}, &backend{}))
	for _, tt := range []struct {
		path   string
		lacks  []string
		status int
		body   string
	}{
		{"/healthz", []string{"x"}, http.StatusOK, "ok\n"},
		{"/readyz", nil, http.StatusOK, "ready\n"},
		{"/readyz", []string{"Den: not listening"}, http.StatusServiceUnavailable, "not ready\nDen: not listening\n"},
		{"/other", nil, http.StatusNotFound, "404 page not found\n"},
	} {
		lacks = tt.lacks
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+tt.path, nil))
		if body, _ := io.ReadAll(w.Body); w.Code != tt.status || string(body) != tt.body {
			t.Errorf("%s: %d %q, want %d %q", tt.path, w.Code, body, tt.status, tt.body)
		}
	}
}
