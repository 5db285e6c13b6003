package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// logbook reads the server's log: it has to be quiet, and must never tell of a panic.
type logbook struct {
	keep io.WriteCloser // nil: nowhere

	mu     sync.Mutex
	lines  int
	counts map[string]int // by level and message, and error if there is one
	again  map[string]int // the same line within quiet, in one life
	tail   []string
}

// quiet is how long a line must not be repeated: the server folds what it says again.
const quiet = 5 * time.Minute

// tailLines is how many of the last lines are shown when the server ends by itself.
const tailLines = 30

func newLogbook(file string) (*logbook, error) {
	l := &logbook{counts: map[string]int{}, again: map[string]int{}}
	if file == "" {
		return l, nil
	}
	f, err := os.Create(file) //nolint:gosec // the user's choice
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	l.keep = f
	return l, nil
}

// life returns where one life of the server logs to.
func (l *logbook) life() io.Writer {
	r, w := io.Pipe()
	said := map[string]time.Time{}
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			l.take(lines.Text(), said)
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	return w
}

// take notes one line; said is when this life said what.
func (l *logbook) take(line string, said map[string]time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keep != nil {
		_, _ = fmt.Fprintln(l.keep, line)
	}
	l.lines++
	l.tail = append(l.tail, line)
	if len(l.tail) > tailLines {
		l.tail = l.tail[1:]
	}
	fields := map[string]any{}
	if json.Unmarshal([]byte(line), &fields) != nil {
		l.counts["not of the log: "+line]++
		return
	}
	delete(fields, "time")
	whole, _ := json.Marshal(fields)
	l.counts[fmt.Sprintf("%v: %v %v", fields["level"], fields["msg"], orNothing(fields["error"]))]++
	if before, found := said[string(whole)]; found && time.Since(before) < quiet {
		l.again[string(whole)]++
		return
	}
	said[string(whole)] = time.Now()
}

func orNothing(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// last returns the last lines.
func (l *logbook) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return "\n" + strings.Join(l.tail, "\n")
}

func (l *logbook) close() {
	if l.keep != nil {
		_ = l.keep.Close()
	}
}
