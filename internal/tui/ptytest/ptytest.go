// Package ptytest runs a program on a terminal of its own, so that a test can type
// and see what a person would. The terminal answers no questions.
package ptytest

import "errors"

// ErrUnsupported means that this machine has no pseudo terminals, or this package does
// not know how to have one.
var ErrUnsupported = errors.New("no pseudo terminals here")
