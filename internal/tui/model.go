package tui

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	web "github.com/ps4kit/ps4kit/internal/api"
)

// place is what the middle of the screen shows.
type place int

const (
	atRemote place = iota
	atConsoles
	atTitles
	atText
	atHelp
)

// model is the whole screen. Update returns the next one; nothing else changes it.
type model struct {
	backend Backend
	work    *work
	limit   time.Duration // for one command; 0: none
	style   styles
	first   tea.Cmd // asks for what the screen begins with
	width   int     // columns; 0 until the terminal has said
	height  int     // rows

	at      place
	turn    int          // counts changes of at, so that a late answer is known as such
	loading bool         // the place waits for its content, and keys are held meanwhile
	held    []tea.KeyMsg // typed while loading, for when that ends

	host     string      // how the backend names the console; empty until one is chosen
	console  web.Console // as it was last seen
	poll     poll
	queue    queue
	notice   notice
	quitting bool // as soon as the queue is empty

	consoles consoleList
	titles   titleList
	text     textEntry
}

func newModel(o Options, w *work) model {
	m := model{backend: o.Backend, work: w, limit: o.Limit, style: newStyles(o.Out), host: o.Host}
	if m.host == "" {
		m.first = m.openConsoles(false)
	} else {
		m.first = m.ask()
	}
	return m
}

// Init implements tea.Model.
func (m model) Init() tea.Cmd { return m.first }

// Update implements tea.Model.
func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.take(msg)
	return m, cmd
}

func (m *model) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		return m.typed(msg)
	case consolesMsg:
		return m.gotConsoles(msg)
	case entryMsg:
		m.gotEntry(msg)
	case titlesMsg:
		return m.gotTitles(msg)
	case statusMsg:
		return m.gotStatus(msg)
	case pollMsg:
		return m.pollDue(msg)
	case doneMsg:
		return m.commandDone(msg)
	case secondMsg:
		return m.secondPassed(msg)
	}
	return nil
}

// goTo shows another place. Answers to what the last one asked come too late then.
func (m *model) goTo(p place) {
	m.at = p
	m.turn++
	m.loading, m.held = false, nil
}

// load shows a place that waits for an answer, and returns the turn that the answer
// must belong to.
func (m *model) load(p place) (turn int) {
	m.goTo(p)
	m.loading = true
	return m.turn
}

// loaded ends the waiting and takes the keys that were typed meanwhile.
func (m *model) loaded() tea.Cmd {
	keys := m.held
	m.loading, m.held = false, nil
	cmds := make([]tea.Cmd, 0, len(keys))
	for _, k := range keys {
		cmds = append(cmds, m.key(k))
	}
	return tea.Batch(cmds...)
}
