package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// Television is an entry of `homekit list -o json`.
type Television struct {
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

// Binary returns the program under test: $PS4KIT_BIN, or one that is built once.
func Binary(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("PS4KIT_BIN"); p != "" {
		return p
	}
	binary.once.Do(func() {
		binary.path = filepath.Join(os.TempDir(), fmt.Sprintf("ps4kit-e2e-%d", os.Getpid()))
		out, err := exec.Command("go", "build", "-o", binary.path, "github.com/ps4kit/ps4kit/cmd/ps4kit").CombinedOutput() //nolint:noctx // as long as it takes
		if err != nil {
			binary.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// Main is the TestMain of a package that uses Binary.
func Main(m *testing.M) {
	code := m.Run()
	if binary.path != "" {
		_ = os.Remove(binary.path)
	}
	os.Exit(code)
}

// Server is a running `ps4kit serve`.
type Server struct {
	t    *testing.T
	cmd  *exec.Cmd
	Log  fmt.Stringer
	dir  string
	done chan error

	Televisions []Television // what it serves once it is ready
}

// StartServer runs `ps4kit serve -o json` with its files in dir, and waits until
// it is ready.
func StartServer(t *testing.T, dir string, arguments ...string) *Server {
	t.Helper()
	return StartServerAs(t, nil, Binary(t), dir, arguments...)
}

// StartServerAs is StartServer for another account; nil is the account of the
// test.
func StartServerAs(t *testing.T, account *syscall.Credential, program, dir string, arguments ...string) *Server {
	t.Helper()
	s := &Server{t: t, dir: dir, done: make(chan error, 1)}
	s.cmd = exec.Command(program, append(s.Globals(), append([]string{"serve", "-o", "json", "-v"}, arguments...)...)...) //nolint:noctx // Stop ends it
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	s.cmd.Env = CleanEnv(dir)
	log := &lockedBuffer{}
	s.Log, s.cmd.Stderr = log, log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("log of ps4kit serve:\n%s", s.Log)
		}
	})
	ready := make(chan error, 1)
	go func() {
		var printed []Television
		ready <- json.NewDecoder(out).Decode(&printed)
		_, _ = io.Copy(io.Discard, out)
		s.done <- s.cmd.Wait()
	}()
	select {
	case err := <-ready:
		if err != nil {
			t.Fatalf("ps4kit serve: %v\n%s", err, s.Log)
		}
	case <-time.After(Patience):
		t.Fatalf("ps4kit serve is not ready after %v\n%s", Patience, s.Log)
	}
	s.Televisions = s.List()
	return s
}

// Page returns the address of the web page, as the log has it.
func (s *Server) Page() string {
	s.t.Helper()
	at := regexp.MustCompile(`web page is served.*address="?([0-9.:]+)`).FindStringSubmatch(s.Log.String())
	if at == nil {
		s.t.Fatalf("the log does not tell where the page is:\n%s", s.Log)
	}
	return at[1]
}

// Globals returns the flags by which a command finds the files of the server.
func (s *Server) Globals() []string {
	return []string{"--config", filepath.Join(s.dir, "config.yaml"), "--state-dir", filepath.Join(s.dir, "state")}
}

// CleanEnv returns an environment for ps4kit that ignores the machine's own.
func CleanEnv(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
}

// Stop ends the server as systemd does. It fails the test if that takes more
// than 2 s.
func (s *Server) Stop() {
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
	case <-time.After(Patience):
		s.t.Errorf("ps4kit serve does not stop")
		_ = s.cmd.Process.Kill()
	}
	s.done = nil
}

// Run runs a command beside the server, which must succeed, and returns what it
// prints.
func (s *Server) Run(words ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(s.t), append(s.Globals(), words...)...)
	cmd.Env = CleanEnv("/nonexistent")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("ps4kit %s: %v\n%s", strings.Join(words, " "), err, &stderr)
	}
	return string(out)
}

// List returns what `ps4kit homekit list` prints.
func (s *Server) List() (tvs []Television) {
	s.t.Helper()
	out := s.Run("homekit", "list", "-o", "json")
	if err := json.Unmarshal([]byte(out), &tvs); err != nil {
		s.t.Fatalf("homekit list: %v in %s", err, out)
	}
	return tvs
}

// WaitFor waits until a simulated console is as wanted.
func WaitFor(t *testing.T, console *ps4test.Console, what string, wanted func(ps4test.Snapshot) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if now, err := console.WaitFor(ctx, wanted); err != nil {
		t.Fatalf("waiting for %s: %v; console: %+v", what, err, now)
	}
}

// WriteFile writes a file that only its owner may read, and returns its path.
func WriteFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lockedBuffer is a log that a test may read while the server writes it.
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
