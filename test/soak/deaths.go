package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// killAtRandom kills the server in the middle of whatever the crowd does.
func (s *soak) killAtRandom(ctx context.Context) {
	for range 1 + s.rng.IntN(3) {
		pause(ctx, time.Duration(s.rng.IntN(1500))*time.Millisecond)
		s.server.kill()
		s.server.restart(ctx, s.bin)
	}
}

// diskFull leaves no room for a while. Nothing may be told to be kept that is not.
func (s *soak) diskFull(ctx context.Context) {
	free := s.fill()
	s.editAll(ctx)
	pause(ctx, 2*time.Second)
	free()
	s.writeDown(ctx)
}

func (s *soak) killOnFullDisk(ctx context.Context) {
	free := s.fill()
	s.editAll(ctx)
	s.server.kill()
	s.server.restart(ctx, s.bin)
	pause(ctx, time.Second)
	free()
	s.writeDown(ctx)
}

// editAll changes something of every console and tries to pair.
func (s *soak) editAll(ctx context.Context) {
	for _, p := range s.places {
		for n := range 4 {
			_, _ = s.change(ctx, p, s.nextEdit(p, s.rng, 10000+n))
		}
		_, _ = s.change(ctx, p, p.guest(s.rng))
	}
}

// writeDown makes one change of each console that is confirmed: all that stands is then
// on disk.
func (s *soak) writeDown(ctx context.Context) {
	for _, p := range s.places {
		name := fmt.Sprintf("Room %d", s.rng.IntN(1000))
		if o, err := s.change(ctx, p, s.renameBySocket(p, titles[0].ID, name)); o != done {
			s.fail("a change after the disk was full: %v", err)
		}
	}
}

// fill takes all the room there is, until free is called.
func (s *soak) fill() (free func()) {
	name := filepath.Join(stateDir(s.dir), "filler")
	f, err := os.Create(name) //nolint:gosec // in our own directory
	if err != nil {
		s.fail("filling the disk: %v", err)
		return func() {}
	}
	s.full.Store(true)
	for size := 64 << 10; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			s.fail("filling the disk: %v", err)
		}
	}
	_ = f.Close()
	return func() {
		if err := os.Remove(name); err != nil {
			s.fail("emptying the disk: %v", err)
		}
		s.full.Store(false)
	}
}

// clockJumps moves the wall clock of a server whose clock can be moved, forth and back,
// by up to a day at once, and brings it back at the end.
func (s *soak) clockJumps(ctx context.Context) {
	if s.clockBin == "" {
		return
	}
	if !s.server.clock {
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
