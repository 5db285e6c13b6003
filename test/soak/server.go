package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	startLimit    = 15 * time.Second
	stopLimit     = 15 * time.Second
	watchdogLimit = 4 * time.Second // WATCHDOG_USEC; it is fed four times in this time
)

// server is the process under test, over all its lives.
type server struct {
	s      *soak
	notify *net.UnixConn // systemd's side of NOTIFY_SOCKET
	ready  chan struct{} // a token for each READY=1
	fed    atomic.Int64  // when the watchdog was last fed, in Unix nanoseconds

	life    atomic.Int64 // odd: the server is up; it changes before a kill, and after a start
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has ended
	wanted  atomic.Bool   // that it ends
	movable bool          // the wall clock of this life can be moved
	starts  int
	slowest time.Duration // start

	mu sync.Mutex
	up chan struct{} // closed while the server is up

	log logbook
}

func newServer(s *soak) (*server, error) {
	path := filepath.Join(s.dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	v := &server{s: s, notify: conn, ready: make(chan struct{}, 1), up: make(chan struct{})}
	v.log.counts, v.log.keep = map[string]int{}, io.Discard
	if s.options.log != "" {
		if v.log.keep, err = os.Create(s.options.log); err != nil {
			return nil, err
		}
	}
	go v.listen()
	return v, nil
}

// listen reads what the server tells systemd, until the socket is closed.
func (v *server) listen() {
	b := make([]byte, 1024)
	for {
		n, err := v.notify.Read(b)
		if err != nil {
			return
		}
		ready := strings.Contains(string(b[:n]), "READY=1")
		if ready || strings.Contains(string(b[:n]), "WATCHDOG=1") {
			v.fed.Store(time.Now().UnixNano())
		}
		if ready {
			select {
			case v.ready <- struct{}{}:
			default:
			}
		}
	}
}

// hungry returns for how long the watchdog has not been fed.
func (v *server) hungry() time.Duration { return time.Since(time.Unix(0, v.fed.Load())) }

// start runs a program and returns when it is ready.
func (v *server) start(ctx context.Context, bin string) error {
	began := time.Now()
	dir := v.s.dir
	cmd := exec.Command(bin, "--config", filepath.Join(dir, "config.yaml"), "--state-dir", filepath.Join(dir, "state"), "serve") //nolint:gosec,noctx // kill ends it
	cmd.Env = []string{"HOME=" + dir, "NOTIFY_SOCKET=" + filepath.Join(dir, "notify"), fmt.Sprintf("WATCHDOG_USEC=%d", watchdogLimit.Microseconds())}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	v.cmd, v.exited, v.movable = cmd, make(chan struct{}), bin != v.s.bin
	v.wanted.Store(false)
	v.starts++
	go v.wait(cmd, stderr, v.exited)
	select {
	case <-v.ready:
	case <-v.exited:
		return errors.New("the server ended at its start: " + v.log.last())
	case <-time.After(startLimit):
		return fmt.Errorf("the server was not ready within %v", startLimit)
	case <-ctx.Done():
		return ctx.Err()
	}
	v.slowest = max(v.slowest, time.Since(began))
	v.life.Add(1)
	v.mu.Lock()
	close(v.up)
	v.mu.Unlock()
	return nil
}

// wait reads the log of one life, and notices when the server ends by itself.
func (v *server) wait(cmd *exec.Cmd, stderr io.Reader, exited chan struct{}) {
	v.log.read(stderr, v.s.fail)
	err := cmd.Wait()
	if !v.wanted.Load() {
		v.s.fail("the server ended by itself: %v: %s", err, v.log.last())
		v.down()
	}
	close(exited)
}

// down makes await wait, and commands that fail from now on count as cut.
func (v *server) down() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.life.Load()%2 == 1 {
		v.life.Add(1)
		v.up = make(chan struct{})
	}
}

// isUp returns the life of the server, and whether it is up.
func (v *server) isUp() (life int64, up bool) {
	life = v.life.Load()
	return life, life%2 == 1
}

// await waits until the server is up, and returns false if ctx ends first.
func (v *server) await(ctx context.Context) bool {
	v.mu.Lock()
	up := v.up
	v.mu.Unlock()
	select {
	case <-up:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// kill ends the server without warning.
func (v *server) kill() {
	v.wanted.Store(true)
	v.down()
	_ = v.cmd.Process.Kill()
	<-v.exited
}

// terminate ends the server as systemd does.
func (v *server) terminate() {
	v.wanted.Store(true)
	v.down()
	_ = v.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-v.exited:
		if code := v.cmd.ProcessState.ExitCode(); code != 0 {
			v.s.fail("SIGTERM: exit code %d: %s", code, v.log.last())
		}
	case <-time.After(stopLimit):
		v.s.fail("SIGTERM: not ended within %v", stopLimit)
		v.kill()
	}
}

// restart starts a program after the server has ended, and again if it doesn't
// come up, so that the soak can continue.
func (v *server) restart(ctx context.Context, bin string) {
	for range 2 {
		err := v.start(ctx, bin)
		if err == nil || ctx.Err() != nil {
			return
		}
		v.s.fail("restart: %v", err)
		v.kill()
	}
}

// jump moves the wall clock of a server that allows it by whole hours.
func (v *server) jump(hours int) {
	signal := syscall.SIGUSR1
	if hours < 0 {
		signal, hours = syscall.SIGUSR2, -hours
	}
	for range hours {
		_ = v.cmd.Process.Signal(signal)
		time.Sleep(20 * time.Millisecond) // the kernel merges equal signals that are pending
	}
}

func (v *server) close() {
	if v.cmd != nil {
		v.kill()
	}
	_ = v.notify.Close()
}

// flood is how many equal lines within a minute are too many for the log.
const flood = 20

// tailLines is how many lines are shown when the server ends by itself.
const tailLines = 30

// logbook is the server's log.
type logbook struct {
	keep io.Writer

	mu     sync.Mutex
	lines  int
	counts map[string]int // by level, message and error
	tail   []string
}

// read reads the log of one life. A line that is logged again and again is a
// failure.
func (l *logbook) read(r io.Reader, fail func(string, ...any)) {
	began, recent := time.Now(), map[string]int{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := l.take(lines.Text())
		if time.Since(began) > time.Minute {
			began, recent = time.Now(), map[string]int{}
		}
		if recent[line]++; recent[line] == flood {
			fail("the log has this line %d times within a minute: %s", flood, line)
		}
	}
	_, _ = io.Copy(io.Discard, r)
}

// take keeps a line, and returns it without its time.
func (l *logbook) take(line string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintln(l.keep, line)
	l.lines++
	l.tail = append(l.tail, line)
	l.tail = l.tail[max(0, len(l.tail)-tailLines):]
	fields := map[string]any{}
	if json.Unmarshal([]byte(line), &fields) != nil {
		l.counts["not of the log: "+line]++
		return line
	}
	delete(fields, "time")
	what := fmt.Sprintf("%v: %v", fields["level"], fields["msg"])
	if fields["error"] != nil {
		what += fmt.Sprint(" ", fields["error"])
	}
	l.counts[what]++
	whole, _ := json.Marshal(fields)
	return string(whole)
}

// last returns the last lines.
func (l *logbook) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return "\n" + strings.Join(l.tail, "\n")
}
