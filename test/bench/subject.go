package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ps4kit/ps4kit/test/netns"
)

const (
	setupCode  = "518-08-582"
	pageAddr   = "127.0.0.1:8990"
	firstPort  = 21000 // of the televisions, one after another
	bridgePort = 20999 // of homebridge's own bridge
	inputs     = 40

	startLimit = time.Minute
	stopLimit  = 5 * time.Second
)

// subject is a server that is measured.
type subject struct {
	name string
	// prepare writes the files for a number of consoles into a directory and
	// returns the command.
	prepare func(b *bench, dir string, consoles int) ([]string, error)
	drives  bool // it has a console behind it
	ours    bool
}

// subjects are the columns of the tables about servers.
var subjects = []subject{
	{name: "ps4kit", prepare: prepareOurs, drives: true, ours: true},
	{name: "hap-nodejs", prepare: prepareHAPNode},
	{name: "homebridge-playstation", prepare: prepareHomebridge, drives: true},
}

func subjectNames() (names []string) {
	for _, s := range subjects {
		names = append(names, s.name)
	}
	return names
}

// title returns the id of input k. The first two inputs of ps4kit are its own.
func title(k int) string { return fmt.Sprintf("CUSA%05d", k) }

func prepareOurs(b *bench, dir string, consoles int) ([]string, error) {
	var c strings.Builder
	fmt.Fprintf(&c, "console_key: %s\nweb: {listen: %q}\nhomekit: {port: %d, interfaces: [%s], slots: %d}\npoll: {interval: %v}\nconsoles:\n",
		b.key, pageAddr, firstPort, netns.Interface, inputs, b.poll)
	for _, console := range b.consoles[:consoles] {
		fmt.Fprintf(&c, "  - {host_id: %s, address: %s, name: %q, credential: %s, setup_code: %s, titles: [",
			console.HostID(), console.Addr().Addr(), console.Name(), credential, setupCode)
		for k := 3; k <= inputs; k++ {
			fmt.Fprintf(&c, "{id: %s, name: Title %d}, ", title(k), k)
		}
		c.WriteString("]}\n")
	}
	config := filepath.Join(dir, "config.yaml")
	return []string{b.program, "--config", config, "--state-dir", filepath.Join(dir, "state"), "serve"}, os.WriteFile(config, []byte(c.String()), 0o600)
}

func prepareHAPNode(b *bench, dir string, consoles int) ([]string, error) {
	return []string{
		"node", filepath.Join(b.npm, "television.js"), dir,
		strconv.Itoa(consoles), strconv.Itoa(firstPort), strconv.Itoa(inputs), setupCode,
	}, nil
}

// prepareHomebridge lets the plug-in find the consoles by itself. It polls as
// often as ps4kit.
func prepareHomebridge(b *bench, dir string, consoles int) ([]string, error) {
	type app struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	var apps []app
	for k := 2; k <= inputs; k++ { // the plug-in adds one input of its own
		apps = append(apps, app{title(k), fmt.Sprintf("Title %d", k)})
	}
	config, err := json.Marshal(map[string]any{
		"bridge":    map[string]any{"name": "Bench", "username": "02:50:53:34:10:00", "port": bridgePort, "pin": setupCode, "advertiser": "ciao"},
		"ports":     map[string]int{"start": firstPort, "end": firstPort + consoles - 1},
		"platforms": []any{map[string]any{"platform": "playstation", "name": "playstation", "pollInterval": b.poll.Milliseconds(), "apps": apps}},
	})
	if err != nil {
		return nil, err
	}
	modules := filepath.Join(b.npm, "node_modules")
	words := []string{
		"node", filepath.Join(modules, "homebridge", "bin", "homebridge"), "--user-storage-path", dir,
		"--plugin-path", filepath.Join(modules, "homebridge-playstation"), "--strict-plugin-resolution", "--no-qrcode",
	}
	return words, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600)
}

// server is a running subject.
type server struct {
	subject
	ports []uint16
	cmd   *exec.Cmd
	began time.Time
	said  bytes.Buffer // to be read only after it has ended
	ended chan struct{}

	listening, ready, announced time.Duration // since began
}

