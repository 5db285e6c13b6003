package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/hapclient"
)

// Rows that have a budget.
const (
	rowListening = "warm start: exec to listening, p50"
	rowReady     = "warm start: exec to /readyz, p50"
	rowMemory    = "idle memory, resident"
	rowAnonymous = "idle memory, anonymous"
	rowCPU       = "idle CPU, of one core"
	rowTitle     = "datagrams to start a title, besides the polls, p50"
	rowOff       = "console goes to rest: change to event, slowest"
	rowOn        = "console wakes up: change to event, slowest"
	rowChosen    = "another title runs: change to event, slowest"
)

// oneConsole measures the subjects with one console of 40 inputs.
func (b *bench) oneConsole(ctx context.Context) (*table, error) {
	t := newTable(fmt.Sprintf("One console, %d inputs, polled every %v", inputs, b.poll), subjectNames()...)
	for i, s := range subjects {
		b.say("%s: one console", s.name)
		if err := b.one(ctx, s, column{t, i}); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	t.limit(rowReady, t.value(rowListening, 1)/8)
	t.limit("warm start: exec to announced, slowest", 1500)
	t.limit(rowMemory, 20)
	t.limit(rowAnonymous, 5)
	t.limit(rowCPU, 0.2)
	t.limit("GET /accessories, p99", 10)
	t.limit("read of two characteristics, p99", 5)
	t.limit("key press: write to packet, p99", 5)
	t.limit(rowOff, 1500)
	t.limit(rowOn, 2500)
	t.limit(rowChosen, 1500)
	t.limit(rowTitle, 4)
	return t, nil
}

func (b *bench) one(ctx context.Context, s subject, c column) (err error) {
	dir, starts := filepath.Join(b.dir, s.name+"-1"), b.peerStarts
	if s.ours {
		starts = b.starts
	}
	srv, err := b.launch(ctx, s, dir, 1) // cold
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	var listening, ready, announced series
	for range starts {
		if err := srv.stop(); err != nil {
			return err
		}
		next, err := b.launch(ctx, s, dir, 1)
		if err != nil {
			return err
		}
		srv = next
		listening, ready, announced = append(listening, srv.listening), append(ready, srv.ready), append(announced, srv.announced)
	}
	c.quantiles("warm start: exec to listening", listening, 50)
	if s.ours {
		c.quantiles("warm start: exec to /readyz", ready, 50)
	}
	c.quantiles("warm start: exec to announced", announced, 100)
	if err := b.idle(ctx, srv, c); err != nil {
		return err
	}
	h, err := b.pair(ctx, srv, c)
	if err != nil {
		return err
	}
	if err := b.requestsOf(ctx, h, c); err != nil {
		return err
	}
	resident, _, err := srv.memory()
	if err != nil {
		return err
	}
	c.set("memory after load, resident", "MB", resident)
	return b.consoleOf(ctx, s, h, c)
}

// idle measures a server that has nothing to do but poll.
func (b *bench) idle(ctx context.Context, srv *server, c column) error {
	pause(ctx, b.settle)
	console := b.consoles[0]
	datagrams := func(what string, before int) {
		if srv.drives {
			c.set("datagrams to a console "+what, "/min", float64(console.Counters().Datagrams-before)/b.window.Minutes())
		}
	}
	before := console.Counters().Datagrams
	cpu, err := srv.cpu(ctx, b.window)
	if err != nil {
		return err
	}
	datagrams("that is on", before)
	resident, anonymous, err := srv.memory()
	if err != nil {
		return err
	}
	c.set(rowMemory, "MB", resident)
	c.set(rowAnonymous, "MB", anonymous)
	c.set(rowCPU, "%", cpu)
	console.SetStandby()
	defer console.SetAwake()
	pause(ctx, b.settle)
	before = console.Counters().Datagrams
	pause(ctx, b.window)
	datagrams("in rest mode", before)
	return ctx.Err()
}

// home is a paired server, as its controllers see it.
type home struct {
	addr       string
	controller *hapclient.Controller
	accessory  hapclient.Accessory

	active, identifier, remoteKey, inputName int            // instance ids
	values                                   map[string]any // Identifier of each input, by name
}

func (h *home) connect(ctx context.Context) (*hapclient.Conn, error) {
	return h.controller.Connect(ctx, h.addr, h.accessory)
}

func (b *bench) pair(ctx context.Context, s *server, c column) (*home, error) {
	h := &home{
		addr: address(s.ports[0]), controller: hapclient.New("C0FFEE00-0000-4000-8000-000000000001"), values: map[string]any{},
	}
	start := time.Now()
	conn, err := hapclient.Dial(ctx, h.addr)
	if err != nil {
		return nil, err
	}
	h.accessory, err = h.controller.Pair(conn, setupCode)
	c.set("pair-setup", "ms", milliseconds(time.Since(start)))
	if err := errors.Join(err, conn.Close()); err != nil {
		return nil, err
	}
	if conn, err = h.connect(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	services, err := conn.Services()
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		switch s.Type {
		case hapclient.Television:
			h.active, h.identifier = s.Find(hapclient.Active).IID, s.Find(hapclient.ActiveIdentifier).IID
			h.remoteKey = s.Find(hapclient.RemoteKey).IID
		case hapclient.InputSource:
			name := s.Find(hapclient.ConfiguredName)
			h.inputName = name.IID
			h.values[fmt.Sprint(name.Value)] = s.Find(hapclient.Identifier).Value
		}
	}
	if len(h.values) != inputs || h.active*h.identifier*h.remoteKey*h.inputName == 0 {
		return nil, fmt.Errorf("/accessories lacks something: %+v", h)
	}
	return h, nil
}

// Values of RemoteKey.
const (
	keyRewind = 0 // does nothing on a PS4
	keyUp     = 4
)

// requestsOf measures HAP alone, without the console.
func (b *bench) requestsOf(ctx context.Context, h *home, c column) error {
	conn, err := h.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, work := range []struct {
		what  string
		times int
		do    func() error
	}{
		{"pair-verify", b.requests / 10, func() error {
			other, err := h.connect(ctx)
			if err != nil {
				return err
			}
			return other.Close()
		}},
		{"GET /accessories", b.requests, func() error { _, err := conn.Services(); return err }},
		{"read of two characteristics", b.requests, func() error { return conn.Read(h.active, h.identifier) }},
		{"write of RemoteKey, nothing pressed", b.requests, func() error { return conn.Write(h.remoteKey, keyRewind) }},
	} {
		var s series
		for range max(1, work.times) {
			if err := s.time(work.do); err != nil {
				return fmt.Errorf("%s: %w", work.what, err)
			}
		}
		c.quantiles(work.what, s, 99)
	}
	if err := b.renames(ctx, h, conn, c); err != nil {
		return err
	}
	return b.crowd(ctx, h, c)
}

// renames has one controller rename an input while another one waits for the
// event.
func (b *bench) renames(ctx context.Context, h *home, writer *hapclient.Conn, c column) error {
	other, err := h.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = other.Close() }()
	if err := other.Subscribe(h.inputName); err != nil {
		return err
	}
	var writes, events series
	for i := range b.repeats {
		name := "Name " + strconv.Itoa(i)
		if err := events.time(func() error {
			if err := writes.time(func() error { return writer.Write(h.inputName, name) }); err != nil {
				return err
			}
			return other.AwaitValue(h.inputName, name, eventLimit)
		}); err != nil {
			return err
		}
	}
	c.quantiles("rename of an input", writes, 50)
	c.quantiles("rename to the event at another controller", events, 50)
	return nil
}

