package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// NewScreen returns the screen without a terminal. It hands messages to send; end
// stops its goroutines.
func NewScreen(o Options, send func(tea.Msg)) (screen tea.Model, end func()) {
	m := newModel(context.Background(), o)
	m.send = send
	return m, m.close
}

// Line is the line editor.
type Line struct{ line }

func NewLine(text string, limit int) *Line { return &Line{newLine(text, limit)} }

func (l *Line) Edit(key, text string) bool { return l.edit(input{key, text}) }
func (l *Line) Text() string               { return l.text() }
func (l *Line) Units() int                 { return l.units() }
func (l *Line) Caret() int                 { return l.caret }

// Limits that tests name.
const (
	KeysPerCall  = keysPerCall
	PollInterval = pollInterval
	PollLimit    = pollLimit
	SearchTime   = searchTime
)
