package tui

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// The size of a terminal that does not say.
const (
	defaultWidth  = 80
	defaultHeight = 24
)

// noticeRows is how many rows an error may take, and its hint as many.
const noticeRows = 3

// View implements tea.Model: exactly as many rows as the terminal has, none wider.
func (m model) View() string {
	width, height := m.size()
	head, foot := m.head(width), m.foot(width)
	rows := height - len(head) - len(foot)
	lines := append(head, fill(m.body(width, rows), rows)...)
	lines = append(lines, foot...)
	lines = lines[:min(len(lines), height)]
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, width, "…")
	}
	return strings.Join(lines, "\n")
}

func (m *model) size() (width, height int) {
	if m.width <= 0 || m.height <= 0 {
		return defaultWidth, defaultHeight
	}
	return m.width, m.height
}

// fill makes lines as many as there are rows.
func fill(lines []string, rows int) []string {
	rows = max(0, rows)
	for len(lines) < rows {
		lines = append(lines, "")
	}
	return lines[:rows]
}

// head is the console: its name, its address, what it does.
func (m *model) head(width int) []string {
	if m.host == "" {
		return []string{m.style.title.Render("ps4kit"), "", ""}
	}
	name, address := clean(m.console.Name), clean(m.console.Address)
	if name == "" {
		name = clean(m.host)
	}
	gap := width - ansi.StringWidth(name) - ansi.StringWidth(address)
	if gap < 2 {
		gap, address = 0, ""
	}
	return []string{
		m.style.title.Render(name) + strings.Repeat(" ", gap) + m.style.dim.Render(address),
		m.state(),
		"",
	}
}

// state is the second line: the state, and the title that runs.
func (m *model) state() string {
	switch m.console.State {
	case web.StateAwake:
		return m.style.good.Render("● awake") + running(m.console)
	case web.StateStandby:
		return m.style.rest.Render("◐ rest mode")
	case web.StateUnreachable:
		return m.style.bad.Render("○ not reachable")
	}
	return m.style.dim.Render("… asking")
}

func running(c web.Console) string {
	switch {
	case c.TitleID == "":
		return "  nothing runs"
	case c.TitleName == "":
		return "  " + clean(c.TitleID)
	}
	return "  " + clean(c.TitleName) + " (" + clean(c.TitleID) + ")"
}

// foot is what happens and what happened.
func (m *model) foot(width int) []string {
	lines := []string{"", m.activity()}
	n := m.notice
	if n.text == "" && m.poll.err != nil {
		text, hint := explain(m.poll.err)
		n = notice{text: text, hint: hint, bad: true}
	}
	style := m.style.dim
	if n.bad {
		style = m.style.bad
	}
	for _, l := range wrap(n.text, width) {
		lines = append(lines, style.Render(l))
	}
	for _, l := range wrap(n.hint, width-2) {
		lines = append(lines, "  "+l)
	}
	return lines
}

// activity says what runs, or what can be done.
func (m *model) activity() string {
	switch busy := m.queue.String(); {
	case busy == "":
		return ""
	case m.quitting:
		return busy + "; q quits at once"
	case m.at == atRemote:
		return busy + m.style.dim.Render("  x stops")
	default:
		return busy
	}
}

// wrap breaks text into the few rows that a notice may take.
func wrap(text string, width int) []string {
	text = clean(text)
	if text == "" || width < 1 {
		return nil
	}
	lines := prose(width, text)
	return lines[:min(len(lines), noticeRows)]
}

// clean makes text that came over the network safe to show: no control characters,
// which could drive the terminal, and none that turn the direction of the line.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == unicode.ReplacementChar:
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s))
}