const eventLimit = 15 * time.Second

// crowd has several controllers read at once.
func (b *bench) crowd(ctx context.Context, h *home, c column) error {
	const controllers = 8
	each := max(1, b.requests/controllers)
	errs := make([]error, controllers)
	var group sync.WaitGroup
	start := time.Now()
	for i := range controllers {
		group.Go(func() {
			conn, err := h.connect(ctx)
			if err != nil {
				errs[i] = err
				return
			}
			defer func() { _ = conn.Close() }()
			for n := 0; n < each && errs[i] == nil; n++ {
				errs[i] = conn.Read(h.active, h.identifier)
			}
		})
	}
	group.Wait()
	c.set("reads by 8 controllers at once", "/s", float64(controllers*each)/time.Since(start).Seconds())
	return errors.Join(errs...)
}

// consoleOf measures what reaches the console, and what comes from it.
func (b *bench) consoleOf(ctx context.Context, s subject, h *home, c column) error {
	if !s.drives {
		return nil
	}
	conn, err := h.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if s.ours { // the plug-in has no remote keys, and needs linking to start a title
		if err := b.keyPresses(ctx, h, conn, c); err != nil {
			return err
		}
		if err := b.titleStarts(ctx, h, conn, c); err != nil {
			return err
		}
	}
	if err := conn.Subscribe(h.active, h.identifier); err != nil {
		return err
	}
	return b.changesOf(ctx, s, h, conn, c)
}

// keyPresses measures from the write of RemoteKey until the packet has reached
// the console, on an open session. The pause between two keys is longer than
// the 200 ms of docs/protocol.md §7, so that pacing is left out.
func (b *bench) keyPresses(ctx context.Context, h *home, conn *hapclient.Conn, c column) error {
	var s series
	for i := range b.repeats + 1 {
		start := time.Now()
		if err := conn.Write(h.remoteKey, keyUp); err != nil {
			return err
		}
		var at time.Time
		ctx, cancel := context.WithTimeout(ctx, eventLimit)
		_, err := b.consoles[0].WaitFor(ctx, func(now ps4test.Snapshot) bool {
			for i := len(now.Keys) - 1; i >= 0 && now.Keys[i].At.After(start); i-- {
				if now.Keys[i].Op == ps4test.Up && now.Keys[i].Accepted {
					at = now.Keys[i].At
					return true
				}
			}
			return false
		})
		cancel()
		if err != nil {
			return fmt.Errorf("a key press: %w", err)
		}
		if i > 0 { // the first one opens the session
			s = append(s, at.Sub(start))
		}
		time.Sleep(300 * time.Millisecond)
	}
	c.quantiles("key press: write to packet", s, 99)
	return nil
}

