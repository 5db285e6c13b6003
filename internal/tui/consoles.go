package tui

import (
	"context"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// searchTime is how long consoles may take to answer a search.
const searchTime = 3 * time.Second

// consoleList is the list to choose a console from.
type consoleList struct {
	list
	all []entry
}

// entry is a console and how the backend names it.
type entry struct {
	host string
	api.Console
}

// openConsoles lists the known consoles; those on the network if none is known or
// search is set.
func (m *model) openConsoles(search bool) {
	m.load(atConsoles)
	m.findConsoles(search)
}

func (m *model) findConsoles(search bool) {
	visit := m.visit
	m.consoles = consoleList{}
	m.background(func() func() {
		found, err := find(m.ctx, m.backend, search)
		return func() {
			if visit == m.visit {
				m.gotConsoles(found, err)
			}
		}
	})
}

func find(ctx context.Context, b Backend, search bool) (entries []entry, err error) {
	if !search {
		known, err := b.Consoles(ctx)
		for _, c := range known {
			entries = append(entries, entry{c.HostID, c})
		}
		if err != nil || len(entries) > 0 {
			return entries, err
		}
	}
	found, err := b.Search(ctx, searchTime)
	for _, c := range found {
		entries = append(entries, entry{c.Address, c}) // the backend may not know its host id yet
	}
	return entries, err
}

// gotConsoles chooses a console if it is the only one. Otherwise the user chooses,
// and keys typed before the list appeared are dropped.
func (m *model) gotConsoles(found []entry, err error) {
	if err != nil {
		m.tellError(err)
		found = nil
	}
	if len(found) == 1 && m.host == "" {
		m.choose(found[0])
		return
	}
	m.loading, m.held = false, nil
	m.consoles.all = found
	visit := m.visit
	for i, e := range found {
		if m.isShown(e) {
			m.consoles.cursor = i
		}
		m.background(func() func() {
			console, err := m.status(m.ctx, e.host)
			return func() {
				if err == nil && visit == m.visit {
					found[i].Console = console
				}
			}
		})
	}
}

// isShown reports whether e is the console on the remote.
func (m *model) isShown(e entry) bool {
	return m.host != "" && (e.host == m.host || e.HostID == m.console.HostID)
}

// choose shows the remote of e and handles the keys typed ahead.
func (m *model) choose(e entry) {
	if m.isShown(e) {
		m.refreshStatus()
	} else {
		m.host, m.console, m.statusErr = e.host, e.Console, nil
		m.watch()
	}
	m.at = atRemote
	m.visit++
	m.loaded()
}

func (m *model) consolesKey(key string) {
	if m.consoles.move(key, len(m.consoles.all)) {
		return
	}
	switch key {
	case "enter":
		if len(m.consoles.all) > 0 {
			m.choose(m.consoles.all[m.consoles.cursor])
		}
	case "r":
		m.openConsoles(true)
	case "esc", "tab":
		if m.host != "" {
			m.goTo(atRemote)
		}
	case "q":
		m.quit()
	}
}
