// Package tui implements `ps4kit interactive`, a remote control that fills the
// terminal:
//
//	Den                              192.168.1.20
//	● awake  Netflix (CUSA00129)
//
//	    ↑       arrows     move      w       wake up
//	  ←   →     enter      Enter     s       rest mode
//	    ↓       backspace  Back      /       titles
//	            ...
//
//	pressing down ×3, enter (1 s), 4 more queued
//	no answer from the console
//	  Is it switched on?
//
// The screen is a Bubble Tea model. Only Bubble Tea's event loop changes it.
// Backend calls run in goroutines of their own and send the event loop a
// function that applies their result. Commands for a console run one at a time,
// in the order typed.
package tui

import (
	"context"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Options configure Run. Host and Limit are optional.
type Options struct {
	Client *api.Client
	Host   string        // the console to control; empty: the only one, or a list to choose from
	Limit  time.Duration // timeout for one command; 0: none
	In     io.Reader     // the terminal's keys
	Out    io.Writer     // the terminal's screen
}

// Run shows the remote control until the user quits or ctx is done, then restores
// the terminal and returns nil. Every backend call has returned by then. Run
// fails if the terminal cannot be read or configured.
func Run(ctx context.Context, o Options) error {
	m := newModel(ctx, o)
	defer m.close()
	p := tea.NewProgram(m, tea.WithContext(m.ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithoutSignalHandler())
	m.send = p.Send
	if _, err := p.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("driving the terminal: %w", err)
	}
	return nil
}
