package tui

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
)

// typed takes what the terminal sent at once: of fast typing, several letters come
// as one message.
func (m *model) typed(msg tea.KeyMsg) tea.Cmd {
	if msg.Type != tea.KeyRunes || msg.Paste || msg.Alt {
		return m.key(msg)
	}
	cmds := make([]tea.Cmd, 0, len(msg.Runes))
	for _, r := range msg.Runes {
		cmds = append(cmds, m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}))
	}
	return tea.Batch(cmds...)
}

// key takes one key, or one paste.
func (m *model) key(msg tea.KeyMsg) tea.Cmd {
	switch name := msg.String(); {
	case name == "ctrl+c", m.quitting && name == "q":
		return tea.Quit
	case m.quitting:
		return nil
	case name == "ctrl+z":
		return tea.Suspend
	case m.loading && name != "esc":
		m.held = append(slices.Clip(m.held), msg)
		return nil
	}
	switch m.at {
	case atConsoles:
		return m.consolesKey(msg)
	case atTitles:
		return m.titlesKey(msg)
	case atText:
		return m.textKey(msg)
	case atHelp:
		m.goTo(atRemote)
		return nil
	}
	return m.remoteKey(msg)
}

// button is the button of the console that a key presses, if it presses one. Terminals
// send ctrl+h for backspace and ctrl+j for enter, some of them.
func button(key string) string {
	switch key {
	case "up", "down", "left", "right", "enter":
		return key
	case "ctrl+j":
		return "enter"
	case "backspace", "ctrl+h":
		return "back"
	case "o":
		return "option"
	case "p":
		return "ps"
	case "h":
		return "ps_hold"
	case "c":
		return "cancel"
	}
	return ""
}

func (m *model) remoteKey(msg tea.KeyMsg) tea.Cmd {
	name := msg.String()
	if b := button(name); b != "" {
		return m.do(command{keys: []string{b}})
	}
	switch name {
	case "w":
		return m.wake()
	case "s":
		return m.standby()
	case "/":
		return m.openTitles()
	case "t":
		return m.openText()
	case "x":
		m.stop()
	case "tab":
		return m.openConsoles(false)
	case "?":
		m.goTo(atHelp)
	case "esc":
		m.notice = notice{}
	case "q":
		return m.quit()
	}
	return nil
}

func (m *model) wake() tea.Cmd {
	b, host := m.backend, m.host
	return m.do(command{doing: "waking up", done: "woken up", run: func(ctx context.Context) error {
		return b.Wake(ctx, host, true)
	}})
}

func (m *model) standby() tea.Cmd {
	b, host := m.backend, m.host
	return m.do(command{doing: "going into rest mode", done: "in rest mode", run: func(ctx context.Context) error {
		return b.Standby(ctx, host)
	}})
}

// quit ends the program when what was typed before has been done.
func (m *model) quit() tea.Cmd {
	m.quitting = true
	return m.next()
}
