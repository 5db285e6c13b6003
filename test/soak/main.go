// Command soak puts a running server through everything that may go wrong, for as long
// as it is told to, and then says what was lost (docs/soak.md):
//
//	consoles (ps4test) ◄── UDP, TCP ── ps4kit serve ◄── HAP ── phones, guests, strangers
//	  sleep, move, lose, reset, hang     kill -9,         ◄── socket ── commands
//	                                     full disk, clock jumps
//
// It needs Linux, and root or user namespaces: the network and the disk that it spoils
// are its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	bin      string
	clockBin string
	time     time.Duration
	seed     uint64
	consoles int
	json     string
	log      string
}

func main() {
	o := options{}
	flag.StringVar(&o.bin, "bin", os.Getenv("PS4KIT_BIN"), "the `FILE` of the server under test")
	flag.StringVar(&o.clockBin, "clock-bin", "", "the `FILE` of the same server with a wall clock that can be moved; empty: no clock jumps")
	flag.DurationVar(&o.time, "time", time.Hour, "how long to go on")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1e6), "the `NUMBER` that gives the order of events") //nolint:gosec // positive
	flag.IntVar(&o.consoles, "consoles", 4, "simulated consoles")
	flag.StringVar(&o.json, "json", "", "write the summary to `FILE` as JSON")
	flag.StringVar(&o.log, "log", "", "keep the server's log in `FILE`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run soaks in namespaces of its own.
func run(ctx context.Context, o options) error {
	if os.Getenv(inNamespace) == "" {
		return isolate(ctx, o)
	}
	dir := os.Getenv(inNamespace)
	if err := setUp(ctx, dir); err != nil {
		return err
	}
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
	s.last(ctx)
	return s.report()
}
