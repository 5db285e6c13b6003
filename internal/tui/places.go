package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
)

// consoleList is the list to choose a console from.
type consoleList struct {
	list
	all []entry
}

// searchTime is how long consoles may take to answer a search.
const searchTime = 3 * time.Second

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
	m.consoles = consoleList{}
	m.background(func() func() {
		found, err := find(m.ctx, m.client, search)
		return func() { m.gotConsoles(found, err) }
	})
}

func find(ctx context.Context, client *api.Client, search bool) (entries []entry, err error) {
	if !search {
		known, err := api.Consoles.Do(ctx, client, api.None{})
		for _, c := range known {
			entries = append(entries, entry{c.HostID, c})
		}
		if err != nil || len(entries) > 0 {
			return entries, err
		}
	}
	found, err := api.Search.Do(ctx, client, api.SearchRequest{Wait: searchTime.String()})
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
	for i, e := range found {
		if m.isShown(e) {
			m.consoles.cursor = i
		}
		m.background(func() func() {
			console, err := m.status(m.ctx, e.host)
			return func() {
				if err == nil {
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
	m.loaded(atRemote)
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

// titleList is the list of titles and its search line.
type titleList struct {
	list
	all    []api.Title
	search line
}

func (m *model) openTitles() {
	m.load(atTitles)
	m.titles = titleList{}
	host := m.host
	m.background(func() func() {
		titles, err := api.Titles.Do(m.ctx, m.client, api.HostRequest{Host: host})
		return func() {
			if err != nil {
				m.tellError(err)
				m.goTo(atRemote)
				return
			}
			m.titles.all = slices.DeleteFunc(titles, func(t api.Title) bool { return t.ID == "HOME" || t.ID == "OTHER" })
			m.loaded(atTitles)
		}
	})
}

// found returns the titles whose names or id contain every word of the search.
// Titles hidden from HomeKit appear only in a search.
func (l *titleList) found() (found []api.Title) {
	words := strings.Fields(strings.ToLower(l.search.text()))
	for _, t := range l.all {
		names, id := strings.ToLower(t.Name+"\n"+t.Title), strings.ToLower(t.ID)
		missing := func(word string) bool { // ids match longer words only: most start with CUSA
			return !strings.Contains(names, word) && (len(word) < len("CUSA") || !strings.Contains(id, word))
		}
		if (len(words) > 0 || !t.Hidden) && !slices.ContainsFunc(words, missing) {
			found = append(found, t)
		}
	}
	return found
}

func (m *model) titlesKey(in input) {
	found := m.titles.found()
	switch {
	case in.key == "esc":
		m.goTo(atRemote)
	case in.key == "enter":
		if len(found) > 0 {
			m.goTo(atRemote)
			title := found[m.titles.cursor]
			name := text.Line(title.Name)
			m.do(command{doing: "starting " + name, done: "started " + name, run: func(ctx context.Context, host string) error {
				return api.Start.Do(ctx, m.client, api.StartRequest{Host: host, Title: title.ID})
			}})
		}
	case m.titles.move(in.key, len(found)):
	case m.titles.search.edit(in):
		m.titles.cursor = 0
	}
}

// openText queues a request for the text on the console's keyboard, because keys
// typed before may open it.
func (m *model) openText() {
	m.load(atText)
	var keyboard api.Keyboard
	m.do(command{
		doing: "opening the keyboard",
		run: func(ctx context.Context, host string) (err error) {
			keyboard, err = api.GetKeyboard.Do(ctx, m.client, api.HostRequest{Host: host})
			return err
		},
		then: func(err error) {
			if err != nil {
				m.goTo(atRemote)
				return
			}
			m.text = newLine(keyboard.Text, keyboard.MaxLength)
			m.loaded(atText)
		},
	})
}

func (m *model) textKey(in input) {
	typed := m.text.text()
	switch in.key {
	case "esc":
		m.goTo(atRemote)
	case "enter":
		m.sendText(command{doing: "entering the text", done: "entered the text", run: func(ctx context.Context, host string) error {
			return api.Submit.Do(ctx, m.client, api.SubmitRequest{Host: host, Text: &typed})
		}})
	case "tab":
		m.sendText(command{doing: "setting the text", done: "set the text", run: func(ctx context.Context, host string) error {
			return api.SetText.Do(ctx, m.client, api.TextRequest{Host: host, Text: &typed})
		}})
	case "ctrl+x":
		m.sendText(command{doing: "closing the keyboard", done: "closed the keyboard", run: func(ctx context.Context, host string) error {
			return api.CloseKeyboard.Do(ctx, m.client, api.HostRequest{Host: host})
		}})
	default:
		m.text.edit(in)
	}
}

// sendText returns to the remote if c succeeds. If it fails, the text stays for
// another try, and keys typed since, which were meant for the remote, are dropped.
func (m *model) sendText(c command) {
	m.load(atText)
	c.then = func(err error) {
		if err != nil {
			m.loading, m.held = false, nil
		} else {
			m.loaded(atRemote)
		}
	}
	m.do(c)
}
