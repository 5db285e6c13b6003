package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tool is a command line that is measured.
type tool struct {
	name  string
	words []string
	env   []string
}

// used is what one command took.
type used struct {
	wall series
	cpu  time.Duration // of the last one
	rss  float64       // MB, of the last one
	out  []byte        // of the last one
	err  error
}

// commandLimit is how long one command may take.
const commandLimit = 30 * time.Second

func (t tool) run(ctx context.Context, u *used, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	words := slices.Concat(t.words, args)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // the programs that are measured
	cmd.Env = append(os.Environ(), t.env...)
	start := time.Now()
	out, err := cmd.Output()
	u.wall = append(u.wall, time.Since(start))
	u.out = out
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && len(exit.Stderr) == 0 {
		err = nil // rest mode, which both programs tell so
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", t.name, strings.Join(args, " "), err, out)
	}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.rss = float64(r.Maxrss) / 1024
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return nil
}

func (b *bench) tools() (ours, waker tool, err error) {
	ours = tool{name: "ps4kit", words: []string{b.program, "--config", filepath.Join(b.dir, "none.yaml"), "--state-dir", filepath.Join(b.dir, "cli")}}
	credentials := filepath.Join(b.dir, "waker.json")
	waker = tool{
		name:  "ps4-waker",
		words: []string{"node", "-r", filepath.Join(b.npm, "consolekey.js"), filepath.Join(b.npm, "node_modules", "ps4-waker", "dist", "cli.js"), "-c", credentials},
		env:   []string{"PS4KIT_BENCH_KEY=" + b.key},
	}
	return ours, waker, errors.Join(
		os.WriteFile(filepath.Join(b.dir, "none.yaml"), nil, 0o600),
		os.WriteFile(credentials, []byte(`{"client-type":"a","auth-type":"C","user-credential":"`+credential+`"}`), 0o600))
}

// commandTable measures commands that both programs have, on one console.
func (b *bench) commandTable(ctx context.Context) (table, error) {
	ours, waker, err := b.tools()
	if err != nil {
		return table{}, err
	}
	console := b.consoles[0]
	at := console.Addr().Addr().String()
	target := []string{"-i", at, "-c", credential, "--console-key", b.key}
	works := []struct {
		what        string
		before      func()
		ours, waker []string
	}{
		{"status of a console that is on", console.SetAwake, append([]string{"status"}, target...), []string{"-d", at, "check"}},
		{"wake, until it is on", console.SetStandby, append([]string{"wakeup", "--wait"}, target...), []string{"-d", at, "--skip-login"}},
		{"one key, from nothing", console.SetAwake, append([]string{"remote", "up"}, target...), []string{"-d", at, "remote", "up"}},
	}
	t := newCommandTable("Commands", "wall time, p50")
	for _, w := range works {
		b.say("commands: %s", w.what)
		var u [2]used
		for range b.commands {
			w.before()
			if err := ours.run(ctx, &u[0], w.ours...); err != nil {
				return t, err
			}
			w.before()
			if err := waker.run(ctx, &u[1], w.waker...); err != nil { // a peer may fail
				u[1].err = err
				b.say("%v", err)
			}
		}
		t.addUsed(w.what, u[0], u[1])
	}
	return t, nil
}

// searchTable measures the search for many consoles, for as long as each program
// searches when it is asked to search for two seconds.
func (b *bench) searchTable(ctx context.Context) (table, error) {
	ours, waker, err := b.tools()
	if err == nil {
		err = b.moreConsoles(b.search)
	}
	if err != nil {
		return table{}, err
	}
	for _, c := range b.consoles[b.search:] {
		_ = c.Close()
	}
	b.consoles = b.consoles[:b.search]
	b.say("search")
	var u [2]used
	if err := errors.Join(ours.run(ctx, &u[0], "-o", "json", "search", "-t", "2s"), waker.run(ctx, &u[1], "-t", "2000", "search")); err != nil {
		return table{}, err
	}
	var found []struct {
		HostID string `json:"host_id"`
	}
	if err := json.Unmarshal(u[0].out, &found); err != nil {
		return table{}, err
	}
	t := newCommandTable("Search for "+strconv.Itoa(len(b.consoles))+" consoles, 2 s", "")
	t.addCount("consoles found", float64(len(found)), float64(strings.Count(string(u[1].out), "host-id")))
	t.addUsed("search", u[0], u[1])
	return t, nil
}
