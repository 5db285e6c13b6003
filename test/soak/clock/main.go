// Command clock builds ps4kit with a wall clock that signals move: SIGUSR1 an
// hour forward, SIGUSR2 an hour back. It adds an offset to the time.Now of the
// standard library, and a file to the program that handles the signals. The
// monotonic clock, and so every timer, is unchanged, as when NTP sets the clock
// of a machine.
//
//	go run ./test/soak/clock -o bin/ps4kit-clock
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The files that are added: an offset for package time, and its signals.
var (
	//go:embed offset.go.txt
	offset string
	//go:embed signals.go.txt
	signals string
)

// How time.Now reads the clock, and what replaces it.
const (
	reading = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	moved   = reading + "\tsec += wallOffset.Load()\n"
)

func main() {
	out := flag.String("o", "bin/ps4kit-clock", "the program to write")
	flag.Parse()
	if err := build(*out); err != nil {
		fmt.Fprintln(os.Stderr, "clock:", err)
		os.Exit(1)
	}
}

func build(out string) error {
	root, err := exec.Command("go", "env", "GOROOT").Output() //nolint:noctx // ends by itself
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return fmt.Errorf("the standard library: %w", err)
	}
	if !strings.Contains(string(source), reading) {
		return errors.New("time.Now of this Go reads the clock in another way: see its source, and change what this program replaces")
	}
	dir, err := os.MkdirTemp("", "clock")
	if err != nil {
		return fmt.Errorf("work directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := lay(dir, map[string]string{
		filepath.Join(library, "time.go"):   strings.Replace(string(source), reading, moved, 1),
		filepath.Join(library, "offset.go"): offset,
		"cmd/ps4kit/clock_signals.go":       signals,
	})
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-overlay", overlay, "-o", out, "./cmd/ps4kit") //nolint:gosec,noctx // our own words
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// lay writes the files, and the list of their paths that -overlay reads.
func lay(dir string, files map[string]string) (list string, err error) {
	replace := map[string]string{}
	for path, text := range files {
		replace[path] = filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("overlay: %w", err)
		}
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	list = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, b, 0o600); err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	return list, nil
}
