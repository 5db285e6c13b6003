package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// plan is how much is measured.
type plan struct {
	starts, peerStarts int
	requests           int // of a kind, one after another
	renames            int
	keys               int
	changes            int // of a console's state
	poll               time.Duration
	settle, idle       time.Duration
	scale              []int
	search             int // consoles to be found
	commands           int
}

func fullPlan() plan {
	return plan{
		starts: 10, peerStarts: 4, requests: 1000, renames: 40, keys: 50, changes: 4, poll: 5 * time.Second, // ps4kit's default
		settle: 2 * time.Second, idle: 6 * time.Second, scale: []int{1, 8, 32, 64}, search: 32, commands: 3,
	}
}

func smokePlan() plan {
	return plan{
		requests: 3, renames: 2, keys: 2, changes: 1, poll: time.Second,
		idle: 50 * time.Millisecond, scale: []int{2}, search: 2, commands: 1,
	}
}

// bench is a run.
type bench struct {
	options
	plan
	progress  io.Writer
	began     time.Time
	dir       string
	key       string // file with the public key of the consoles
	consoles  []*ps4test.Console
	announced *announcements
}

// credential is the PSN account of the run; every simulated console knows it.
var credential = strings.Repeat("0123456789abcdef", 4)

func newBench(o options, progress io.Writer) (b *bench, err error) {
	if err := absolute(&o.program, &o.npm, &o.out); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(o.npm, "node_modules", "hap-nodejs")); err != nil {
		return nil, fmt.Errorf("%w: run npm ci --ignore-scripts in %s first", err, o.npm)
	}
	b = &bench{options: o, plan: fullPlan(), progress: progress, began: time.Now()}
	if o.smoke {
		b.plan = smokePlan()
	}
	if b.dir, err = os.MkdirTemp("", "ps4kit-bench-"); err != nil {
		return nil, err
	}
	defer func(made *bench) {
		if err != nil {
			made.close()
		}
	}(b)
	if b.announced, err = listenAnnouncements(); err != nil {
		return nil, err
	}
	if err := b.moreConsoles(1); err != nil { // the others come when they are needed
		return nil, err
	}
	b.key = filepath.Join(b.dir, "key.pem")
	return b, os.WriteFile(b.key, b.consoles[0].PublicKeyPEM(), 0o600)
}

// moreConsoles starts consoles until there are n.
func (b *bench) moreConsoles(n int) error {
	for i := len(b.consoles); i < n; i++ {
		c, err := ps4test.New(ps4test.Config{
			Name: fmt.Sprintf("Console %d", i), HostID: fmt.Sprintf("A0B1C2D3%04X", i), Addr: fmt.Sprintf("127.0.0.%d", i+5),
			DDPPort: 987, TCPPort: 997, Broadcast: true, Credentials: []string{credential}, Linked: true, Timing: timing(),
			StrictKeys: true,
		})
		if err != nil {
			return err
		}
		b.consoles = append(b.consoles, c)
	}
	return nil
}

// timing is a real console's without the long waits, which would only be waited for.
func timing() ps4test.Timing {
	t := ps4test.RealTiming()
	t.Wake, t.Service = 500*time.Millisecond, 0
	t.StandbyDelay, t.BeforeSilence, t.Silence = 100*time.Millisecond, 0, 0
	return t
}

func (b *bench) close() {
	for _, c := range b.consoles {
		_ = c.Close()
	}
	if b.announced != nil {
		b.announced.close()
	}
	_ = os.RemoveAll(b.dir)
}

func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, "%4.0f s  "+format+"\n", append([]any{time.Since(b.began).Seconds()}, args...)...)
}

// run measures everything.
func (b *bench) run(ctx context.Context) ([]table, error) {
	one, err := b.oneConsole(ctx)
	if err != nil {
		return nil, err
	}
	commands, err := b.commandTable(ctx)
	if err != nil {
		return nil, err
	}
	many, err := b.manyConsoles(ctx)
	if err != nil {
		return nil, err
	}
	search, err := b.searchTable(ctx)
	return []table{one, many, commands, search}, err
}

// server is a running subject.
type server struct {
	*process
	subject
	ports []uint16
	at    started
}

// started are times from exec on.
type started struct{ listening, ready, announced time.Duration }

// launch starts a subject for a number of consoles and waits until all of it listens
// and is announced. With the same directory again it is a warm start.
func (b *bench) launch(ctx context.Context, s subject, dir string, consoles int) (*server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	words, err := s.prepare(b, dir, consoles)
	if err != nil {
		return nil, err
	}
	b.announced.forget()
	p, err := begin(command(words, dir))
	if err != nil {
		return nil, err
	}
	srv := &server{process: p, subject: s}
	for i := range consoles {
		srv.ports = append(srv.ports, uint16(firstPort+i)) //nolint:gosec // a port
	}
	if srv.at, err = b.watchStart(ctx, srv); err != nil {
		return nil, errors.Join(fmt.Errorf("%s with %d consoles did not start: %w", s.name, consoles, err), p.stop(), errors.New(tail(&p.said)))
	}
	return srv, nil
}

// tail is the end of what a program said.
func tail(said *bytes.Buffer) string {
	b := said.Bytes()
	return string(b[max(0, len(b)-2000):])
}

const startLimit = time.Minute

func (b *bench) watchStart(ctx context.Context, s *server) (at started, err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ready := make(chan time.Duration, 1)
	go func() {
		if s.ready != nil && until(ctx, s.ready) {
			ready <- time.Since(s.began)
		}
		close(ready)
	}()
	for _, port := range s.ports {
		if !until(ctx, accepts(port)) {
			return at, errors.Join(fmt.Errorf("port %d", port), ctx.Err())
		}
	}
	at.listening = time.Since(s.began)
	at.ready = <-ready
	last, err := b.announced.last(ctx, s.ports)
	at.announced = last.Sub(s.began)
	return at, err
}
