package tui_test

import (
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ps4kit/ps4kit/internal/tui"
)

// screen drives the model as Bubble Tea does, in the false time of synctest: commands
// run beside it, and their messages come back one after the other.
type screen struct {
	t     *testing.T
	model tea.Model

	mu   sync.Mutex
	msgs []tea.Msg
	quit bool
}

// onScreen runs test with a screen of 80 columns and 24 rows, when it has started.
func onScreen(t *testing.T, f *fake, test func(t *testing.T, s *screen)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { withScreen(t, tui.Options{Backend: f}, test) })
}

func withScreen(t *testing.T, o tui.Options, test func(t *testing.T, s *screen)) {
	o.Out = io.Discard
	model, end := tui.NewScreen(o)
	defer end()
	s := &screen{t: t, model: model}
	s.run(model.Init())
	s.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	s.settle()
	test(t, s)
}

// send updates the model without waiting for what comes of it.
func (s *screen) send(msg tea.Msg) {
	var cmd tea.Cmd
	s.model, cmd = s.model.Update(msg)
	s.run(cmd)
}

func (s *screen) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.msgs = append(s.msgs, msg)
	}()
}

// settle handles messages until all that could happen without time passing has.
func (s *screen) settle() {
	for {
		synctest.Wait()
		s.mu.Lock()
		msgs := s.msgs
		s.msgs = nil
		s.mu.Unlock()
		if len(msgs) == 0 {
			return
		}
		for _, msg := range msgs {
			s.handle(msg)
		}
	}
}

func (s *screen) handle(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			s.run(cmd)
		}
	case tea.QuitMsg:
		s.quit = true
	default:
		s.send(msg)
	}
}

// pass lets time go by.
func (s *screen) pass(d time.Duration) {
	const step = 50 * time.Millisecond
	for ; d > 0; d -= step {
		time.Sleep(min(d, step))
		s.settle()
	}
}

// names are the keys that are not letters.
var names = map[string]tea.KeyType{
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "enter": tea.KeyEnter,
	"backspace": tea.KeyBackspace, "ctrl+h": tea.KeyCtrlH, "ctrl+j": tea.KeyCtrlJ, "esc": tea.KeyEsc, "tab": tea.KeyTab,
	"ctrl+c": tea.KeyCtrlC, "ctrl+x": tea.KeyCtrlX, "ctrl+u": tea.KeyCtrlU, "ctrl+w": tea.KeyCtrlW, "ctrl+z": tea.KeyCtrlZ,
	"home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "delete": tea.KeyDelete,
}

// keyMsg is a key by its name, or else letters that were typed in one go.
func keyMsg(key string) tea.KeyMsg {
	if kind, ok := names[key]; ok {
		return tea.KeyMsg{Type: kind}
	}
	if key == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune(key)}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(key)}
}

// typeKeys types without waiting in between, then lets everything settle.
func (s *screen) typeKeys(keys ...string) {
	for _, k := range keys {
		s.send(keyMsg(k))
	}
	s.settle()
}

func (s *screen) shows(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.model.View(), text) {
			s.t.Errorf("the screen does not show %q:\n%s", text, s.model.View())
		}
	}
}

func (s *screen) hides(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.model.View(), text) {
			s.t.Errorf("the screen shows %q:\n%s", text, s.model.View())
		}
	}
}

// wantCalls compares the calls that acted on a console since the last time.
func wantCalls(t *testing.T, f *fake, want ...string) {
	t.Helper()
	if got := strings.Join(f.did(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("calls:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}
