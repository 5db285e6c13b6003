// Package tui is `ps4kit interactive`: a remote control that fills the terminal.
//
//	Den                              192.168.1.20
//	● awake  Netflix (CUSA00129)
//
//	    ↑       arrows     move       w    wake up
//	  ←   →     enter      Enter      s    rest mode
//	    ↓       backspace  Back       /    titles
//	            ...
//
//	pressing down ×3, enter (1 s), 4 more wait
//	no answer from the console
//	  Is it switched on?
//
// The screen is a value (model) that each message turns into the next one. Calls of
// the backend are the only thing that takes time; they run beside it (work), those
// that act on a console one after the other (queue).
package tui

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	web "github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/tui/hush"
)

// The library has been initialised when this package is, so the environment can be
// as it was.
var _ = hush.Restore()

// Backend is what the screen asks of a web.Backend, which says what each call means.
type Backend interface {
	Search(ctx context.Context, wait time.Duration) ([]web.Console, error)
	Consoles(ctx context.Context) ([]web.Console, error)
	Status(ctx context.Context, host string) (web.Console, error)
	Wake(ctx context.Context, host string, wait bool) error
	Standby(ctx context.Context, host string) error
	Start(ctx context.Context, host, title string, noQuit bool) error
	Keys(ctx context.Context, host string, keys []string) error
	Keyboard(ctx context.Context, host string) (web.Keyboard, error)
	SetText(ctx context.Context, host, text string) error
	Submit(ctx context.Context, host string, text *string) error
	CloseKeyboard(ctx context.Context, host string) error
	Titles(ctx context.Context, host string) ([]web.Title, error)
}

// Options of Run. Backend is needed.
type Options struct {
	Backend Backend
	Host    string        // how the backend names the console; empty: the only one, or a list to pick from
	Limit   time.Duration // for one command; 0: as long as the backend takes
	In      io.Reader     // the terminal's keys; nil: standard input
	Out     io.Writer     // the terminal's screen; nil: standard output
}

// Run shows the remote control until the user quits or ctx is done, then puts the
// terminal back as it was and returns nil. It waits for every call of the backend
// that it began. It fails when the terminal cannot be read or set.
func Run(ctx context.Context, o Options) error {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	w := newWork(ctx)
	defer w.close()
	_, err := tea.NewProgram(newModel(o, w),
		tea.WithContext(w.ctx), tea.WithInput(o.In), tea.WithOutput(o.Out),
		tea.WithAltScreen(), tea.WithoutSignalHandler(),
	).Run()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("driving the terminal: %w", err)
	}
	return nil
}
