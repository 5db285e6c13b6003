package api_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/test/pipes"
)

func TestLongCommandsAreNotCut(t *testing.T) {
	t.Parallel()
	const long = 90 * time.Second // the longest: start from rest mode
	for _, method := range everyMethod() {
		synctest.Test(t, func(t *testing.T) {
			b := &backend{result: method.result, during: func(ctx context.Context) error {
				select {
				case <-ctx.Done():
					return errors.New("cut")
				case <-time.After(long):
					return nil
				}
			}}
			ln := pipes.Listen()
			serve(t, ln, api.Handler(api.Services{Backend: b}))
			client := api.NewClient(&http.Transport{DialContext: ln.Dial, DisableKeepAlives: true})
			start := time.Now()
			if _, err := method.do(t.Context(), client); err != nil {
				t.Errorf("%s: %v after %v", method.want.method, err, time.Since(start))
			}
		})
	}
}

func TestSlowRequestsAreCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backend{}
		ln := pipes.Listen()
		serve(t, ln, api.Handler(api.Services{Backend: b}))
		conn, err := ln.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		start := time.Now()
		if _, err := conn.Write([]byte("POST /api/v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		for err == nil {
			_, err = conn.Read(buf)
		}
		if took := time.Since(start); took > time.Minute || len(b.recorded()) != 0 {
			t.Errorf("held for %v, then the calls %v", took, b.recorded())
		}
	})
}

func TestTheClientsContextEndsTheCommand(t *testing.T) {
	t.Parallel()
	for _, method := range everyMethod() {
		t.Run(method.want.method, func(t *testing.T) {
			t.Parallel()
			entered, ended := make(chan struct{}), make(chan struct{})
			client := connect(t, &backend{during: func(ctx context.Context) error {
				close(entered)
				<-ctx.Done()
				close(ended)
				return ctx.Err()
			}})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-entered
				cancel()
			}()
			if _, err := method.do(ctx, client); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
			<-ended
		})
	}
}

func TestServeWaitsForTheCommandThatItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		entered, left := make(chan struct{}), false
		b := &backend{during: func(ctx context.Context) error {
			close(entered)
			<-ctx.Done()
			time.Sleep(time.Second) // says bye to the console
			left = true
			return ctx.Err()
		}}
		ln := pipes.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		served, asked := make(chan error, 1), make(chan error, 1)
		go func() { served <- api.Serve(ctx, ln, api.Handler(api.Services{Backend: b}), nil) }()
		client := api.NewClient(&http.Transport{DialContext: ln.Dial, DisableKeepAlives: true})
		go func() { asked <- api.Power.Do(context.Background(), client, api.PowerRequest{State: api.StateStandby}) }()
		<-entered
		cancel()
		if err := <-served; err != nil || !left {
			t.Errorf("Serve returned %v, the command had ended: %v", err, left)
		}
		if err := <-asked; err == nil {
			t.Error("the client was told that the command was carried out")
		}
	})
}

func TestManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	const clients = 8
	var inside sync.WaitGroup
	inside.Add(clients)
	b := &backend{during: func(context.Context) error {
		inside.Done()
		inside.Wait() // all of them are under way together
		return nil
	}}
	client := connect(t, b)
	failed := make(chan error, clients)
	for range clients {
		go func() { failed <- api.Keys.Do(t.Context(), client, api.KeysRequest{Host: "Den", Keys: []string{"up"}}) }()
	}
	for range clients {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if got := len(b.recorded()); got != clients {
		t.Errorf("%d calls, want %d", got, clients)
	}
}
