package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/internal/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, ln net.Listener, h http.Handler) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, ln, h, nil) }()
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
	if _, err := api.Connect(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, api.ErrNoServer) {
		t.Errorf("without a socket: %v", err)
	}
	stale := filepath.Join(dir, "stale")
	leaveSocket(t, stale)
	if _, err := api.Connect(t.Context(), stale); !errors.Is(err, api.ErrNoServer) {
		t.Errorf("with a socket that a killed server left: %v", err)
	}
	ln, err := api.ListenSocket(t.Context(), stale)
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
	if _, err := api.ListenSocket(t.Context(), path); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("got %v, want an error that names --state-dir", err)
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
		done <- api.Serve(ctx, ln, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
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
