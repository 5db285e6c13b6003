// Command soak runs a server among consoles, controllers and strangers that
// misbehave, for as long as it is told to, and then reports what was lost
// (docs/soak.md):
//
//	consoles (ps4test) ◄── UDP, TCP ── ps4kit serve ◄── HAP ── phones, guests, strangers
//	  sleep, move, lose, reset, hang     kill -9,         ◄── socket ── commands
//	                                     full disk, clock jumps
//
// It needs Linux, and root or user namespaces: its network and its disk are its
// own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/test/netns"
)

type options struct {
	bin, clockBin string
	time          time.Duration
	seed          uint64
	consoles      int
	log           string
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/ps4kit", "the `FILE` of the server")
	flag.StringVar(&o.clockBin, "clock-bin", "", "the `FILE` of the same server with a wall clock that can be moved; empty: no clock jumps")
	flag.DurationVar(&o.time, "time", time.Hour, "how long to run")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1e6), "the `NUMBER` that gives the order of events") //nolint:gosec // positive
	flag.IntVar(&o.consoles, "consoles", 4, "simulated consoles")
	flag.StringVar(&o.log, "log", "", "keep the server's log in `FILE`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if !netns.Inside() {
		return netns.Command(ctx, append(os.Args[1:], "-seed", strconv.FormatUint(o.seed, 10))...).Run()
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	state := filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o750); err != nil {
		return err
	}
	if err := command(ctx, "mount", "-t", "tmpfs", "-o", "size=2m,mode=0750", "soak", state); err != nil {
		return err
	}
	defer func() { _ = syscall.Unmount(state, 0) }()
	s, err := newSoak(o, dir)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Printf("soak: seed %d, %v, %d consoles\n", o.seed, o.time, o.consoles)
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("before anything went wrong: %w", err)
	}
	s.storms(ctx)
	s.finish(ctx)
	s.report()
	if n := len(s.failures); n > 0 {
		return fmt.Errorf("%d failures, seed %d", n, o.seed)
	}
	return nil
}

func command(ctx context.Context, words ...string) error {
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput() //nolint:gosec // constants
	if err != nil {
		return errors.Join(fmt.Errorf("%v: %w", words, err), errors.New(string(out)))
	}
	return nil
}

// pause waits, and returns false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
