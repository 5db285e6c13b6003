package tui_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ps4kit/ps4kit/internal/tui"
)

// screen drives the model as Bubble Tea does, in the fake time of synctest: one
// message after the other.
type screen struct {
	t     *testing.T
	model tea.Model

	mu    sync.Mutex
	msgs  []tea.Msg
	shown string // since the latest message
	quit  bool
}

// newScreen returns a screen that has not started yet.
func newScreen(t *testing.T, o tui.Options) (s *screen, end func()) {
	s = &screen{t: t}
	s.model, end = tui.NewScreen(o, func(msg tea.Msg) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.msgs = append(s.msgs, msg)
	})
	return s, end
}

// onScreen runs test with a screen of 80 columns and 24 rows, when it has started.
func onScreen(t *testing.T, f *fake, test func(t *testing.T, s *screen)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { withScreen(t, tui.Options{Client: clientOf(f)}, test) })
}

func withScreen(t *testing.T, o tui.Options, test func(t *testing.T, s *screen)) {
	s, end := newScreen(t, o)
	defer end()
	s.model.Init()
	s.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	s.settle()
	test(t, s)
}

// send updates the model without waiting for what comes of it.
func (s *screen) send(msg tea.Msg) {
	if msg == nil { // Bubble Tea ignores it
		return
	}
	_, cmd := s.model.Update(msg)
	if cmd != nil && cmd() == tea.Quit() {
		s.quit = true
	}
	s.shown = s.model.View().Content
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
			s.send(msg)
		}
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

// codes are the keys without characters.
var codes = map[string]rune{
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "enter": tea.KeyEnter,
	"backspace": tea.KeyBackspace, "esc": tea.KeyEsc, "tab": tea.KeyTab, "home": tea.KeyHome, "end": tea.KeyEnd,
	"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "delete": tea.KeyDelete,
}

// keyPresses returns the presses of a key given by its name, or of the characters
// of a text.
func keyPresses(key string) (msgs []tea.Msg) {
	if code, ok := codes[key]; ok {
		return []tea.Msg{tea.KeyPressMsg{Code: code}}
	}
	if letter, ok := strings.CutPrefix(key, "ctrl+"); ok {
		return []tea.Msg{tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}}
	}
	for _, r := range key {
		msgs = append(msgs, tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return msgs
}

// typeKeys types without waiting in between, then lets everything settle.
func (s *screen) typeKeys(keys ...string) {
	for _, k := range keys {
		for _, msg := range keyPresses(k) {
			s.send(msg)
		}
	}
	s.settle()
}

// view returns the screen without colors.
func (s *screen) view() string { return ansi.Strip(s.shown) }

func (s *screen) shows(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.view(), text) {
			s.t.Errorf("the screen does not show %q:\n%s", text, s.view())
		}
	}
}

func (s *screen) hides(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.view(), text) {
			s.t.Errorf("the screen shows %q:\n%s", text, s.view())
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