// launch starts a subject for a number of consoles and waits until all of it
// listens and is announced. In a directory that was used before, it is a warm
// start.
func (b *bench) launch(ctx context.Context, s subject, dir string, consoles int) (*server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	words, err := s.prepare(b, dir, consoles)
	if err != nil {
		return nil, err
	}
	srv := &server{subject: s, ended: make(chan struct{})}
	for i := range consoles {
		srv.ports = append(srv.ports, uint16(firstPort+i)) //nolint:gosec // at most firstPort+64
	}
	srv.cmd = exec.Command(words[0], words[1:]...) //nolint:gosec,noctx // stop ends it
	srv.cmd.Dir = dir
	srv.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "NODE_ENV=production"}
	srv.cmd.Stdout, srv.cmd.Stderr = &srv.said, &srv.said
	srv.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.announced.forget()
	srv.began = time.Now()
	if err := srv.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = srv.cmd.Wait(); close(srv.ended) }()
	if err := srv.watchStart(ctx, b.announced); err != nil {
		err = errors.Join(fmt.Errorf("%s with %d consoles did not start: %w", s.name, consoles, err), srv.stop())
		said := srv.said.Bytes()
		return nil, fmt.Errorf("%w\n%s", err, said[max(0, len(said)-2000):])
	}
	return srv, nil
}

func (s *server) watchStart(ctx context.Context, a *announcements) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ready := make(chan time.Duration, 1)
	go func() {
		if s.ours && until(ctx, pageReady) {
			ready <- time.Since(s.began)
		}
		close(ready)
	}()
	for _, port := range s.ports {
		if !until(ctx, accepts(port)) {
			return fmt.Errorf("port %d does not listen: %w", port, ctx.Err())
		}
	}
	s.listening = time.Since(s.began)
	s.ready = <-ready
	if !until(ctx, func(context.Context) bool { return a.has(s.ports) }) {
		return fmt.Errorf("not announced: %w", ctx.Err())
	}
	s.announced = a.last().Sub(s.began)
	return nil
}

func pageReady(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+pageAddr+"/readyz", nil)
	if err != nil {
		return false
	}
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func accepts(port uint16) func(context.Context) bool {
	return func(ctx context.Context) bool {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address(port))
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	}
}

func address(port uint16) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// stop ends the server as a service manager does. It fails if the server ended
// before that.
func (s *server) stop() error {
	select {
	case <-s.ended:
		return fmt.Errorf("%s has ended by itself: %v", s.name, s.cmd.ProcessState)
	default:
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopLimit):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	return nil
}

// memory returns the resident memory of the server, and how much of it is
// anonymous, in MB.
func (s *server) memory() (resident, anonymous float64, err error) {
	rollup := file(fmt.Sprintf("/proc/%d/smaps_rollup", s.cmd.Process.Pid))
	resident, err = megabytes(rollup, "Rss:")
	if err == nil {
		anonymous, err = megabytes(rollup, "Anonymous:")
	}
	return resident, anonymous, err
}

func megabytes(text, key string) (float64, error) {
	kb, err := strconv.Atoi(field(text, key))
	if err != nil {
		return 0, fmt.Errorf("memory, %s %w", key, err)
	}
	return float64(kb) / 1024, nil
}

// cpu returns the CPU time that the server uses over a time, in percent of one
// core.
func (s *server) cpu(ctx context.Context, over time.Duration) (float64, error) {
	const schedClock = 2 // CPUCLOCK_SCHED of Linux's posix-timers.h
	var before, after unix.Timespec
	clock := int32(^s.cmd.Process.Pid<<3 | schedClock) //nolint:gosec // a pid has 22 bits
	if err := unix.ClockGettime(clock, &before); err != nil {
		return 0, err
	}
	start := time.Now()
	if !pause(ctx, over) {
		return 0, ctx.Err()
	}
	err := unix.ClockGettime(clock, &after)
	return 100 * float64(after.Nano()-before.Nano()) / float64(time.Since(start)), err
}
