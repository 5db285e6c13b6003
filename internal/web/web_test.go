package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, ln net.Listener, h http.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- web.Serve(ctx, ln, h, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestConnectSaysThatNoServerRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := web.Connect(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, web.ErrNoServer) {
		t.Errorf("without a socket: %v", err)
	}
	stale := filepath.Join(dir, "stale")
	leaveSocket(t, stale)
	if _, err := web.Connect(t.Context(), stale); !errors.Is(err, web.ErrNoServer) {
		t.Errorf("with a socket that a killed server left: %v", err)
	}
	ln, err := web.ListenSocket(t.Context(), stale)
	if err != nil {
		t.Fatalf("a new server after a killed one: %v", err)
	}
	_ = ln.Close()
}

// leaveSocket leaves a socket that nobody serves, as a killed server does.
func leaveSocket(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = ln.Close()
}

func TestSocketIsForUserAndGroup(t *testing.T) {
	t.Parallel()
	info, err := os.Stat(serveSocket(t, &backend{}))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o660 {
		t.Errorf("the socket has mode %o, want 660", mode)
	}
}

func TestListenSocketRefusesALongPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if _, err := web.ListenSocket(t.Context(), path); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("got %v, want an error that names --state-dir", err)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var lacks []string
	h := web.Health(func() []string { return lacks })
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
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, tt.path, nil))
		if body, _ := io.ReadAll(w.Body); w.Code != tt.status || string(body) != tt.body {
			t.Errorf("%s: %d %q, want %d %q", tt.path, w.Code, body, tt.status, tt.body)
		}
	}
}

func TestServeStopsWithARequestThatNeverEnds(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- web.Serve(ctx, ln, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		}), nil)
	}()
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		tr := &http.Transport{DisableKeepAlives: true}
		req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+ln.Addr().String(), nil)
		if resp, err := tr.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-entered
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	<-asked
}
