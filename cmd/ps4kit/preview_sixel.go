package main

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

// sixelAnswer is how long a terminal may take to say what it can; every one that is
// not dumb answers at once, over a slow line within this.
const sixelAnswer = time.Second

// A questioned terminal is one that can be asked.
type questioned interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
}

// askSixel asks the controlling terminal whether it can show sixels. Where it cannot
// be asked it cannot.
func askSixel() (can bool) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer func() { _ = tty.Close() }()
	raw, err := tty.SyscallConn() // Fd would make deadlines impossible
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		before, err := term.MakeRaw(int(fd))
		if err != nil {
			return
		}
		defer func() { _ = term.Restore(int(fd), before) }()
		can = speaksSixel(tty)
	})
	return can
}

// speaksSixel sends the question for the primary device attributes (DA1) and looks for
// attribute 4 in the answer, which is sixel graphics.
func speaksSixel(tty questioned) bool {
	if tty.SetReadDeadline(time.Now().Add(sixelAnswer)) != nil {
		return false
	}
	if _, err := io.WriteString(tty, "\x1b[c"); err != nil {
		return false
	}
	answer := regexp.MustCompile(`\x1b\[\?([0-9;]*)c`)
	var heard []byte
	for part := make([]byte, 64); len(heard) < 1024; {
		n, err := tty.Read(part)
		heard = append(heard, part[:n]...)
		if found := answer.FindSubmatch(heard); found != nil {
			return slices.Contains(strings.Split(string(found[1]), ";"), "4")
		}
		if err != nil {
			return false
		}
	}
	return false
}
