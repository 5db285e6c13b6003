package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of every HTTP server: no slow or silent client holds resources.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeader     = 16 << 10
	stopTimeout   = 500 * time.Millisecond // for running requests when the server stops
)

// StateSetter is a connection that wants to know what the server does with it.
type StateSetter interface{ SetState(state http.ConnState) }

// Serve serves h on the listener until ctx is done. Then running requests get a
// moment to finish, the others are canceled, and Serve returns nil once all have
// ended. Connection errors go to log.
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
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if encrypted, ok := conn.(*tls.Conn); ok {
			conn = encrypted.NetConn()
		}
		if conn, ok := conn.(StateSetter); ok {
			conn.SetState(state)
		}
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Done()
		}
	}
	defer func() {
		_ = server.Close()
		open.Wait() // for handlers that are still returning
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
	_ = server.Shutdown(bounded) // the deferred Close ends the rest
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %v: %w", ln.Addr(), err)
	}
	return nil
}
