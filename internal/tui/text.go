package tui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// textEntry edits the text of the console's on-screen keyboard.
type textEntry struct{ line line }

// openText asks for the text that the keyboard holds, after what was typed before,
// which may open it. Keys are held until the answer comes.
func (m *model) openText() tea.Cmd {
	turn, b, host := m.load(atText), m.backend, m.host
	m.text = textEntry{}
	var keyboard web.Keyboard
	return m.do(command{
		doing: "asking for the keyboard",
		run: func(ctx context.Context) (err error) {
			keyboard, err = b.Keyboard(ctx, host)
			return err
		},
		then: func(m *model, err error) tea.Cmd {
			switch {
			case m.turn != turn:
				return nil
			case err != nil:
				m.goTo(atRemote)
				return nil
			}
			m.text.line = newLine(keyboard.Text, keyboard.MaxLength)
			return m.loaded()
		},
	})
}

func (m *model) textKey(msg tea.KeyMsg) tea.Cmd {
	b, host, text := m.backend, m.host, m.text.line.text()
	switch name := msg.String(); {
	case name == "esc":
		m.goTo(atRemote)
	case name == "enter" || name == "ctrl+j":
		return m.sendText("entering the text", "entered the text", func(ctx context.Context) error {
			return b.Submit(ctx, host, &text)
		})
	case name == "tab":
		return m.sendText("setting the text", "set the text", func(ctx context.Context) error {
			return b.SetText(ctx, host, text)
		})
	case name == "ctrl+x":
		return m.sendText("closing the keyboard", "closed the keyboard", func(ctx context.Context) error {
			return b.CloseKeyboard(ctx, host)
		})
	default:
		m.text.line.edit(msg)
	}
	return nil
}

// sendText goes back to the remote when run has succeeded. When it has not, the text
// stays, to be sent again, and keys typed meanwhile, which were for the remote, are
// dropped.
func (m *model) sendText(doing, done string, run func(context.Context) error) tea.Cmd {
	turn := m.load(atText)
	return m.do(command{doing: doing, done: done, run: run, then: func(m *model, err error) tea.Cmd {
		switch {
		case m.turn != turn:
			return nil
		case err != nil:
			m.loading, m.held = false, nil
			return nil
		}
		m.at = atRemote
		return m.loaded()
	}})
}
