package ptytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo terminal with a program on it.
type Terminal struct {
	emulator, device *os.File // its two ends
	child            *exec.Cmd
	before, after    unix.Termios // the mode before and after the program

	mu    sync.Mutex
	out   bytes.Buffer
	wrote chan struct{} // holds a value when there is new output
	ended chan struct{} // closed at the end of the output
}

// Start starts cmd on a terminal of that size. It fails with ErrUnsupported where there
// is none. End must be called; a cmd of exec.CommandContext bounds the time it takes.
func Start(cmd *exec.Cmd, width, height uint16) (*Terminal, error) {
	t := &Terminal{child: cmd, wrote: make(chan struct{}, 1), ended: make(chan struct{})}
	err := t.open()
	if err == nil {
		err = t.Resize(width, height)
	}
	if err == nil {
		t.before, err = t.mode()
	}
	if err != nil {
		t.close()
		return nil, errors.Join(ErrUnsupported, err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.device, t.device, t.device
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.close()
		return nil, err
	}
	go t.read()
	return t, nil
}

func (t *Terminal) open() error {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	t.emulator = os.NewFile(uintptr(fd), "emulator")
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return err
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return err
	}
	t.device, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	return err
}

func (t *Terminal) close() {
	for _, f := range []*os.File{t.device, t.emulator} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// control calls do with the descriptor of one end, and leaves it as it is otherwise.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return errors.Join(raw.Control(func(fd uintptr) { err = do(int(fd)) }), err)
}

func (t *Terminal) mode() (mode unix.Termios, err error) {
	err = control(t.device, func(fd int) error {
		m, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			mode = *m
		}
		return err
	})
	return mode, err
}

// Resize gives the terminal another size.
func (t *Terminal) Resize(width, height uint16) error {
	return control(t.emulator, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height})
	})
}

// Send types keys.
func (t *Terminal) Send(keys string) error {
	_, err := io.WriteString(t.emulator, keys)
	return err
}

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

// Await waits for a text in the output, escape sequences included, and returns and
// forgets the output up to it.
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

// End waits for the program to end and returns the rest of its output. It fails as the
// program does.
func (t *Terminal) End() (rest string, err error) {
	err = t.child.Wait()
	t.after, _ = t.mode()
	_ = t.device.Close()
	<-t.ended
	_ = t.emulator.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.String(), err
}

// Restored says, after End, whether the program left the terminal in the mode in which
// it found it.
func (t *Terminal) Restored() bool { return t.after == t.before }
