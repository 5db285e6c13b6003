package tui_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/tui"
	"github.com/ps4kit/ps4kit/test/ptytest"
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
	term.send("t")
	term.await("> ")
	term.send("\r")
	term.await("entered the text")
	term.send("q")
	rest := term.end()
	if !strings.Contains(rest, "\x1b[?1049l") || !strings.Contains(rest, "\x1b[?25h") {
		t.Errorf("it does not leave the full screen with a visible cursor: %q", rest)
	}
	if !term.Restored() {
		t.Error("it leaves the terminal in another mode")
	}
}

// colors matches escape sequences that set a color, and no bold or reverse text.
var colors = regexp.MustCompile(`\x1b\[(3|4|9|10)[0-9][0-9;]*m`)

func TestColors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		env  []string
		want bool
	}{
		{"color", []string{"TERM=xterm-256color"}, true},
		{"NO_COLOR", []string{"TERM=xterm-256color", "NO_COLOR=1"}, false},
		{"dumb", []string{"TERM=dumb"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			term := onTerminal(t, "run", tt.env...)
			out := term.await("quit")
			term.send("q")
			if out += term.end(); colors.MatchString(out) != tt.want {
				t.Errorf("colors should be %v: %q", tt.want, out)
			}
		})
	}
}

// TestStartingAsksTheTerminalNothing: Bubble Tea 1 queried the terminal in every
// verb before main began, and waited 5 s for a terminal that doesn't answer.
func TestStartingAsksTheTerminalNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ env, want string }{
		{"TERM=xterm-256color", "TERM is xterm-256color\r\n"}, {"X=", "TERM is \r\n"},
	} {
		quiet := "GOCOVERDIR=" + t.TempDir() // or -cover warns on the terminal
		if out := onTerminal(t, "start", tt.env, quiet).end(); out != tt.want {
			t.Errorf("with %s the terminal got %q, want %q", tt.env, out, tt.want)
		}
	}
}

func TestRunEndsWithItsContextAndWaits(t *testing.T) {
	t.Parallel()
	f := blocked{newFake(den), make(chan struct{})}
	f.takes["consoles"], f.lingers = time.Hour, 20*time.Millisecond
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tui.Run(ctx, tui.Options{Client: clientOf(f), In: in, Out: io.Discard}) }()
	<-f.began
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if f.set(func() {}); len(f.cancelled) != 1 {
		t.Errorf("Run returned before the backend did: %v", f.cancelled)
	}
}

// blocked tells when the list of consoles is requested.
type blocked struct {
	*fake
	began chan struct{}
}

func (b blocked) Consoles(ctx context.Context, in api.None) ([]api.Console, error) {
	close(b.began)
	return b.fake.Consoles(ctx, in)
}