// titleStarts counts the datagrams of a title start without an open session,
// from the write until ten polls later.
func (b *bench) titleStarts(ctx context.Context, h *home, conn *hapclient.Conn, c column) error {
	const polls = 10
	console := b.consoles[0]
	defer console.SetRunning("")
	var extra []float64
	for range b.commands {
		console.SetRunning("")
		console.ResetConnections()
		pause(ctx, 3*b.poll)
		before := console.Counters().Datagrams
		window := time.After(polls * b.poll)
		if err := conn.Write(h.identifier, h.values["Title 5"]); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, eventLimit)
		_, err := console.WaitFor(ctx, func(now ps4test.Snapshot) bool { return now.Title.ID == title(5) })
		cancel()
		if err != nil {
			return fmt.Errorf("starting a title: %w", err)
		}
		<-window
		extra = append(extra, float64(console.Counters().Datagrams-before-polls))
	}
	c.set(rowTitle, "", percentile(extra, 50))
	return nil
}

// changesOf measures from a change on the console until the controller gets the
// event. Each change follows the last event at once, so the slowest waits for
// a whole poll interval.
func (b *bench) changesOf(ctx context.Context, s subject, h *home, conn *hapclient.Conn, c column) error {
	console := b.consoles[0]
	defer console.SetAwake()
	var off, on, chosen series
	change := func(into *series, do func(), iid int, value any) error {
		return into.time(func() error { do(); return conn.AwaitValue(iid, value, eventLimit) })
	}
	pause(ctx, b.settle)
	for i := range b.changes {
		if s.ours {
			k := 5 + (i+1)%2 // titleStarts ended with title 5
			err := change(&chosen, func() { console.SetRunning(title(k)) }, h.identifier, h.values[fmt.Sprintf("Title %d", k)])
			if err != nil {
				return err
			}
		}
		if err := change(&off, console.SetStandby, h.active, 0); err != nil {
			return err
		}
		if err := change(&on, console.SetAwake, h.active, 1); err != nil {
			return err
		}
	}
	if s.ours {
		c.quantiles("another title runs: change to event", chosen, 100)
	}
	c.quantiles("console goes to rest: change to event", off, 100)
	c.quantiles("console wakes up: change to event", on, 100)
	return nil
}

// peerConsoles is how many consoles the peers get at most: announcing takes
// them a second each.
const peerConsoles = 32

// manyConsoles measures how the subjects grow with the number of consoles.
func (b *bench) manyConsoles(ctx context.Context) (*table, error) {
	t := newTable(fmt.Sprintf("Many consoles in one process, %d inputs each, polled every %v", inputs, b.poll), subjectNames()...)
	for _, n := range b.scale {
		if err := b.haveConsoles(n); err != nil {
			return nil, err
		}
		for i, s := range subjects {
			if n > peerConsoles && !s.ours {
				continue
			}
			b.say("%s: %d consoles", s.name, n)
			err := b.many(ctx, s, n, column{t, i})
			if ctx.Err() != nil || err != nil && s.ours {
				return nil, err
			}
			if err != nil { // a peer may not get this far
				b.say("%v", err)
			}
		}
		first, cpu := b.scale[0], map[int]float64{1: 0.2, 32: 2}[n]
		if n > first {
			t.limit(fmt.Sprintf("%d: memory of each further console", n), 1)
		}
		if cpu > 0 {
			t.limit(fmt.Sprintf("%d: idle CPU, of one core", n), cpu)
		}
	}
	return t, nil
}

func (b *bench) many(ctx context.Context, s subject, n int, c column) (err error) {
	srv, err := b.launch(ctx, s, filepath.Join(b.dir, fmt.Sprintf("%s-many-%d", s.name, n)), n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	row := func(what string) string { return fmt.Sprintf("%d: %s", n, what) }
	c.set(row("cold start to all announced"), "ms", milliseconds(srv.announced))
	pause(ctx, b.settle)
	cpu, err := srv.cpu(ctx, b.window/2)
	if err != nil {
		return err
	}
	resident, _, err := srv.memory()
	if err != nil {
		return err
	}
	c.set(row("idle CPU, of one core"), "%", cpu)
	c.set(row("memory, resident"), "MB", resident)
	if first := b.scale[0]; n > first {
		alone := c.table.value(fmt.Sprintf("%d: memory, resident", first), c.index)
		c.set(row("memory of each further console"), "MB", (resident-alone)/float64(n-first))
	}
	return nil
}
