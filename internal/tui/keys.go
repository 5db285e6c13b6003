package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// input is a key press or a paste.
type input struct {
	key  string // Bubble Tea's name of the key; empty for a paste
	text string // the characters; empty for a key that has none
}

// typed handles input at the current place.
func (m *model) typed(in input) {
	switch {
	case in.key == "ctrl+c", m.queue.quitting && in.key == "q":
		m.cmd = tea.Quit
		return
	case m.queue.quitting:
		return
	case in.key == "ctrl+z":
		m.cmd = tea.Suspend
		return
	case in.key == "ctrl+j": // some terminals send it for enter
		in.key = "enter"
	case in.key == "ctrl+h": // some terminals send it for backspace
		in.key = "backspace"
	}
	if m.loading && in.key != "esc" {
		m.held = append(m.held, in)
		return
	}
	switch m.at {
	case atConsoles:
		m.consolesKey(in.key)
	case atTitles:
		m.titlesKey(in)
	case atText:
		m.textKey(in)
	default:
		m.remoteKey(in.key)
	}
}

func (m *model) remoteKey(key string) {
	b, host := m.backend, m.host
	switch key {
	case "up", "down", "left", "right", "enter":
		m.press(key)
	case "backspace":
		m.press("back")
	case "o":
		m.press("option")
	case "p":
		m.press("ps")
	case "h":
		m.press("ps_hold")
	case "c":
		m.press("cancel")
	case "w":
		m.do(command{doing: "waking up", done: "woken up", run: func(ctx context.Context) error {
			return b.Wake(ctx, host, true)
		}})
	case "s":
		m.do(command{doing: "entering rest mode", done: "in rest mode", run: func(ctx context.Context) error {
			return b.Standby(ctx, host)
		}})
	case "/":
		m.openTitles()
	case "t":
		m.openText()
	case "x":
		m.stop()
	case "tab":
		m.openConsoles(false)
	case "esc":
		m.notice = notice{}
	case "q":
		m.quit()
	}
}
