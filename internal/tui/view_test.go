package tui_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/tui"
)

// places are the keys that lead to each place of the screen.
var places = map[string][]string{
	"remote": nil, "consoles": {"tab"}, "titles": {"/"}, "search": {"/", "nothing like it"},
	"text": {"t"}, "error": {"s"},
}

func TestEveryPlaceFitsEveryTerminal(t *testing.T) {
	t.Parallel()
	for name, keys := range places {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(den)
			f.titles = library()
			f.keyboard = api.Keyboard{Text: strings.Repeat("long text ", 20)}
			f.fails["standby"] = &api.Error{Message: strings.Repeat("long error ", 30), Hint: strings.Repeat("long hint ", 30)}
			withScreen(t, tui.Options{Client: clientOf(f)}, func(t *testing.T, s *screen) {
				s.typeKeys(keys...)
				for _, size := range [][2]int{{80, 24}, {40, 24}, {40, 12}, {200, 60}, {20, 8}, {7, 3}, {1, 1}} {
					s.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
					checkFits(t, name, s.model.View().Content, size[0], size[1])
				}
			})
		})
	}
}

// styling matches the escape sequences that the screen uses itself.
var styling = regexp.MustCompile(`\x1b\[(1|7|31|32|33|90)?m`)

// checkFits fails when a view does not fill the terminal exactly, or is wider, or holds
// anything that could drive the terminal.
func checkFits(t *testing.T, name, view string, width, height int) {
	t.Helper()
	lines := strings.Split(styling.ReplaceAllString(view, ""), "\n")
	if len(lines) != height {
		t.Errorf("%s in %dx%d has %d rows:\n%s", name, width, height, len(lines), view)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w > width {
			t.Errorf("%s in %dx%d: a row of %d columns: %q", name, width, height, w, l)
		}
		if i := strings.IndexFunc(l, func(r rune) bool {
			return r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
		}); i >= 0 {
			t.Errorf("%s: a control character in %q", name, l)
		}
	}
}

// TestFortyColumnsLoseNothing: the narrow screen still says all that the keys do.
func TestFortyColumnsLoseNothing(t *testing.T) {
	f := newFake(den)
	onScreen(t, f, func(t *testing.T, s *screen) {
		s.shows("↑", "←")
		s.send(tea.WindowSizeMsg{Width: 40, Height: 24})
		s.hides("↑", "…")
		s.shows("Den", "192.168.1.20", "● awake  Netflix (CUSA00129)", "arrows", "PS held", "type text", "consoles", "quit", "quit now")
		s.typeKeys("t")
		s.hides("…")
	})
}

// FuzzNamesFromTheNetwork puts any bytes where consoles, titles and errors have text.
func FuzzNamesFromTheNetwork(f *testing.F) {
	f.Add("Den", 40, 12)
	f.Add("\x1b[2J\x1b]0;title\x07", 80, 24)
	f.Add("\u202eneD\u2066", 30, 10)
	f.Add("D\u200be\u2060n\ufeff\u2028", 30, 10)
	f.Add("日本語 ゲーム 👩‍👩‍👧", 9, 20)
	f.Add("a\u0301\u0301\u200d\ufe0f", 3, 9)
	f.Add("\xff\xfe\n\r\t\u009b31m", 60, 24)
	f.Fuzz(func(t *testing.T, text string, width, height int) {
		if len(text) > 1000 || width < 1 || height < 1 || width > 300 || height > 100 {
			t.Skip("no terminal is like that, or too long for a fast run")
		}
		synctest.Test(t, func(t *testing.T) {
			b := newFake(api.Console{HostID: "A", Name: text, Address: text, State: api.StateAwake, TitleID: text, TitleName: text},
				api.Console{HostID: "B", Name: text, HostType: text, State: text})
			b.titles = []api.Title{{ID: text, Name: text, Title: text}}
			b.keyboard = api.Keyboard{Text: text}
			b.fails["standby"] = &api.Error{Message: text, Hint: text}
			withScreen(t, tui.Options{Client: clientOf(b)}, func(t *testing.T, s *screen) {
				s.send(tea.WindowSizeMsg{Width: width, Height: height})
				checkFits(t, "consoles", s.model.View().Content, width, height)
				for _, keys := range [][]string{{"enter"}, {"s"}, {"/"}, {"enter"}, {"t"}, {"left"}} {
					s.typeKeys(keys...)
					checkFits(t, keys[0], s.model.View().Content, width, height)
				}
			})
		})
	})
}
