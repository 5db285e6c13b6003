// Bench measures ps4kit beside the programs of package-lock.json, on the same work
// and in one run, and writes the tables of docs/benchmarks.md.
//
// Everything happens in a network namespace of its own: simulated consoles on
// loopback (docs/protocol.md's fixed ports need no rights there), one more interface
// for multicast DNS. Every loop is bounded in count and time.
//
//	go run ./test/bench -ps4kit bin/ps4kit -out docs/benchmarks.md
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// limit bounds a whole run; one on a quiet machine takes six minutes.
const limit = 15 * time.Minute

// run is main for a command line.
func run(ctx context.Context, args []string, progress io.Writer) error {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.program, "ps4kit", "bin/ps4kit", "the program to measure, as `make build` made it")
	flags.StringVar(&o.npm, "npm", "test/bench", "the `directory` of package.json, after npm ci")
	flags.StringVar(&o.out, "out", "docs/benchmarks.md", "the `file` whose generated part is replaced")
	flags.BoolVar(&o.smoke, "smoke", false, "a few iterations of everything: shows that it works, measures nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !isolated() {
		return isolate(ctx, args)
	}
	return measure(ctx, o, progress)
}

type options struct {
	program, npm, out string
	smoke             bool
}

func measure(ctx context.Context, o options, progress io.Writer) error {
	m := newMachine(ctx, o)
	b, err := newBench(o, progress)
	if err != nil {
		return err
	}
	defer b.close()
	tables, err := b.run(ctx)
	if err != nil {
		return err
	}
	return writeReport(o.out, m, b, tables)
}

// absolute makes the paths of a command line independent of the directory.
func absolute(paths ...*string) error {
	for _, p := range paths {
		full, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = full
	}
	return nil
}
