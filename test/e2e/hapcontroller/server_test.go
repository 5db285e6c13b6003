package hapcontroller_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// television is an entry of `homekit list -o json`.
type television struct {
	Name        string `json:"name"`
	HostID      string `json:"host_id"`
	DeviceID    string `json:"device_id"`
	Address     string `json:"address"`
	Port        int    `json:"port"`
	SetupCode   string `json:"setup_code"`
	SetupID     string `json:"setup_id"`
	SetupURI    string `json:"setup_uri"`
	Paired      bool   `json:"paired"`
	Controllers []struct {
		ID    string `json:"id"`
		Admin bool   `json:"admin"`
	} `json:"controllers"`
}

var binary struct {
	once sync.Once
	path string
	err  error
}

// ps4kitBinary is the program under test: $PS4KIT_BIN, or built once.
func ps4kitBinary(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("PS4KIT_BIN"); p != "" {
		return p
	}
	binary.once.Do(func() {
		binary.path = filepath.Join(os.TempDir(), fmt.Sprintf("ps4kit-e2e-%d", os.Getpid()))
		out, err := exec.Command("go", "build", "-o", binary.path, "../../../cmd/ps4kit").CombinedOutput()
		if err != nil {
			binary.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binary.path != "" {
		_ = os.Remove(binary.path)
	}
	os.Exit(code)
}

// server is a running `ps4kit serve`.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *lockedBuffer
	dir  string
	done chan error

	televisions []television // what it served when it was ready
}

// startServer runs `ps4kit serve -o json` on loopback only, with its files in dir
// and the given arguments, and waits until it says that it is ready.
func startServer(t *testing.T, dir string, arguments ...string) *server {
	t.Helper()
	return startServerAs(t, nil, ps4kitBinary(t), dir, arguments...)
}

// startServerAs is startServer for another account; nil is the test's own.
func startServerAs(t *testing.T, account *syscall.Credential, program, dir string, arguments ...string) *server {
	t.Helper()
	s := &server{t: t, dir: dir, log: &lockedBuffer{}, done: make(chan error, 1)}
	s.cmd = exec.Command(program, append(s.globals(), append([]string{"serve", "-o", "json", "-v"}, arguments...)...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	s.cmd.Env = cleanEnv(dir)
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("log of ps4kit serve:\n%s", s.log)
		}
	})
	ready := make(chan error, 1)
	go func() {
		var printed []television
		ready <- json.NewDecoder(out).Decode(&printed)
		_, _ = io.Copy(io.Discard, out)
		s.done <- s.cmd.Wait()
	}()
	select {
	case err := <-ready:
		if err != nil {
			t.Fatalf("ps4kit serve: %v\n%s", err, s.log)
		}
	case <-time.After(patience):
		t.Fatalf("ps4kit serve is not ready after %v\n%s", patience, s.log)
	}
	s.televisions = s.list()
	return s
}

func (s *server) globals() []string {
	return []string{"--config", filepath.Join(s.dir, "config.yaml"), "--state-dir", filepath.Join(s.dir, "state")}
}

func cleanEnv(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
}

// stop ends the server as systemd does, and demands that it takes under 2 s.
func (s *server) stop() {
	if s.cmd.ProcessState != nil || s.done == nil {
		return
	}
	begin := time.Now()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.done:
		if err != nil {
			s.t.Errorf("ps4kit serve ended with %v", err)
		}
		if took := time.Since(begin); took > 2*time.Second {
			s.t.Errorf("ps4kit serve took %v to stop", took)
		}
	case <-time.After(patience):
		s.t.Errorf("ps4kit serve does not stop")
		_ = s.cmd.Process.Kill()
	}
	s.done = nil
}

// list runs `ps4kit homekit list -o json` beside the server.
func (s *server) list() []television {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, ps4kitBinary(s.t), append(s.globals(), "homekit", "list", "-o", "json")...)
	cmd.Env = cleanEnv(s.dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("homekit list: %v\n%s", err, &stderr)
	}
	var tvs []television
	if err := json.Unmarshal(out, &tvs); err != nil {
		s.t.Fatalf("homekit list: %v in %s", err, out)
	}
	return tvs
}

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lockedBuffer is a log that a test may read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
