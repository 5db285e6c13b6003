package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// body is the middle of the screen, of which so many rows can be seen.
func (m *model) body(width, rows int) []string {
	switch m.at {
	case atConsoles:
		return m.consolesBody(width, rows)
	case atTitles:
		return m.titlesBody(width, rows)
	case atText:
		return m.textBody(width)
	case atHelp:
		return helpBody(width)
	}
	return m.remoteBody(width)
}

// legend is what the keys do, in two columns that fit into 40.
var legend = [...][2]string{
	{"arrows     move", "w    wake up"},
	{"enter      Enter", "s    rest mode"},
	{"backspace  Back", "/    titles"},
	{"o          Options", "t    type text"},
	{"p          PS", "tab  consoles"},
	{"h          PS held", "?    help"},
	{"c          Cancel", "q    quit"},
}

// cross stands left of the legend where there is room for it.
var cross = [len(legend)]string{"", "", "     ↑", "   ←   →", "     ↓", "", ""}

const crossWidth = 64 // columns that the cross and the legend need

func (m *model) remoteBody(width int) (lines []string) {
	for i, row := range legend {
		l := fmt.Sprintf("%-21s%s", row[0], row[1])
		if width >= crossWidth {
			l = fmt.Sprintf("%-16s%s", cross[i], l)
		}
		lines = append(lines, l)
	}
	return lines
}

func (m *model) consolesBody(width, rows int) []string {
	switch {
	case m.loading:
		return []string{"Looking for consoles…"}
	case len(m.consoles.all) == 0:
		return append(prose(width, "No console was found. Is one switched on, or in rest mode with the network connected?"),
			"", m.style.dim.Render("r search again   q quit"))
	}
	lines := []string{"Which console?", ""}
	from, to := m.consoles.window(len(m.consoles.all), rows-4)
	for i, e := range m.consoles.all[from:to] {
		text := clean(e.console.Name) + "  " + clean(e.console.Address) + "  " + stateName(e.console.State)
		if e.console.HostType != "" && e.console.HostType != "PS4" {
			text += "  " + clean(e.console.HostType)
		}
		lines = append(lines, m.row(text, from+i == m.consoles.cursor))
	}
	return append(lines, "", m.style.dim.Render("enter choose   r search   q quit"))
}

func stateName(state string) string {
	switch state {
	case "standby":
		return "rest mode"
	case "unreachable":
		return "not reachable"
	}
	return clean(state)
}

// row is a line of a list; the arrow shows the cursor where there is no colour.
func (m *model) row(text string, chosen bool) string {
	if chosen {
		return m.style.cursor.Render("> " + text)
	}
	return "  " + text
}

func (m *model) titlesBody(width, rows int) []string {
	if m.loading {
		return []string{"Reading the titles…"}
	}
	found := m.titles.found()
	lines := []string{field("Search: ", &m.titles.search, width), ""}
	from, to := m.titles.window(len(found), rows-4)
	for i, t := range found[from:to] {
		text := clean(t.Name) + "  " + clean(t.ID)
		switch {
		case t.ID == m.console.TitleID:
			text += "  runs"
		case t.Hidden:
			text += "  hidden"
		}
		lines = append(lines, m.row(text, from+i == m.titles.cursor))
	}
	switch {
	case len(m.titles.all) == 0:
		lines = append(lines, prose(width, "No title is known. Play one, or add it with ps4kit titles add.")...)
	case len(found) == 0:
		lines = append(lines, "No title matches.")
	}
	return append(lines, "", m.style.dim.Render("enter start   esc back"))
}

func (m *model) textBody(width int) []string {
	if m.loading {
		return []string{"Waiting for the console's keyboard…"}
	}
	l := &m.text.line
	count := fmt.Sprintf("%d characters", l.units())
	if l.limit > 0 {
		count = fmt.Sprintf("%d of %d characters", l.units(), l.limit)
	}
	return []string{
		"Text on the console's keyboard", "",
		field("> ", l, width), "",
		m.style.dim.Render(count), "",
		m.style.dim.Render("enter  enter it    tab     only set it"),
		m.style.dim.Render("esc    leave it    ctrl+x  close it"),
	}
}

// field shows the part of a line around its caret that fits.
func field(label string, l *line, width int) string {
	before := visible(l.runes[:l.caret])
	room := max(1, width-ansi.StringWidth(label)-1)
	if over := ansi.StringWidth(before) - room; over > 0 {
		before = ansi.TruncateLeft(before, over+1, "…")
	}
	return label + before + "▏" + visible(l.runes[l.caret:])
}

// visible is clean that keeps the spaces at the ends, which are being typed.
func visible(runes []rune) string {
	return strings.TrimSuffix(strings.TrimPrefix(clean("|"+string(runes)+"|"), "|"), "|")
}

func helpBody(width int) []string {
	keys := []string{
		"w    wake up, and wait until it is on",
		"s    rest mode",
		"/    titles: type to search",
		"t    text for the console's keyboard",
		"x    forget what waits",
		"tab  another console",
		"q    quit when all is done",
		"",
	}
	text := prose(width, "Arrows, enter, backspace (Back), o (Options), p (PS), h (PS held for 2 s) and c (Cancel) press "+
		"the console's keys in the order typed, as fast as it takes them. ctrl+c quits at once.")
	return slices.Concat(keys, text, []string{"", "Any key goes back."})
}

// prose breaks a paragraph into lines.
func prose(width int, text string) []string { return strings.Split(ansi.Wrap(text, width, ""), "\n") }
