// Bench measures ps4kit and the programs of package-lock.json at the same work,
// in one run, and writes the tables of docs/benchmarks.md.
//
// Everything happens in a network namespace: simulated consoles on loopback
// with their fixed ports, and one more interface for multicast DNS. Every loop
// is bounded in count and time.
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
	"strings"
	"syscall"
	"time"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/netns"
)

// limit bounds a whole run. One on an idle machine takes about nine minutes.
const limit = 20 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, progress io.Writer) error {
	b := &bench{plan: fullPlan, progress: progress, began: time.Now()}
	var out string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&b.program, "ps4kit", "bin/ps4kit", "the program to measure, as built by `make build`")
	flags.StringVar(&b.npm, "npm", "test/bench", "the `directory` of package.json, after npm ci")
	flags.StringVar(&out, "out", "docs/benchmarks.md", "the `file` whose generated part is replaced")
	flags.BoolVar(&b.smoke, "smoke", false, "do a little of everything, to show that it works")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !netns.Inside() {
		cmd := netns.Command(ctx, args...)
		cmd.Stderr = progress
		return cmd.Run()
	}
	for _, path := range []*string{&b.program, &b.npm, &out} {
		full, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = full
	}
	if b.smoke {
		b.plan = smokePlan
	} else {
		awaitQuiet(ctx)
	}
	header := b.describe(ctx)
	if err := b.setUp(); err != nil {
		return err
	}
	defer b.close()
	tables, err := b.measure(ctx)
	if err != nil {
		return err
	}
	return writeReport(out, header, tables)
}

// plan says how much is measured.
type plan struct {
	starts, peerStarts int
	requests           int // of a kind, one after another
	repeats            int // of slower things: renames, keys
	changes            int // of a console's state, of each kind
	commands           int
	poll               time.Duration
	settle, window     time.Duration // wait before, and length of, an idle measurement
	scale              []int         // consoles in one process
	search             int           // consoles to find
}

var fullPlan = plan{
	starts: 10, peerStarts: 4, requests: 1000, repeats: 50, changes: 5, commands: 3,
	poll: time.Second, settle: 3 * time.Second, window: 20 * time.Second, scale: []int{1, 32, 64}, search: 32,
}

var smokePlan = plan{
	starts: 1, peerStarts: 1, requests: 3, repeats: 2, changes: 1, commands: 1,
	poll: time.Second, window: 50 * time.Millisecond, scale: []int{1, 2}, search: 2,
}

// bench is a run.
type bench struct {
	plan
	program, npm string
	smoke        bool
	progress     io.Writer
	began        time.Time
	dir          string
	key          string // file with the public key of the consoles
	consoles     []*ps4test.Console
	announced    *announcements
}

// credential is the PSN account of the run, known to every simulated console.
var credential = strings.Repeat("0123456789abcdef", 4)

func (b *bench) setUp() (err error) {
	if _, err := os.Stat(filepath.Join(b.npm, "node_modules", "hap-nodejs")); err != nil {
		return fmt.Errorf("%w: run npm ci --ignore-scripts in %s first", err, b.npm)
	}
	if b.dir, err = os.MkdirTemp("", "ps4kit-bench-"); err != nil {
		return err
	}
	if b.announced, err = listenAnnouncements(); err != nil {
		return err
	}
	if err := b.haveConsoles(1); err != nil { // the others start when they are needed
		return err
	}
	b.key = filepath.Join(b.dir, "key.pem")
	return os.WriteFile(b.key, b.consoles[0].PublicKeyPEM(), 0o600)
}

func (b *bench) close() {
	_ = b.haveConsoles(0)
	b.announced.close()
	_ = os.RemoveAll(b.dir)
}

// haveConsoles starts or closes consoles until there are n.
func (b *bench) haveConsoles(n int) error {
	for len(b.consoles) > n {
		_ = b.consoles[len(b.consoles)-1].Close()
		b.consoles = b.consoles[:len(b.consoles)-1]
	}
	for i := len(b.consoles); i < n; i++ {
		// The timing of a real console, without the long waits.
		timing := ps4test.RealTiming()
		timing.Wake, timing.Service = 500*time.Millisecond, 0
		timing.StandbyDelay, timing.BeforeSilence, timing.Silence = 100*time.Millisecond, 0, 0
		c, err := ps4test.New(ps4test.Config{
			Name: fmt.Sprintf("Console %d", i), HostID: fmt.Sprintf("A0B1C2D3%04X", i), Addr: fmt.Sprintf("127.0.0.%d", i+5),
			DDPPort: 987, TCPPort: 997, Broadcast: true, Credentials: []string{credential}, Linked: true, Timing: timing,
			StrictKeys: true,
		})
		if err != nil {
			return err
		}
		b.consoles = append(b.consoles, c)
	}
	return nil
}

func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, "%4.0f s  "+format+"\n", append([]any{time.Since(b.began).Seconds()}, args...)...)
}

func (b *bench) measure(ctx context.Context) (tables []*table, err error) {
	for _, part := range []func(context.Context) (*table, error){b.oneConsole, b.manyConsoles, b.commandLines, b.searches} {
		t, err := part(ctx)
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// pause waits, and returns false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// until calls is each millisecond until it returns true, and returns false if
// ctx ends first.
func until(ctx context.Context, is func(context.Context) bool) bool {
	for !is(ctx) {
		if !pause(ctx, time.Millisecond) {
			return false
		}
	}
	return true
}
