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
	wall, cpu time.Duration
	memory    float64 // MB, at most
	out       []byte
}

func (t tool) run(ctx context.Context, args ...string) (u used, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	words := slices.Concat(t.words, args)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // the programs that are measured
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}, t.env...)
	start := time.Now()
	u.out, err = cmd.Output()
	u.wall = time.Since(start)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && len(exit.Stderr) == 0 {
		err = nil // both programs report rest mode like this
	}
	if err != nil {
		return u, fmt.Errorf("%s %s: %w\n%s", t.name, strings.Join(args, " "), err, u.out)
	}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = float64(r.Maxrss) / 1024
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return u, nil
}

func (b *bench) tools() ([]tool, error) {
	credentials := filepath.Join(b.dir, "waker.json")
	return []tool{
			{
				name:  "ps4kit",
				words: []string{b.program, "--config", filepath.Join(b.dir, "none.yaml"), "--state-dir", filepath.Join(b.dir, "cli")},
			},
			{
				name:  "ps4-waker",
				words: []string{"node", "-r", filepath.Join(b.npm, "consolekey.js"), filepath.Join(b.npm, "node_modules", "ps4-waker", "dist", "cli.js"), "-c", credentials},
				env:   []string{"PS4KIT_BENCH_KEY=" + b.key},
			},
		}, errors.Join(
			os.WriteFile(filepath.Join(b.dir, "none.yaml"), nil, 0o600),
			os.WriteFile(credentials, []byte(`{"client-type":"a","auth-type":"C","user-credential":"`+credential+`"}`), 0o600))
}

// commandLines measures commands that both programs have, on one console.
func (b *bench) commandLines(ctx context.Context) (*table, error) {
	tools, err := b.tools()
	if err != nil {
		return nil, err
	}
	t := newTable("Commands", "ps4kit", "ps4-waker")
	console := b.consoles[0]
	at := console.Addr().Addr().String()
	target := []string{"-i", at, "-c", credential, "--console-key", b.key}
	for _, w := range []struct {
		what   string
		before func()
		args   [2][]string
	}{
		{"status of a console that is on", console.SetAwake, [2][]string{append([]string{"status"}, target...), {"-d", at, "check"}}},
		{"wake, until it is on", console.SetStandby, [2][]string{append([]string{"wakeup", "--wait"}, target...), {"-d", at, "--skip-login"}}},
		{"one key, from nothing", console.SetAwake, [2][]string{append([]string{"remote", "up"}, target...), {"-d", at, "remote", "up"}}},
	} {
		b.say("commands: %s", w.what)
		for i, tool := range tools {
			var all []used
			for range b.commands {
				w.before()
				u, err := tool.run(ctx, w.args[i]...)
				if err != nil && i == 0 {
					return nil, err
				}
				if err != nil { // a peer may fail
					b.say("%v", err)
					break
				}
				all = append(all, u)
			}
			column{t, i}.used(w.what, all)
		}
	}
	return t, nil
}

// searches measures the search for many consoles. Both programs are asked to
// search for two seconds.
func (b *bench) searches(ctx context.Context) (*table, error) {
	tools, err := b.tools()
	if err != nil {
		return nil, err
	}
	if err := b.haveConsoles(b.search); err != nil {
		return nil, err
	}
	b.say("search")
	t := newTable(fmt.Sprintf("Search for %d consoles, 2 s", b.search), "ps4kit", "ps4-waker")
	for i, args := range [][]string{{"-o", "json", "search", "-t", "2s"}, {"-t", "2000", "search"}} {
		u, err := tools[i].run(ctx, args...)
		if err != nil {
			return nil, err
		}
		found := strings.Count(string(u.out), "host-id")
		if i == 0 {
			var list []json.RawMessage
			if err := json.Unmarshal(u.out, &list); err != nil {
				return nil, err
			}
			found = len(list)
		}
		c := column{t, i}
		c.set("consoles found", "", float64(found))
		c.used("search", []used{u})
	}
	return t, nil
}

// used adds the medians of what a command took.
func (c column) used(what string, all []used) {
	if len(all) == 0 {
		return
	}
	var wall, cpu series
	var memory []float64
	for _, u := range all {
		wall, cpu, memory = append(wall, u.wall), append(cpu, u.cpu), append(memory, u.memory)
	}
	c.set(what+": time", "ms", wall.at(50))
	c.set(what+": CPU time", "ms", cpu.at(50))
	c.set(what+": memory at most", "MB", percentile(memory, 50))
}
