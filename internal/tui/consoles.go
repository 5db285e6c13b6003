package tui

import (
	"context"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// searchTime is how long consoles may take to answer a search.
const searchTime = 3 * time.Second

// consoleList is the list to pick a console from.
type consoleList struct {
	list
	all []entry
}

// entry is a console and how the backend names it.
type entry struct {
	host    string
	console web.Console
}

// consolesMsg is the answer to openConsoles.
type consolesMsg struct {
	turn int
	list []entry
	err  error
}

// openConsoles shows the consoles that are known; with search, or when none is, those
// that answer on the network.
func (m *model) openConsoles(search bool) tea.Cmd {
	turn, b := m.load(atConsoles), m.backend
	m.consoles = consoleList{}
	return m.work.do(func(ctx context.Context) tea.Msg {
		list, err := findConsoles(ctx, b, search)
		return consolesMsg{turn, list, err}
	})
}

func findConsoles(ctx context.Context, b Backend, search bool) (list []entry, err error) {
	if !search {
		known, err := b.Consoles(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range known {
			list = append(list, entry{c.HostID, c})
		}
		if len(list) > 0 {
			return list, nil
		}
	}
	found, err := b.Search(ctx, searchTime)
	if err != nil {
		return nil, err
	}
	for _, c := range found {
		list = append(list, entry{c.Address, c}) // the backend may not know its id yet
	}
	return list, nil
}

// gotConsoles takes the only console; of several the user chooses, and keys typed
// before the choice was on the screen choose nothing.
func (m *model) gotConsoles(msg consolesMsg) tea.Cmd {
	if msg.turn != m.turn {
		return nil
	}
	if msg.err != nil {
		m.complain(msg.err)
	}
	if len(msg.list) == 1 && m.host == "" {
		keys := m.held
		cmd := m.choose(msg.list[0])
		m.held = keys
		return tea.Batch(cmd, m.loaded())
	}
	m.loading, m.held = false, nil
	m.consoles.all = msg.list
	cmds := make([]tea.Cmd, 0, len(msg.list))
	for i, e := range msg.list {
		if m.isShown(e) {
			m.consoles.cursor = i
		}
		cmds = append(cmds, m.askEntry(i, e))
	}
	return tea.Batch(cmds...)
}

// entryMsg is how a console of the list answered just now.
type entryMsg struct {
	turn, index int
	console     web.Console
}

// askEntry brings a console of the list up to date, where it answers.
func (m *model) askEntry(index int, e entry) tea.Cmd {
	turn, b := m.turn, m.backend
	return m.work.do(func(ctx context.Context) tea.Msg {
		console, err := askOnce(ctx, b, e.host)
		if err != nil {
			return nil
		}
		return entryMsg{turn, index, console}
	})
}

func (m *model) gotEntry(msg entryMsg) {
	if msg.turn != m.turn {
		return
	}
	m.consoles.all = slices.Clone(m.consoles.all)
	m.consoles.all[msg.index].console = msg.console
}

// isShown says whether e is the console that is controlled.
func (m *model) isShown(e entry) bool {
	return m.host != "" && (e.host == m.host || e.console.HostID == m.console.HostID)
}

// choose makes e the console that is controlled.
func (m *model) choose(e entry) tea.Cmd {
	m.goTo(atRemote)
	if !m.isShown(e) {
		m.host, m.console, m.poll.err = e.host, e.console, nil
	}
	return m.ask()
}

func (m *model) consolesKey(msg tea.KeyMsg) tea.Cmd {
	name := msg.String()
	if m.consoles.move(name, len(m.consoles.all)) {
		return nil
	}
	switch name {
	case "enter", "ctrl+j":
		if len(m.consoles.all) > 0 {
			return m.choose(m.consoles.all[m.consoles.cursor])
		}
	case "r":
		return m.openConsoles(true)
	case "esc", "tab":
		if m.host != "" {
			m.goTo(atRemote)
		}
	case "q":
		return m.quit()
	}
	return nil
}
