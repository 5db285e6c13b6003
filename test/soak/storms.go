package main

import (
	"context"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// storm is something that goes wrong for a few seconds.
type storm struct {
	name   string
	ends   bool // it ends the server's life
	attack func(s *soak, ctx context.Context)
}

// table lists the storms. Each is over when attack returns.
func table() []storm {
	return []storm{
		{"consoles sleep", false, each(func(p *place) { p.now().SetStandby() })},
		{"consoles wake", false, each(func(p *place) { p.now().SetAwake() })},
		{"power cut", false, (*soak).powerCut},
		{"consoles move", false, (*soak).moveConsoles},
		{"datagrams are lost", false, (*soak).loseDatagrams},
		{"connections are reset", false, (*soak).resetConnections},
		{"consoles hang", false, faulty(3*time.Second, ps4test.Faults{Delay: 2 * time.Second, HoldBeats: true})},
		{"bytes are garbage", false, faulty(2*time.Second, ps4test.Faults{GarbageDDP: true, GarbageTCP: 4, Split: 3})},
		{"commands are refused", false, faulty(2*time.Second, ps4test.Faults{Login: ps4.ErrBusy, Boot: ps4.ErrBooting, Refuse: 3, LoseBoots: 2})},
		{"controllers come and go", false, (*soak).comeAndGo},
		{"controllers stall", false, (*soak).stall},
		{"a controller floods", false, (*soak).flood},
		{"strangers at the HAP ports", false, (*soak).strangersHAP},
		{"strangers at the web port", false, (*soak).strangersWeb},
		{"the network goes away", false, (*soak).networkGone},
		{"the disk is full", false, (*soak).diskFull},
		{"kill -9", true, (*soak).killAtRandom},
		{"kill -9 on a full disk", true, (*soak).killOnFullDisk},
		{"the clock jumps", true, (*soak).clockJumps},
	}
}

// storms goes through the table in an order of the seed, again and again. Half of the
// time, in the middle, the server's life does not end, so that growth has time to show.
func (s *soak) storms(ctx context.Context) {
	for time.Since(s.began) < s.time {
		deck := table()
		s.rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		for _, w := range deck {
			at := time.Since(s.began)
			if at >= s.time || ctx.Err() != nil {
				return
			}
			long := at > s.time/4 && at < s.time*3/4
			if w.ends && long {
				continue
			}
			s.weather(ctx, w)
		}
	}
}

// weather lets one storm rage, and then sees whether all is well again.
func (s *soak) weather(ctx context.Context, w storm) {
	s.mu.Lock()
	s.now = w.name
	s.counts[w.name]++
	s.mu.Unlock()
	w.attack(s, ctx)
	if ctx.Err() == nil {
		s.calm(ctx)
	}
}

// some picks consoles, at least one.
func (s *soak) some() []*place {
	chosen := []*place{s.places[s.rng.IntN(len(s.places))]}
	for _, p := range s.places {
		if p != chosen[0] && s.rng.IntN(2) == 0 {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// each does something to some consoles and lets the crowd go on for a moment.
func each(do func(*place)) func(*soak, context.Context) {
	return func(s *soak, ctx context.Context) {
		for _, p := range s.some() {
			do(p)
		}
		pause(ctx, time.Second)
	}
}

// faulty gives some consoles faults for a while.
func faulty(d time.Duration, f ps4test.Faults) func(*soak, context.Context) {
	return func(s *soak, ctx context.Context) {
		chosen := s.some()
		for _, p := range chosen {
			p.now().SetFaults(f)
		}
		pause(ctx, d)
		for _, p := range chosen {
			p.now().SetFaults(ps4test.Faults{})
		}
	}
}

func (s *soak) powerCut(ctx context.Context) {
	chosen := s.some()
	for _, p := range chosen {
		p.now().SetSilent()
	}
	pause(ctx, 5*time.Second)
	for _, p := range chosen {
		p.now().SetStandby()
	}
}

func (s *soak) moveConsoles(ctx context.Context) {
	for _, p := range s.some() {
		if err := p.move(); err != nil {
			s.fail("%v", err)
		}
	}
	pause(ctx, 2*time.Second)
}

func (s *soak) loseDatagrams(ctx context.Context) {
	chosen := s.some()
	for range 25 {
		for _, p := range chosen {
			p.now().SetFaults(ps4test.Faults{LoseRequests: s.rng.IntN(3), LoseReplies: s.rng.IntN(3)})
		}
		if !pause(ctx, 100*time.Millisecond) {
			break
		}
	}
	for _, p := range chosen {
		p.now().SetFaults(ps4test.Faults{})
	}
}

func (s *soak) resetConnections(ctx context.Context) {
	chosen := s.some()
	for range 6 {
		for _, p := range chosen {
			p.now().SetFaults(ps4test.Faults{Reset: s.rng.IntN(2)})
			p.now().ResetConnections()
		}
		if !pause(ctx, time.Duration(100+s.rng.IntN(500))*time.Millisecond) {
			break
		}
	}
	for _, p := range chosen {
		p.now().SetFaults(ps4test.Faults{})
	}
}

// networkGone takes away the interface on which the server announces itself.
func (s *soak) networkGone(ctx context.Context) {
	for _, state := range []string{"down", "up"} {
		if err := sh(ctx, "ip link set "+network+" "+state); err != nil && ctx.Err() == nil {
			s.fail("%v", err)
		}
		pause(ctx, 2*time.Second)
	}
}
