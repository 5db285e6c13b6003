package tui

import (
	"io"

	"github.com/charmbracelet/lipgloss"
)

// styles are the colours, of the 16 that each terminal has and its user has chosen.
// Without colour (NO_COLOR, a terminal that has none) they change nothing, so none of
// them says anything that the text does not.
type styles struct {
	title, dim, good, rest, bad, cursor lipgloss.Style
}

func newStyles(out io.Writer) styles {
	r := lipgloss.NewRenderer(out)
	colour := func(number string) lipgloss.Style { return r.NewStyle().Foreground(lipgloss.Color(number)) }
	return styles{
		title:  r.NewStyle().Bold(true),
		dim:    colour("8"),
		good:   colour("2"),
		rest:   colour("3"),
		bad:    colour("1"),
		cursor: r.NewStyle().Reverse(true),
	}
}
