package app

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
)

// TestWatchdog: it is fed well within its interval, misses one failed check without
// harm, and starves when a part hangs, whether the check says so or never returns.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begin := time.Now()
		var mu sync.Mutex // for the detector of races, which knows no fake clock
		var fed, told []time.Duration
		hang := false
		note := func(list *[]time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			*list = append(*list, time.Since(begin))
		}
		hangs := func() bool {
			mu.Lock()
			defer mu.Unlock()
			return hang
		}
		check := func(ctx context.Context) error {
			switch at := time.Since(begin); {
			case at < time.Minute && at > 40*time.Second:
				return errors.New("slow disk")
			case hangs():
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		go watch(ctx, time.Minute, check, func(err error) {
			if err == nil {
				note(&fed)
			} else {
				note(&told)
			}
		})
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if want := []time.Duration{15 * time.Second, 30 * time.Second, 60 * time.Second, 75 * time.Second, 90 * time.Second}; !slices.Equal(fed, want) {
			t.Errorf("fed at %v, want %v", fed, want)
		}
		if want := []time.Duration{45 * time.Second}; !slices.Equal(told, want) {
			t.Errorf("told at %v, want %v", told, want)
		}
		mu.Lock()
		hang, fed, told = true, nil, nil
		mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(fed) > 0 || len(told) == 0 {
			t.Errorf("while a part hangs: fed at %v, told at %v", fed, told)
		}
	})
}

// TestAlive: a running server is alive until one of its parts hangs.
func TestAlive(t *testing.T) {
	t.Parallel()
	s, stop := aliveServer(t)
	defer stop()
	check := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return s.alive(ctx)
	}
	if err := s.alive(t.Context()); err != nil {
		t.Fatalf("a server that runs: %v", err)
	}
	s.registry.mu.Lock()
	hung := check()
	s.registry.mu.Unlock()
	if !errors.Is(hung, context.DeadlineExceeded) {
		t.Errorf("with the lock of the consoles held: %v", hung)
	}
	if err := s.alive(t.Context()); err != nil {
		t.Errorf("once it is free: %v", err)
	}
}

// aliveServer is a running server with a simulated console.
func aliveServer(t *testing.T) (s *server, stop func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "alive") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	store, err := state.Open(filepath.Join(dir, "state"), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte("homekit: {bind: 127.0.0.1, interfaces: [lo]}\nweb: {listen: \"127.0.0.1:0\"}\nart: {enabled: false}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	log := logrus.New()
	log.SetOutput(io.Discard)
	s = &server{Options: Options{
		Config: cfg, State: store, Simulate: 1, Log: log,
		Ready: func(Greeting) { close(ready) },
	}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, &api.Log{}) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	return s, func() {
		cancel()
		if err := errors.Join(<-done, store.Close()); err != nil {
			t.Error(err)
		}
	}
}
