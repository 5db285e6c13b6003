package tui

import (
	"context"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
)

// titleList is the list of titles and its search line.
type titleList struct {
	list
	all    []api.Title
	search line
}

func (m *model) openTitles() {
	visit, host := m.load(atTitles), m.host
	m.titles = titleList{}
	m.background(func() func() {
		titles, err := m.backend.Titles(m.ctx, host)
		return func() {
			switch {
			case visit != m.visit:
			case err != nil:
				m.tellError(err)
				m.goTo(atRemote)
			default:
				m.titles.all = slices.DeleteFunc(titles, func(t api.Title) bool { return t.ID == "HOME" || t.ID == "OTHER" })
				m.loaded()
			}
		}
	})
}

// found returns the titles whose names or id contain every word of the search.
// Titles hidden from HomeKit appear only in a search.
func (l *titleList) found() (found []api.Title) {
	words := strings.Fields(strings.ToLower(l.search.text()))
	for _, t := range l.all {
		if (len(words) > 0 || !t.Hidden) && matches(t, words) {
			found = append(found, t)
		}
	}
	return found
}

// matches skips the ids for short words, because most ids start with CUSA.
func matches(t api.Title, words []string) bool {
	names, id := strings.ToLower(t.Name+"\n"+t.Title), strings.ToLower(t.ID)
	for _, w := range words {
		if !strings.Contains(names, w) && (len(w) < len("CUSA") || !strings.Contains(id, w)) {
			return false
		}
	}
	return true
}

func (m *model) titlesKey(in input) {
	found := m.titles.found()
	switch {
	case in.key == "esc":
		m.goTo(atRemote)
	case in.key == "enter":
		if len(found) > 0 {
			m.startTitle(found[m.titles.cursor])
		}
	case m.titles.move(in.key, len(found)):
	case m.titles.search.edit(in):
		m.titles.cursor = 0
	}
}

func (m *model) startTitle(t api.Title) {
	m.goTo(atRemote)
	host, name := m.host, clean(t.Name)
	m.do(command{doing: "starting " + name, done: "started " + name, run: func(ctx context.Context) error {
		return m.backend.Start(ctx, host, t.ID, false)
	}})
}
