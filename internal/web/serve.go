package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of every HTTP server here: a peer that is slow or silent holds nothing.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeader     = 16 << 10
	stopTimeout   = 500 * time.Millisecond // for requests under way when the server stops
)

// Serve answers on the listener until ctx is done, then lets requests that are
// under way finish for a moment, closes everything, which ends the contexts of those
// that are left, and waits for them. It returns nil when it was told to stop. What goes
// wrong with a connection is logged.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, log *log.Logger) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log,
	}
	var open sync.WaitGroup
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Done()
		}
	}
	defer func() {
		_ = server.Close()
		open.Wait() // a handler may still be on its way out
	}()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving on %v: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	_ = server.Shutdown(bounded) // what it leaves is closed above
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %v: %w", ln.Addr(), err)
	}
	return nil
}
