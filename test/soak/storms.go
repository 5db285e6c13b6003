package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/hapclient"
	"github.com/ps4kit/ps4kit/test/netns"
)

// storm is something that goes wrong for a few seconds.
type storm struct {
	name   string
	kills  bool // it ends the life of the server
	attack func(s *soak, ctx context.Context)
}

func table() []storm {
	return []storm{
		{"consoles sleep", false, toSome(time.Second, func(c *ps4test.Console) { c.SetStandby() }, nil)},
		{"consoles wake", false, toSome(time.Second, func(c *ps4test.Console) { c.SetAwake() }, nil)},
		{"power cut", false, toSome(5*time.Second, func(c *ps4test.Console) { c.SetSilent() }, func(c *ps4test.Console) { c.SetStandby() })},
		{"consoles move", false, (*soak).moveConsoles},
		{"datagrams are lost", false, (*soak).loseDatagrams},
		{"connections are reset", false, (*soak).resetConnections},
		{"consoles hang", false, faulty(3*time.Second, ps4test.Faults{Delay: 2 * time.Second, HoldBeats: true})},
		{"bytes are garbage", false, faulty(2*time.Second, ps4test.Faults{GarbageDDP: true, GarbageTCP: 4, Split: 3})},
		{"commands are refused", false, faulty(2*time.Second, ps4test.Faults{Login: ps4.ErrBusy, Boot: ps4.ErrBooting, Refuse: 3, LoseBoots: 2})},
		{"controllers come and go", false, (*soak).comeAndGo},
		{"controllers stall", false, (*soak).stall},
		{"a controller floods", false, (*soak).flood},
		{"strangers at the HAP ports", false, func(s *soak, ctx context.Context) {
			for _, p := range s.some() {
				s.strangers(ctx, p.address)
			}
		}},
		{"strangers at the web port", false, func(s *soak, ctx context.Context) { s.strangers(ctx, webAddress) }},
		{"the network goes away", false, (*soak).networkGone},
		{"the disk is full", false, func(s *soak, ctx context.Context) { s.diskFull(ctx, false) }},
		{"kill -9", true, (*soak).killAtRandom},
		{"kill -9 on a full disk", true, func(s *soak, ctx context.Context) { s.diskFull(ctx, true) }},
		{"the clock jumps", true, (*soak).clockJumps},
	}
}

// storms goes through the table in random order, again and again, with a calm
// after each storm. In the middle half of the time the server lives on, so that
// growth can show.
func (s *soak) storms(ctx context.Context) {
	for {
		deck := table()
		s.rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		for _, w := range deck {
			at := time.Since(s.began)
			if at >= s.time || ctx.Err() != nil {
				return
			}
			if w.kills && at > s.time/4 && at < s.time*3/4 {
				continue
			}
			s.mu.Lock()
			s.storm = w.name
			s.stormed[w.name]++
			s.mu.Unlock()
			w.attack(s, ctx)
			s.calm(ctx)
		}
	}
}

