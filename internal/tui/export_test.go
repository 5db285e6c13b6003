package tui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"
)

// NewScreen returns the screen without a terminal; end stops what it runs.
func NewScreen(o Options) (screen tea.Model, end func()) {
	w := newWork(context.Background())
	return newModel(o, w), w.close
}

// Line is the line editor.
type Line struct{ line }

func NewLine(text string, limit int) *Line { return &Line{newLine(text, limit)} }

func (l *Line) Edit(msg tea.KeyMsg) bool { return l.edit(msg) }
func (l *Line) Text() string             { return l.text() }
func (l *Line) Units() int               { return l.units() }
func (l *Line) Caret() int               { return l.caret }

// Limits that tests name.
const (
	KeysPerCall  = keysPerCall
	PollInterval = pollInterval
	PollLimit    = pollLimit
	SearchTime   = searchTime
)
