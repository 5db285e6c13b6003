package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestPages runs every command of the user's pages again, and compares what it prints:
// those after a "$ " in the blocks called console, and the commands of scripts in
// comments like <!-- script: sim den standby -->. With PS4KIT_UPDATE_DOCS=1 it writes
// what was printed into the page instead.
func TestPages(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/guide/*.md")
	must(t, err)
	for _, path := range append(pages, "../../docs/cli.md", "../../docs/credentials.md") {
		if p := readPage(t, path); len(p.commands) > 0 {
			t.Run(filepath.Base(path), func(t *testing.T) {
				t.Parallel()
				runPage(t, p)
			})
		}
	}
}

func runPage(t *testing.T, page *page) {
	t.Helper()
	dir := t.TempDir()
	p := params("", false)
	p.Dir = ""
	setUp := p.Setup
	p.Setup = func(env *testscript.Env) error {
		err := setUp(env)
		env.Setenv("PS4KIT_WEB_PASSWORD_HASH", "") // pages show the first password
		return err
	}
	for i, script := range page.scripts() {
		file := filepath.Join(dir, fmt.Sprintf("part%d.txtar", i+1))
		must(t, os.WriteFile(file, []byte(script), 0o600))
		p.Files = append(p.Files, file)
	}
	update := os.Getenv("PS4KIT_UPDATE_DOCS") != ""
	var ran atomic.Int32
	p.Cmds["shown"] = func(ts *testscript.TestScript, _ bool, args []string) {
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		ran.Add(1)
		got := shown(ts, args[1:])
		if want := page.commands[n].output; got != want && !update {
			ts.Fatalf("the page shows\n%s\nbut the command printed\n%s", want, got)
		}
		page.commands[n].output = got
	}
	t.Run("commands", func(t *testing.T) { testscript.Run(t, p) })
	t.Cleanup(func() {
		switch {
		case int(ran.Load()) < len(page.commands):
			t.Errorf("%d of %d commands of the page ran", ran.Load(), len(page.commands))
		case update:
			if err := os.WriteFile(page.path, []byte(page.String()), 0o600); err != nil {
				t.Error(err)
			}
		}
	})
}

// page is a page of the documentation: text, and the commands in it with what they print.
type page struct {
	path     string
	text     []string // around the commands: one more than they are
	setup    []string // the script before each command
	commands []command
}

type command struct{ line, output string }

// readPage splits the page. A command and its output end at the next one, or at the
// end of their block.
func readPage(t *testing.T, path string) *page {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	p := &page{path: path, text: []string{""}, setup: []string{""}}
	inside, output := false, false
	for line := range strings.Lines(string(text)) {
		last := len(p.commands)
		switch {
		case strings.HasPrefix(line, "```"):
			inside, output = line == "```console\n", false
			p.text[last] += line
		case inside && strings.HasPrefix(line, "$ "):
			output = true
			p.commands = append(p.commands, command{line: strings.TrimSpace(line[2:])})
			p.text, p.setup = append(p.text, ""), append(p.setup, "")
		case output:
			p.commands[last-1].output += line
		default:
			if s, found := strings.CutPrefix(line, "<!-- script: "); found {
				p.setup[last] += strings.Replace(s, " -->", "", 1)
			}
			p.text[last] += line
		}
	}
	return p
}

// scripts is the page as testscript runs it: one script, and one more where a
// console is the only one, which needs nothing from before.
func (p *page) scripts() []string {
	var list []string
	for i, c := range p.commands {
		if i == 0 || strings.Contains(p.setup[i], " only=true\n") {
			list = append(list, "")
		}
		list[len(list)-1] += fmt.Sprintf("%sshown %d %s\n", p.setup[i], i, c.line)
	}
	return list
}

// String is the page as it is written.
func (p *page) String() string {
	var b strings.Builder
	for i, c := range p.commands {
		fmt.Fprintf(&b, "%s$ %s\n%s", p.text[i], c.line, c.output)
	}
	return b.String() + p.text[len(p.commands)]
}

// shown runs a command and returns what a person sees: stdout, stderr and the exit
// code if it is not 0, with the parts that differ from run to run put in order.
func shown(ts *testscript.TestScript, args []string) string {
	if args[0] != "ps4kit" {
		ts.Fatalf("the page runs %s", args[0])
	}
	o := runVerb(ts, args[1:])
	text := string(o.Stdout) + string(o.Stderr)
	if o.Code != 0 {
		text += fmt.Sprintf("[exit code %d]\n", o.Code)
	}
	work := ts.Getenv("WORK")
	text = strings.ReplaceAll(text, filepath.Join(work, "s"), "/home/pi/.local/state")
	return steady(strings.ReplaceAll(text, work, "/home/pi"))
}

var varying = []struct {
	pattern *regexp.Regexp
	steady  string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d{5}`), "127.0.0.1:40987"},
	{regexp.MustCompile(`"request_port":\d{5}`), `"request_port":40997`},
	{regexp.MustCompile(`go1\.[0-9.]+`), "go1.26"},
	{regexp.MustCompile(`"arch":"\w+"`), `"arch":"arm64"`},
	{regexp.MustCompile(`"os":"\w+"`), `"os":"linux"`},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "2026-01-31 20:15:00"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.?\d*(Z|[+-]\d\d:\d\d)`), "2026-01-31T20:15:00Z"},
	{regexp.MustCompile(`"port":\d{5}`), `"port":20001`},
	{regexp.MustCompile(` [23]\d{4} `), " 20001 "},
	{regexp.MustCompile(`\d{3}-\d\d-\d{3}`), "518-08-582"},
	{regexp.MustCompile(`\b([a-z2-7]{4}-){2}[a-z2-7]{4}\b`), "k7mq-2xhd-5fwa"},
	{regexp.MustCompile(`([0-9A-F]{2}:){5}[0-9A-F]{2}`), "C2:4E:91:5A:07:1D"},
	{regexp.MustCompile(`"setup_id":"\w{4}"`), `"setup_id":"7OSX"`},
	{regexp.MustCompile(`"setup_uri":"[^"]+"`), `"setup_uri":"X-HM://0081YCYEP7OSX"`},
	{regexp.MustCompile(`\d\.\d kB`), "1.9 kB"},
	{regexp.MustCompile(`\(\d+ bytes\)`), "(1342 bytes)"},
	{regexp.MustCompile(`process \d+`), "process 812"},
}

func steady(text string) string {
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.steady)
	}
	return text
}
