package tui

import (
	"context"

	"github.com/ps4kit/ps4kit/internal/api"
)

// openText queues a request for the text on the console's keyboard, because keys
// typed before may open it.
func (m *model) openText() {
	visit, host := m.load(atText), m.host
	var keyboard api.Keyboard
	m.do(command{
		doing: "opening the keyboard",
		run: func(ctx context.Context) (err error) {
			keyboard, err = m.backend.Keyboard(ctx, host)
			return err
		},
		then: func(err error) {
			switch {
			case visit != m.visit:
			case err != nil:
				m.goTo(atRemote)
			default:
				m.text = newLine(keyboard.Text, keyboard.MaxLength)
				m.loaded()
			}
		},
	})
}

func (m *model) textKey(in input) {
	b, host, text := m.backend, m.host, m.text.text()
	switch in.key {
	case "esc":
		m.goTo(atRemote)
	case "enter":
		m.sendText("entering the text", "entered the text", func(ctx context.Context) error { return b.Submit(ctx, host, &text) })
	case "tab":
		m.sendText("setting the text", "set the text", func(ctx context.Context) error { return b.SetText(ctx, host, text) })
	case "ctrl+x":
		m.sendText("closing the keyboard", "closed the keyboard", func(ctx context.Context) error { return b.CloseKeyboard(ctx, host) })
	default:
		m.text.edit(in)
	}
}

// sendText returns to the remote if run succeeds. If it fails, the text stays for
// another try, and keys typed since, which were meant for the remote, are dropped.
func (m *model) sendText(doing, done string, run func(context.Context) error) {
	visit := m.load(atText)
	m.do(command{doing: doing, done: done, run: run, then: func(err error) {
		switch {
		case visit != m.visit:
		case err != nil:
			m.loading, m.held = false, nil
		default:
			m.at = atRemote
			m.loaded()
		}
	}})
}
