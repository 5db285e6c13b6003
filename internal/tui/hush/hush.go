// Package hush keeps a command quiet while it starts.
//
// Bubble Tea 1 asks the terminal for its background colour while packages are
// initialised, so in every verb of the program and not in `interactive` alone. It
// eats what was typed ahead, and waits up to 5 s for a terminal that does not
// answer, such as a serial console. There is no option against that; but it asks
// nothing of a terminal that calls itself dumb (termenv, termStatusReport).
//
// Go initialises the first package, by import path, whose imports are initialised.
// This one imports os alone, while Bubble Tea waits for libraries that come later in
// that order, so it is always first. A test of internal/tui fails when it is not.
// Version 2 of Bubble Tea does not ask: with it this package can go.
package hush

import "os"

const (
	variable = "TERM"
	quiet    = "dumb"
)

var before, wasSet = calm()

// calm makes the terminal a dumb one and returns what it was.
func calm() (string, bool) {
	value, ok := os.LookupEnv(variable)
	_ = os.Setenv(variable, quiet)
	return value, ok
}

// Restore makes the environment what it was before the program started.
func Restore() error {
	if !wasSet {
		return os.Unsetenv(variable)
	}
	return os.Setenv(variable, before)
}
