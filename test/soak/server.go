package main

import (
	"context"
	"errors"
	"fmt"
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

// Bounds of a server that is well.
const (
	startLimit    = 15 * time.Second
	stopLimit     = 15 * time.Second
	watchdogLimit = 4 * time.Second // as WATCHDOG_USEC says; it is fed four times in this time
)

// server is the process under test, over all its lives.
type server struct {
	s      *soak
	notify *net.UnixConn // systemd's side of NOTIFY_SOCKET
	ready  chan struct{} // a token for each READY=1
	fed    atomic.Int64  // when the watchdog was fed last, Unix nanoseconds
	log    *logbook

	life   atomic.Int64 // odd: the server is up; it changes before a kill, and after a start
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
	wanted atomic.Bool   // that it ends

	mu sync.Mutex
	up chan struct{} // closed while the server is up

	clock  bool // this life's wall clock can be moved
	starts int
	slow   time.Duration // the slowest start
}

func newServer(s *soak) (*server, error) {
	path := filepath.Join(s.dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("systemd's side: %w", err)
	}
	log, err := newLogbook(s.options.log)
	if err != nil {
		return nil, err
	}
	v := &server{s: s, notify: conn, ready: make(chan struct{}, 1), up: make(chan struct{}), log: log}
	go v.listen()
	return v, nil
}

// listen hears what the server tells systemd, until the socket is closed.
func (v *server) listen() {
	b := make([]byte, 1024)
	for {
		n, err := v.notify.Read(b)
		if err != nil {
			return
		}
		switch message := string(b[:n]); {
		case strings.Contains(message, "READY=1"):
			v.fed.Store(time.Now().UnixNano())
			select {
			case v.ready <- struct{}{}:
			default:
			}
		case strings.Contains(message, "WATCHDOG=1"):
			v.fed.Store(time.Now().UnixNano())
		}
	}
}

// start runs a binary and returns when it is ready.
func (v *server) start(ctx context.Context, bin string) error {
	began := time.Now()
	cmd := exec.Command(bin, "--config", v.s.configFile(), "--state-dir", stateDir(v.s.dir), "serve") //nolint:gosec,noctx // it is ended by stop and kill
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(v.s.dir, "notify"), fmt.Sprintf("WATCHDOG_USEC=%d", watchdogLimit.Microseconds()))
	cmd.Stderr = v.log.life()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	v.cmd, v.exited, v.clock = cmd, make(chan struct{}), bin != v.s.bin
	v.wanted.Store(false)
	v.starts++
	go v.wait(cmd, v.exited)
	select {
	case <-v.ready:
	case <-v.exited:
		return errors.New("the server ended at its start: " + v.log.last())
	case <-time.After(startLimit):
		return fmt.Errorf("the server was not ready within %v", startLimit)
	case <-ctx.Done():
		return ctx.Err()
	}
	v.slow = max(v.slow, time.Since(began))
	v.life.Add(1)
	v.mu.Lock()
	close(v.up)
	v.mu.Unlock()
	return nil
}

// wait notices when the server ends by itself.
func (v *server) wait(cmd *exec.Cmd, exited chan struct{}) {
	err := cmd.Wait()
	if !v.wanted.Load() {
		v.s.fail("the server ended by itself: %v: %s", err, v.log.last())
		v.down()
	}
	close(exited)
}

// down notes that commands are cut from now on.
func (v *server) down() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.life.Load()%2 == 1 {
		v.life.Add(1)
		v.up = make(chan struct{})
	}
}

// isUp says whether the server runs, and in which life.
func (v *server) isUp() (life int64, up bool) {
	life = v.life.Load()
	return life, life%2 == 1
}

// await returns when the server is up; false: ctx was done first.
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

// kill ends the server with no warning.
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

// restart starts a binary after the server has ended; a server that does not come up is
// tried once more, so that the soak can go on.
func (v *server) restart(ctx context.Context, bin string) {
	err := v.start(ctx, bin)
	if err == nil || ctx.Err() != nil {
		return
	}
	v.s.fail("restart: %v", err)
	v.kill()
	if err := v.start(ctx, bin); err != nil {
		v.s.fail("restart, again: %v", err)
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
		time.Sleep(20 * time.Millisecond) // equal signals that come together count once
	}
}

// hungry is how long the watchdog has not been fed.
func (v *server) hungry() time.Duration { return time.Since(time.Unix(0, v.fed.Load())) }

func (v *server) close() {
	if v.cmd != nil {
		v.kill()
	}
	_ = v.notify.Close()
	v.log.close()
}
