package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
)

// noticeRows bounds the rows of an error, and of its hint.
const noticeRows = 3

// Colors are the terminal's own 16. Text never relies on them: Bubble Tea removes
// them if NO_COLOR is set or the terminal has none.
func dim(s string) string    { return colored(s, ansi.BrightBlack) }
func green(s string) string  { return colored(s, ansi.Green) }
func yellow(s string) string { return colored(s, ansi.Yellow) }
func red(s string) string    { return colored(s, ansi.Red) }
func bold(s string) string   { return ansi.NewStyle().Bold().Styled(s) }

func colored(s string, c ansi.Color) string { return ansi.NewStyle().ForegroundColor(c).Styled(s) }

// View implements tea.Model. It fills the terminal exactly.
func (m *model) View() tea.View {
	head, foot := m.head(), m.foot()
	rows := max(0, m.height-len(head)-len(foot))
	var body []string
	switch m.at {
	case atConsoles:
		body = m.consolesBody(rows)
	case atTitles:
		body = m.titlesBody(rows)
	case atText:
		body = m.textBody()
	default:
		body = remoteBody(m.width)
	}
	for len(body) < rows {
		body = append(body, "")
	}
	lines := append(append(head, body[:rows]...), foot...)
	lines = lines[:min(len(lines), m.height)]
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, m.width, "…")
	}
	return tea.View{Content: strings.Join(lines, "\n"), AltScreen: true}
}

// head shows the console's name, address and state.
func (m *model) head() []string {
	if m.host == "" {
		return []string{bold("ps4kit"), "", ""}
	}
	name, address := text.Line(m.console.Name), text.Line(m.console.Address)
	if name == "" {
		name = text.Line(m.host)
	}
	gap := m.width - ansi.StringWidth(name) - ansi.StringWidth(address)
	if gap < 2 {
		gap, address = 0, ""
	}
	return []string{bold(name) + strings.Repeat(" ", gap) + dim(address), state(m.console), ""}
}

// state shows the state and the running title.
func state(c api.Console) string {
	switch {
	case c.State == api.StateStandby:
		return yellow("◐ rest mode")
	case c.State == api.StateUnreachable:
		return red("○ not reachable")
	case c.State != api.StateAwake:
		return dim("… asking")
	case c.TitleID == "":
		return green("● awake") + "  no title running"
	case c.TitleName == "":
		return green("● awake") + "  " + text.Line(c.TitleID)
	}
	return green("● awake") + "  " + text.Line(c.TitleName) + " (" + text.Line(c.TitleID) + ")"
}

// foot shows what is running, and the latest outcome or error.
func (m *model) foot() []string {
	activity := m.queue.String()
	switch {
	case activity == "":
	case m.queue.quitting:
		activity += "; q quits at once"
	case m.at == atRemote:
		activity += dim("  x stops")
	}
	n, style := m.notice, dim
	if n.text == "" && m.statusErr != nil {
		n = errorNotice(m.statusErr)
	}
	if n.bad {
		style = red
	}
	lines := []string{"", activity}
	for _, l := range wrap(n.text, m.width) {
		lines = append(lines, style(l))
	}
	for _, l := range wrap(n.hint, m.width-2) {
		lines = append(lines, "  "+l)
	}
	return lines
}

// wrap breaks the text of a notice into the rows that it may take.
func wrap(s string, width int) []string {
	s = text.Line(s)
	if s == "" || width < 1 {
		return nil
	}
	lines := prose(width, s)
	return lines[:min(len(lines), noticeRows)]
}

// prose breaks a paragraph into lines.
func prose(width int, s string) []string { return strings.Split(ansi.Wrap(s, width, ""), "\n") }

// remoteBody shows the keys in two columns that fit into 40, and a cross where
// there is room.
func remoteBody(width int) []string {
	lines := []string{
		"arrows     move      w       wake up",
		"enter      Enter     s       rest mode",
		"backspace  Back      /       titles",
		"o          Options   t       type text",
		"p          PS        tab     consoles",
		"h          PS held   x       stop",
		"c          Cancel    q       quit",
		"                     ctrl+c  quit now",
	}
	if width >= 64 {
		for i, cross := range []string{"", "", "     ↑", "   ←   →", "     ↓", "", "", ""} {
			lines[i] = fmt.Sprintf("%-16s%s", cross, lines[i])
		}
	}
	return lines
}

func (m *model) consolesBody(rows int) []string {
	switch {
	case m.loading:
		return []string{"Looking for consoles…"}
	case len(m.consoles.all) == 0:
		return append(prose(m.width, "No console found. Is it on, or in rest mode with the network connected?"), "", dim("r search again   q quit"))
	}
	lines := []string{"Which console?", ""}
	from, to := m.consoles.window(len(m.consoles.all), rows-4)
	for i, e := range m.consoles.all[from:to] {
		entry := text.Line(e.Name) + "  " + text.Line(e.Address) + "  "
		switch e.State {
		case api.StateStandby:
			entry += "rest mode"
		case api.StateUnreachable:
			entry += "not reachable"
		default:
			entry += text.Line(e.State)
		}
		if e.HostType != "" && e.HostType != "PS4" {
			entry += "  " + text.Line(e.HostType)
		}
		lines = append(lines, row(entry, from+i == m.consoles.cursor))
	}
	return append(lines, "", dim("enter choose   r search   q quit"))
}

// row is a line of a list. The arrow marks the cursor on terminals without colors.
func row(entry string, chosen bool) string {
	if chosen {
		return ansi.NewStyle().Reverse(true).Styled("> " + entry)
	}
	return "  " + entry
}

func (m *model) titlesBody(rows int) []string {
	if m.loading {
		return []string{"Reading the titles…"}
	}
	found := m.titles.found()
	lines := []string{field("Search: ", &m.titles.search, m.width), ""}
	from, to := m.titles.window(len(found), rows-4)
	for i, t := range found[from:to] {
		entry := text.Line(t.Name) + "  " + text.Line(t.ID)
		switch {
		case t.ID == m.console.TitleID:
			entry += "  running"
		case t.Hidden:
			entry += "  hidden"
		}
		lines = append(lines, row(entry, from+i == m.titles.cursor))
	}
	switch {
	case len(m.titles.all) == 0:
		lines = append(lines, prose(m.width, "No titles yet. Play one, or add it with ps4kit titles add.")...)
	case len(found) == 0:
		lines = append(lines, "No title matches.")
	}
	return append(lines, "", dim("enter start   esc back"))
}

func (m *model) textBody() []string {
	if m.loading {
		return []string{"Waiting for the console's keyboard…"}
	}
	count := fmt.Sprintf("%d characters", m.text.units())
	if m.text.limit > 0 {
		count = fmt.Sprintf("%d of %d characters", m.text.units(), m.text.limit)
	}
	return []string{
		"Text on the console's keyboard", "",
		field("> ", &m.text, m.width), "",
		dim(count), "",
		dim("enter  submit      tab     set only"),
		dim("esc    back        ctrl+x  close it"),
	}
}

// field shows the part of a line around its caret that fits.
func field(label string, l *line, width int) string {
	before := text.Clean(string(l.runes[:l.caret]))
	room := max(1, width-ansi.StringWidth(label)-1)
	if over := ansi.StringWidth(before) - room; over > 0 {
		before = ansi.TruncateLeft(before, over+1, "…")
	}
	return label + before + "▏" + text.Clean(string(l.runes[l.caret:]))
}
