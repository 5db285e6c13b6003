// Package ptytest runs a program on a pseudo terminal, so that a test can type and
// read what a person would. The terminal answers no queries.
package ptytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// ErrUnsupported means that this machine has no pseudo terminals.
var ErrUnsupported = errors.New("no pseudo terminals here")

// Terminal is a pseudo terminal with a program on it.
type Terminal struct {
	emulator      *os.File
	child         *exec.Cmd
	before, after *term.State

	mu    sync.Mutex
	out   bytes.Buffer
	wrote chan struct{} // holds a value when there is new output
	ended chan struct{} // closed at the end of the output
}

// Start starts cmd on a terminal of that size. It fails with ErrUnsupported if
// there is none. The caller must call End; use exec.CommandContext to bound the
// time that it takes.
func Start(cmd *exec.Cmd, width, height uint16) (*Terminal, error) {
	emulator, device, err := pty.Open()
	if err != nil {
		return nil, errors.Join(ErrUnsupported, err)
	}
	defer device.Close()
	t := &Terminal{emulator: emulator, child: cmd, wrote: make(chan struct{}, 1), ended: make(chan struct{})}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = device, device, device
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = t.Resize(width, height)
	if err == nil {
		t.before, err = term.GetState(int(emulator.Fd()))
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_ = emulator.Close()
		return nil, err
	}
	go t.read()
	return t, nil
}

// Resize gives the terminal another size.
func (t *Terminal) Resize(width, height uint16) error {
	return pty.Setsize(t.emulator, &pty.Winsize{Cols: width, Rows: height})
}

// Send types keys.
func (t *Terminal) Send(keys string) error {
	_, err := io.WriteString(t.emulator, keys)
	return err
}

// Hangup sends what the program gets when the terminal closes.
func (t *Terminal) Hangup() error { return t.child.Process.Signal(syscall.SIGHUP) }

// read collects the output until no process has the terminal open.
func (t *Terminal) read() {
	defer close(t.ended)
	buf := make([]byte, 4096)
	for {
		n, err := t.emulator.Read(buf)
		t.mu.Lock()
		t.out.Write(buf[:n])
		t.mu.Unlock()
		select {
		case t.wrote <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// Await waits for text in the output, escape sequences included. It consumes the
// output up to and including text, and returns the part before it.
func (t *Terminal) Await(ctx context.Context, text string) (before string, err error) {
	for {
		if before, ok := t.take(text); ok {
			return before, nil
		}
		select {
		case <-t.wrote:
		case <-ctx.Done():
			return "", fmt.Errorf("the terminal does not show %q: %w", text, ctx.Err())
		}
	}
}

func (t *Terminal) take(text string) (before string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, rest, ok := strings.Cut(t.out.String(), text)
	if ok {
		t.out.Reset()
		t.out.WriteString(rest)
	}
	return before, ok
}

// AwaitMode waits until the program has changed the mode of the terminal, as it
// does to read a password.
func (t *Terminal) AwaitMode(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond) // nothing tells of it
	defer tick.Stop()
	for {
		now, err := term.GetState(int(t.emulator.Fd()))
		if err != nil || *now != *t.before {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the mode of the terminal does not change: %w", ctx.Err())
		}
	}
}

// End waits for the program to exit and returns the rest of its output and the
// program's error.
func (t *Terminal) End() (rest string, err error) {
	err = t.child.Wait()
	<-t.ended
	t.after, _ = term.GetState(int(t.emulator.Fd()))
	_ = t.emulator.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.String(), err
}

// Restored reports, after End, whether the program left the terminal in the mode
// it found.
func (t *Terminal) Restored() bool { return t.after != nil && *t.after == *t.before }
