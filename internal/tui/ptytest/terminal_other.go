//go:build !linux

package ptytest

import (
	"context"
	"os/exec"
)

// Terminal is a pseudo terminal with a program on it.
type Terminal struct{}

// Start fails with ErrUnsupported.
func Start(*exec.Cmd, uint16, uint16) (*Terminal, error) { return nil, ErrUnsupported }

// Send types keys.
func (*Terminal) Send(string) error { return ErrUnsupported }

// Resize gives the terminal another size.
func (*Terminal) Resize(uint16, uint16) error { return ErrUnsupported }

// Await waits for a text.
func (*Terminal) Await(context.Context, string) (string, error) { return "", ErrUnsupported }

// End waits for the program to end.
func (*Terminal) End() (string, error) { return "", ErrUnsupported }

// Restored says whether the mode is as it was.
func (*Terminal) Restored() bool { return false }