// some returns at least one place.
func (s *soak) some() []*place {
	chosen := []*place{s.places[s.rng.IntN(len(s.places))]}
	for _, p := range s.places {
		if p != chosen[0] && s.rng.IntN(2) == 0 {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// toSome does something to some consoles, waits, and undoes it.
func toSome(d time.Duration, do, undo func(*ps4test.Console)) func(*soak, context.Context) {
	return func(s *soak, ctx context.Context) {
		chosen := s.some()
		for _, p := range chosen {
			do(p.now())
		}
		pause(ctx, d)
		for _, p := range chosen {
			if undo != nil {
				undo(p.now())
			}
		}
	}
}

func faulty(d time.Duration, f ps4test.Faults) func(*soak, context.Context) {
	return toSome(d, func(c *ps4test.Console) { c.SetFaults(f) }, works)
}

func works(c *ps4test.Console) { c.SetFaults(ps4test.Faults{}) }

func (s *soak) moveConsoles(ctx context.Context) {
	for _, p := range s.some() {
		if err := p.move(); err != nil {
			s.fail("%v", err)
		}
	}
	pause(ctx, 2*time.Second)
}

func (s *soak) loseDatagrams(ctx context.Context) {
	toSome(0, func(c *ps4test.Console) {
		for range 25 {
			c.SetFaults(ps4test.Faults{LoseRequests: s.rng.IntN(3), LoseReplies: s.rng.IntN(3)})
			pause(ctx, 50*time.Millisecond)
		}
	}, works)(s, ctx)
}

func (s *soak) resetConnections(ctx context.Context) {
	toSome(0, func(c *ps4test.Console) {
		for range 6 {
			c.SetFaults(ps4test.Faults{Reset: s.rng.IntN(2)})
			c.ResetConnections()
			pause(ctx, time.Duration(50+s.rng.IntN(250))*time.Millisecond)
		}
	}, works)(s, ctx)
}

// networkGone takes away the interface on which the server announces itself.
func (s *soak) networkGone(ctx context.Context) {
	for _, state := range []string{"down", "up"} {
		if err := command(ctx, "ip", "link", "set", netns.Interface, state); err != nil && ctx.Err() == nil {
			s.fail("%v", err)
		}
		pause(ctx, 2*time.Second)
	}
}

// comeAndGo has phones connect and leave, some of them without waiting for an
// answer.
func (s *soak) comeAndGo(ctx context.Context) {
	for n := 0; n < 40 && ctx.Err() == nil; n++ {
		p := s.places[s.rng.IntN(len(s.places))]
		polite := s.rng.IntN(2) == 0
		_, _ = s.command(0, "hap connect", func() error {
			conn, err := p.connect(s.rng.IntN(phonesEach))
			if err != nil {
				return err
			}
			if !polite {
				_ = conn.Send(http.MethodGet, "/accessories", "", nil)
			}
			return conn.Close()
		})
	}
}

// stall has phones ask for much and read nothing until the server drops them.
func (s *soak) stall(ctx context.Context) {
	var stalled []*hapclient.Conn
	for _, p := range s.places {
		for range 4 {
			conn, err := p.connect(1)
			if err != nil {
				s.fail("a phone that will stall: %v", err)
				continue
			}
			conn.Patience = 200 * time.Millisecond
			for range 200 { // until the buffers are full
				if conn.Send(http.MethodGet, "/accessories", "", nil) != nil {
					break
				}
			}
			stalled = append(stalled, conn)
		}
	}
	pause(ctx, 6*time.Second) // the server gives them 5 s
	for _, conn := range stalled {
		_ = conn.Close()
	}
}

// flood has one phone of each console ask as fast as it gets answers.
func (s *soak) flood(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var floods sync.WaitGroup
	for _, p := range s.places {
		floods.Go(func() {
			conn, err := p.connect(2)
			if err != nil {
				s.fail("a phone that will flood: %v", err)
				return
			}
			defer func() { _ = conn.Close() }()
			for n := 0; n < 5000 && ctx.Err() == nil && err == nil; n++ {
				if n%4 == 0 {
					_, err = s.command(0, "flood key", func() error { return conn.Write(p.iids.key, 4) })
				} else {
					_, err = s.command(0, "flood read", func() error { return conn.Read(p.iids.active) })
				}
			}
		})
	}
	floods.Wait()
}

// rudeness is what strangers send.
var rudeness = []string{
	"",
	"\x00\xff\x00\xff",
	"GET /accessories HTTP/1.1\r\n\r\n",
	"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\npassword=",
	"POST /pair-setup HTTP/1.1\r\nHost: x\r\nContent-Type: application/pairing+tlv8\r\nContent-Length: 6\r\n\r\n\x06\x01\x01\x00\x01\x00",
	"POST /pair-verify HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\x06\x01\x03",
	"PUT /characteristics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
	"GET / HTTP/1.1\r\nX: ",
}

// strangers hold sixty connections for two seconds. They have an address of
// their own, since the server drops unverified connections from an address that
// has too many.
func (s *soak) strangers(ctx context.Context, address string) {
	from := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 66, 1)}}
	for range 60 {
		conn, err := from.DialContext(ctx, "tcp", address)
		if err != nil {
			s.fail("a stranger cannot connect: %v", err)
			break
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, rudeness[s.rng.IntN(len(rudeness))])
	}
	pause(ctx, 2*time.Second)
}

// killAtRandom kills the server whatever it is doing.
func (s *soak) killAtRandom(ctx context.Context) {
	for range 1 + s.rng.IntN(3) {
		pause(ctx, time.Duration(s.rng.IntN(1500))*time.Millisecond)
		s.server.kill()
		s.server.restart(ctx, s.bin)
	}
}

// diskFull changes everything while the disk has no room. What the server
// confirms then must last all the same.
func (s *soak) diskFull(ctx context.Context, kill bool) {
	filler := filepath.Join(s.dir, "state", "filler")
	s.full.Store(true)
	if err := fill(filler); !errors.Is(err, syscall.ENOSPC) {
		s.fail("filling the disk: %v", err)
	}
	for _, p := range s.places {
		for n := range 4 {
			_, _ = s.change(p, func() edit { return s.nextEdit(p, s.rng, 10000+n) })
		}
		_, _ = s.change(p, func() edit { return p.guest(s.rng) })
	}
	if kill {
		s.server.kill()
		s.server.restart(ctx, s.bin)
	}
	pause(ctx, 2*time.Second)
	if err := os.Remove(filler); err != nil {
		s.fail("making room on the disk: %v", err)
	}
	s.full.Store(false)
	for _, p := range s.places { // writes down what was kept in memory
		name := fmt.Sprintf("Room %d", s.rng.IntN(1000))
		if o, err := s.change(p, func() edit { return s.rename(p, titles[0].ID, name) }); o != done {
			s.fail("a change after the disk was full: %v", err)
		}
	}
}

// fill fills the disk to the last byte, and returns the error of that.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for size := 64 << 10; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	return err
}

// clockJumps moves the wall clock of the server forward and back, by up to a
// day at once.
func (s *soak) clockJumps(ctx context.Context) {
	if s.clockBin == "" {
		return
	}
	if !s.server.movable {
		s.server.terminate()
		s.server.restart(ctx, s.clockBin)
	}
	at := 0
	for range 4 {
		hours := s.rng.IntN(49) - 24
		at += hours
		s.server.jump(hours)
		pause(ctx, 500*time.Millisecond)
	}
	s.calm(ctx)
	s.server.jump(-at)
}
