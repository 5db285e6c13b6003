package tui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// titleList is the list of titles with what is searched for.
type titleList struct {
	list
	all    []web.Title
	search line
}

// titlesMsg is the answer to openTitles.
type titlesMsg struct {
	turn int
	list []web.Title
	err  error
}

func (m *model) openTitles() tea.Cmd {
	turn, b, host := m.load(atTitles), m.backend, m.host
	m.titles = titleList{}
	return m.work.do(func(ctx context.Context) tea.Msg {
		list, err := b.Titles(ctx, host)
		return titlesMsg{turn, list, err}
	})
}

func (m *model) gotTitles(msg titlesMsg) tea.Cmd {
	if msg.turn != m.turn {
		return nil
	}
	if msg.err != nil {
		m.complain(msg.err)
		m.goTo(atRemote)
		return nil
	}
	m.titles.all = startable(msg.list)
	return m.loaded()
}

// startable leaves out the fixed inputs: HOME is the PS key, and OTHER is whatever
// runs without being in the list.
func startable(all []web.Title) (list []web.Title) {
	for _, t := range all {
		if t.ID != "HOME" && t.ID != "OTHER" {
			list = append(list, t)
		}
	}
	return list
}

// found lists the titles that hold every word of the search in their names or id.
// Titles that are hidden from HomeKit have to be searched for.
func (l *titleList) found() (list []web.Title) {
	words := strings.Fields(strings.ToLower(l.search.text()))
	for _, t := range l.all {
		if t.Hidden && len(words) == 0 {
			continue
		}
		if matches(t, words) {
			list = append(list, t)
		}
	}
	return list
}

// idPart is how many letters of an id, which are the same in nearly all of them, say
// that it is an id that is searched for.
const idPart = len("CUSA")

func matches(t web.Title, words []string) bool {
	names, id := strings.ToLower(t.Name+"\n"+t.Title), strings.ToLower(t.ID)
	for _, w := range words {
		if !strings.Contains(names, w) && (len(w) < idPart || !strings.Contains(id, w)) {
			return false
		}
	}
	return true
}

func (m *model) titlesKey(msg tea.KeyMsg) tea.Cmd {
	found := m.titles.found()
	switch name := msg.String(); {
	case name == "esc":
		m.goTo(atRemote)
	case name == "enter" || name == "ctrl+j":
		if len(found) > 0 {
			return m.startTitle(found[m.titles.cursor])
		}
	case m.titles.move(name, len(found)):
	case m.titles.search.edit(msg):
		m.titles.cursor = 0
	}
	return nil
}

func (m *model) startTitle(t web.Title) tea.Cmd {
	m.goTo(atRemote)
	b, host, name := m.backend, m.host, clean(t.Name)
	return m.do(command{doing: "starting " + name, done: "started " + name, run: func(ctx context.Context) error {
		return b.Start(ctx, host, t.ID, false)
	}})
}
