package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"
)

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := raw(stream).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// raw returns the stream behind a textWriter, or the stream itself.
func raw[T any](stream T) T {
	if text, ok := any(stream).(textWriter); ok {
		stream, _ = text.to.(T)
	}
	return stream
}

// textWriter writes text, results and logs alike, with its invisible characters
// escaped: names from the network can contain some that reverse or hide what
// follows. Names are cleaned before; this is the last line of defence. A Write
// must not end within a character.
type textWriter struct{ to io.Writer }

// Write implements io.Writer.
func (w textWriter) Write(text []byte) (int, error) {
	if _, err := w.to.Write(escapeInvisible(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escapeInvisible replaces Unicode's format characters (U+202E, zero-width ones)
// and line separators by escapes such as \u202e, which JSON has too.
func escapeInvisible(text []byte) []byte {
	invisible := func(r rune) bool { return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }
	if bytes.IndexFunc(text, invisible) < 0 {
		return text
	}
	var safe []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if invisible(r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				safe = fmt.Appendf(safe, "\\u%04x", unit)
			}
		} else {
			safe = append(safe, text[:size]...)
		}
		text = text[size:]
	}
	return safe
}

// maxLine is the maximum length of an answer, in bytes.
const maxLine = 8 << 10

var errNoInput = errors.New("nothing was entered")

// ask reads a line of stdin, after showing the question on a terminal.
func (p *program) ask(ctx context.Context, question string) (string, error) {
	if isTerminal(p.stdin) {
		_, _ = fmt.Fprint(p.stderr, question)
	}
	return await(ctx, func() (string, error) {
		line, err := readLine(p.stdin)
		return line, asUsage(err)
	})
}

// askSecret reads a line from the terminal without echo. If ctx ends first, the
// terminal echoes again.
func (p *program) askSecret(ctx context.Context, question string) (string, error) {
	fd := int(raw(p.stdin).(*os.File).Fd()) //nolint:forcetypeassert // the caller checked isTerminal
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("the terminal: %w", err)
	}
	_, _ = fmt.Fprint(p.stderr, question)
	defer func() { _, _ = fmt.Fprintln(p.stderr) }()
	defer func() { _ = term.Restore(fd, before) }()
	return await(ctx, func() (string, error) {
		line, err := term.ReadPassword(fd)
		return strings.TrimSpace(string(line)), err
	})
}

// await returns what read returns, or why ctx ended if it ends first. Then the
// goroutine that reads stays behind until the program ends: nothing can
// interrupt the read of a terminal.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	var line string
	var err error
	done := make(chan struct{})
	go func() {
		line, err = read()
		close(done)
	}()
	select {
	case <-done:
		return line, err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// readLine reads byte by byte, to leave what follows the line to the next
// question.
func readLine(r io.Reader) (string, error) {
	var line []byte
	buf := make([]byte, 1)
	for len(line) <= maxLine {
		n, err := r.Read(buf)
		if n == 1 && buf[0] != '\n' {
			line = append(line, buf[0])
			continue
		}
		text := strings.TrimSpace(string(line))
		switch {
		case n == 1 || err == io.EOF && text != "":
			return text, nil
		case err == io.EOF:
			return "", errNoInput
		case err != nil:
			return "", fmt.Errorf("reading the standard input: %w", err)
		}
	}
	return "", fmt.Errorf("a line of more than %d bytes", maxLine)
}

// clearLine moves the cursor to the start of a terminal's line and clears it.
const clearLine = "\r\x1b[K"

// progress shows on stderr what a verb waits for and for how long, once that
// takes more than a second and if stderr is a terminal. Call stop before
// printing anything else; it may be called again. For "" it shows nothing.
func (p *program) progress(what string) (stop func()) {
	if what == "" || !isTerminal(p.stderr) {
		return func() {}
	}
	return showProgress(p.stderr, what)
}

func showProgress(w io.Writer, what string) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for seconds := 1; ; seconds++ {
			select {
			case <-tick.C:
				_, _ = fmt.Fprintf(w, "%s%s … %d s", clearLine, what, seconds)
			case <-quit:
				if seconds > 1 {
					_, _ = io.WriteString(w, clearLine)
				}
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-ended
	})
}
