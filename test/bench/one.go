package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/test/hapclient"
)

// figures are what was measured of a subject with one console.
type figures struct {
	listening, ready, announced    series
	idle, loaded                   size
	idleCPU                        float64 // percent of a core
	setup                          series
	verify, accessories            series
	reads, writes, renames, events series
	parallel                       float64 // reads a second by all controllers
	keys, changes                  series
}

// oneConsole measures the subjects with one console of 40 inputs.
func (b *bench) oneConsole(ctx context.Context) (table, error) {
	var all []figures
	for _, s := range subjects() {
		b.say("%s: one console", s.name)
		f, err := b.oneOf(ctx, s)
		if err != nil {
			return table{}, fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, f)
	}
	return b.oneTable(subjects(), all), nil
}

func (b *bench) oneOf(ctx context.Context, s subject) (f figures, err error) {
	dir := filepath.Join(b.dir, s.name+"-1")
	starts := b.peerStarts
	if s.ready != nil {
		starts = b.starts
	}
	var srv *server
	for i := range starts + 1 {
		if srv, err = b.launch(ctx, s, dir, 1); err != nil {
			return f, err
		}
		if i > 0 { // the first one is cold
			f.listening = append(f.listening, srv.at.listening)
			f.ready = append(f.ready, srv.at.ready)
			f.announced = append(f.announced, srv.at.announced)
		}
		if i < starts {
			if err := srv.stop(); err != nil {
				return f, err
			}
		}
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	return f, b.exercise(ctx, srv, &f)
}

// exercise measures a server that has just started: first alone, then under load.
func (b *bench) exercise(ctx context.Context, s *server, f *figures) (err error) {
	pause(ctx, b.settle)
	if f.idleCPU, err = s.share(ctx, b.idle); err != nil {
		return err
	}
	if f.idle, err = s.size(); err != nil {
		return err
	}
	home, err := b.pair(ctx, s, f)
	if err != nil {
		return err
	}
	if err := b.requestsOf(ctx, home, f); err != nil {
		return err
	}
	if f.parallel, err = b.crowd(ctx, home); err != nil {
		return err
	}
	if f.loaded, err = s.size(); err != nil {
		return err
	}
	if s.presses {
		if f.keys, err = b.keyPresses(ctx, home); err != nil {
			return err
		}
	}
	if s.drives {
		f.changes, err = b.stateChanges(ctx, home)
	}
	return err
}

// home is a paired server, seen from its controllers.
type home struct {
	addr       string
	controller *hapclient.Controller
	accessory  hapclient.Accessory
	ids        ids
}

func (b *bench) pair(ctx context.Context, s *server, f *figures) (*home, error) {
	h := &home{addr: address(s.ports[0]), controller: hapclient.New("C0FFEE00-0000-4000-8000-000000000001")}
	start := time.Now()
	if err := h.pair(ctx); err != nil {
		return nil, err
	}
	f.setup = series{time.Since(start)}
	c, err := h.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	h.ids, err = readIDs(c)
	return h, err
}

// pair pairs on a connection of its own.
func (h *home) pair(ctx context.Context) error {
	c, err := hapclient.Dial(ctx, h.addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	h.accessory, err = h.controller.Pair(c, setupCode)
	return err
}

// connect returns a verified connection.
func (h *home) connect(ctx context.Context) (*hapclient.Conn, error) {
	c, err := hapclient.Dial(ctx, h.addr)
	if err != nil {
		return nil, err
	}
	if err := h.controller.Verify(c, h.accessory); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// crowd has several controllers read at once and returns how many reads a second they
// got.
func (b *bench) crowd(ctx context.Context, h *home) (float64, error) {
	const controllers = 8
	each := max(1, b.requests/controllers)
	errs := make([]error, controllers)
	var group sync.WaitGroup
	start := time.Now()
	for i := range controllers {
		group.Go(func() {
			c, err := h.connect(ctx)
			if err != nil {
				errs[i] = err
				return
			}
			defer func() { _ = c.Close() }()
			_, errs[i] = repeat(each, func(int) error { return get(c, h.ids.read()) })
		})
	}
	group.Wait()
	return float64(controllers*each) / time.Since(start).Seconds(), errors.Join(errs...)
}

// repeat times an operation n times.
func repeat(n int, do func(i int) error) (series, error) {
	s := make(series, 0, n)
	for i := range n {
		start := time.Now()
		if err := do(i); err != nil {
			return s, err
		}
		s = append(s, time.Since(start))
	}
	return s, nil
}
