package tui

import (
	"context"
	"errors"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ps4kit/ps4kit/internal/api"
)

// place is what the middle of the screen shows.
type place int

const (
	atRemote place = iota
	atConsoles
	atTitles
	atText
)

// model is the whole screen.
type model struct {
	client *api.Client
	limit  time.Duration // for one command; 0: none
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	send   func(tea.Msg) // delivers a message to Update
	cmd    tea.Cmd       // returned by the current Update

	width, height int // of the terminal; 0 at first

	at      place
	visit   int     // counts changes of at, to recognize late answers
	loading bool    // the place has no content yet
	held    []input // typed while loading

	host      string // how the backend names the console; empty until one is chosen
	console   api.Console
	statusErr error         // from the latest status request
	refresh   chan struct{} // asks for the status at once
	unwatch   context.CancelFunc

	queue  queue
	notice notice

	consoles consoleList
	titles   titleList
	text     line
}

func newModel(ctx context.Context, o Options) *model {
	m := &model{client: o.Client, limit: o.Limit, host: o.Host, refresh: make(chan struct{}, 1), unwatch: func() {}}
	m.ctx, m.cancel = context.WithCancel(ctx)
	if m.host == "" {
		m.load(atConsoles)
	}
	return m
}

// close stops the goroutines of the screen and waits for them. The event loop must
// have ended.
func (m *model) close() {
	m.cancel()
	m.wg.Wait()
}

// background runs f in a goroutine, then the function that f returns on the event
// loop, unless the user has gone to another place.
func (m *model) background(f func() (apply func())) {
	visit := m.visit
	m.wg.Go(func() {
		apply := f()
		m.send(func() {
			if visit == m.visit {
				apply()
			}
		})
	})
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd {
	if m.host == "" {
		m.findConsoles(false)
	} else {
		m.watch()
	}
	m.wg.Go(func() { // redraw every second, for the time that a command has taken
		for tick := time.Tick(time.Second); ; {
			select {
			case <-tick:
				m.send(func() {})
			case <-m.ctx.Done():
				return
			}
		}
	})
	return nil
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.cmd = nil
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		m.typed(input{key: msg.String(), text: msg.Text})
	case tea.PasteMsg:
		m.typed(input{text: msg.Content})
	case func():
		msg()
	}
	return m, m.cmd
}

// goTo shows another place.
func (m *model) goTo(p place) {
	m.at = p
	m.visit++
	m.loading, m.held = false, nil
}

// load shows a place that has to wait for its content.
func (m *model) load(p place) {
	m.goTo(p)
	m.loading = true
}

// loaded shows a place with its content and handles the keys typed while that
// was missing.
func (m *model) loaded(p place) {
	held := m.held
	m.goTo(p)
	for _, in := range held {
		m.typed(in)
	}
}

const (
	pollInterval = 2 * time.Second  // between an answer and the next status request
	pollLimit    = 15 * time.Second // for one status request
)

// watch polls the status of the console on screen until another one is chosen.
func (m *model) watch() {
	m.unwatch()
	ctx, cancel := context.WithCancel(m.ctx)
	m.unwatch = cancel
	host := m.host
	m.wg.Go(func() {
		defer cancel()
		for {
			console, err := m.status(ctx, host)
			m.send(func() {
				if host != m.host {
					return
				}
				if m.statusErr = err; err == nil {
					m.console = console
				}
			})
			select {
			case <-time.After(pollInterval):
			case <-m.refresh:
			case <-ctx.Done():
				return
			}
		}
	})
}

// refreshStatus polls now instead of at the end of the interval.
func (m *model) refreshStatus() {
	select {
	case m.refresh <- struct{}{}:
	default:
	}
}

var errSlow = errors.New("no answer yet; still trying")

// status requests the status of a console and gives up after pollLimit. The
// request has no deadline because the backend would use all of it to wait for a
// console that is off.
func (m *model) status(ctx context.Context, host string) (api.Console, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer time.AfterFunc(pollLimit, func() { cancel(errSlow) }).Stop()
	console, err := api.Status.Do(ctx, m.client, api.HostRequest{Host: host})
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return console, err
}

// notice is the outcome of a command, or an error with a hint.
type notice struct {
	text, hint string
	bad        bool
	after      int // an error: the number of the latest command typed before it
}

// tell shows the outcome of a command. It doesn't replace an error that appeared
// after the command was typed, so that typing ahead hides no error.
func (m *model) tell(text string, number int) {
	if !m.notice.bad || number > m.notice.after {
		m.notice = notice{text: text}
	}
}

func (m *model) tellError(err error) {
	m.notice = errorNotice(err)
	m.notice.after = m.queue.typed
}

func errorNotice(err error) notice {
	e := api.AsError(err)
	return notice{text: e.Message, hint: e.Hint, bad: true}
}

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
	button, ok := map[string]string{
		"up": "up", "down": "down", "left": "left", "right": "right", "enter": "enter", "backspace": "back",
		"o": "option", "p": "ps", "h": "ps_hold", "c": "cancel",
	}[key]
	if ok {
		m.do(command{keys: []string{button}})
		return
	}
	switch key {
	case "w":
		m.do(command{doing: "waking up", done: "woken up", run: func(ctx context.Context, host string) error {
			return api.Power.Do(ctx, m.client, api.PowerRequest{Host: host, State: api.StateAwake, Wait: true})
		}})
	case "s":
		m.do(command{doing: "entering rest mode", done: "in rest mode", run: func(ctx context.Context, host string) error {
			return api.Power.Do(ctx, m.client, api.PowerRequest{Host: host, State: api.StateStandby})
		}})
	case "/":
		m.openTitles()
	case "t":
		m.openText()
	case "x":
		if m.queue.running != nil {
			m.queue.waiting = nil
			m.queue.stop(errStopped)
		}
	case "tab":
		m.openConsoles(false)
	case "esc":
		m.notice = notice{}
	case "q":
		m.quit()
	}
}
