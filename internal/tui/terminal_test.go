package tui_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/tui"
	"github.com/ps4kit/ps4kit/internal/tui/ptytest"
)

// terminalLimit is how long a child process may take; it needs milliseconds.
const terminalLimit = 30 * time.Second

// terminal is a child process on a terminal of its own.
type terminal struct {
	*ptytest.Terminal
	t   *testing.T
	ctx context.Context
}

// onTerminal starts this test binary in a mode.
func onTerminal(t *testing.T, mode string, env ...string) terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), terminalLimit)
	child := exec.CommandContext(ctx, self)
	child.Env = append([]string{childMode + "=" + mode, "PATH=" + os.Getenv("PATH")}, env...)
	term, err := ptytest.Start(child, 80, 24)
	if errors.Is(err, ptytest.ErrUnsupported) {
		cancel()
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cancel)
	return terminal{term, t, ctx}
}

func (term terminal) await(text string) (before string) {
	term.t.Helper()
	before, err := term.Await(term.ctx, text)
	if err != nil {
		rest, _ := term.End()
		term.t.Fatalf("%v but %q", err, rest)
	}
	return before
}

func (term terminal) send(keys string) {
	term.t.Helper()
	if err := term.Send(keys); err != nil {
		term.t.Fatal(err)
	}
}

func (term terminal) end() string {
	term.t.Helper()
	rest, err := term.End()
	if err != nil {
		term.t.Fatalf("the child: %v: %s", err, rest)
	}
	return rest
}

func TestRunOnATerminal(t *testing.T) {
	t.Parallel()
	term := onTerminal(t, "run", "TERM=xterm-256color")
	term.await("Netflix")
	term.send("\x1b[B\x1b[Boo") // down down, then two letters in one read
	term.await("pressed")
	if err := term.Resize(40, 12); err != nil {
		t.Fatal(err)
	}
	term.await("arrows")
	term.send("?")
	term.await("another console")
	term.send(" q")
	rest := term.end()
	if !strings.Contains(rest, "\x1b[?1049l") || !strings.Contains(rest, "\x1b[?25h") {
		t.Errorf("it does not leave the full screen with a visible cursor: %q", rest)
	}
	if !term.Restored() {
		t.Error("it leaves the terminal in another mode")
	}
}

// colours matches what sets colours and other looks of text.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func TestColours(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		env  []string
		want bool
	}{
		{"colour", []string{"TERM=xterm-256color"}, true},
		{"NO_COLOR", []string{"TERM=xterm-256color", "NO_COLOR=1"}, false},
		{"a terminal without", []string{"TERM=vt100"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			term := onTerminal(t, "run", tt.env...)
			out := term.await("quit")
			term.send("q")
			if out += term.end(); colours.MatchString(out) != tt.want {
				t.Errorf("colours should be %v: %q", tt.want, out)
			}
		})
	}
}

// TestStartingAsksTheTerminalNothing: see package hush. The library would write its
// question and wait 5 s for an answer before main begins, in every verb.
func TestStartingAsksTheTerminalNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ env, want string }{
		{"TERM=xterm-256color", "TERM is xterm-256color\r\n"}, {"X=", "TERM is \r\n"},
	} {
		if out := onTerminal(t, "start", tt.env).end(); out != tt.want {
			t.Errorf("with %s the terminal got %q, want %q", tt.env, out, tt.want)
		}
	}
}

func TestRunEndsWithItsContextAndWaits(t *testing.T) {
	t.Parallel()
	f := newFake(den)
	f.takes["consoles"], f.lingers = time.Hour, 20*time.Millisecond
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	shown := &signal{seen: make(chan struct{})}
	go func() { done <- tui.Run(ctx, tui.Options{Backend: f, In: in, Out: shown}) }()
	<-shown.seen
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if f.set(func() {}); len(f.cancelled) != 1 {
		t.Errorf("Run returned before the backend did: %v", f.cancelled)
	}
}

// signal is a writer that tells of the first thing that a screen shows.
type signal struct {
	once sync.Once
	seen chan struct{}
}

func (s *signal) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("Looking")) {
		s.once.Do(func() { close(s.seen) })
	}
	return len(b), nil
}
