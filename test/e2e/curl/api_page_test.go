// Package curl runs the commands of docs/api.md and docs/web.md, with the
// programs that they name, against a server.
package curl

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
	"github.com/ps4kit/ps4kit/test/need"
)

func TestMain(m *testing.M) { peer.Main(m) }

const (
	netflix    = "CUSA00129"
	credential = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// reader follows a page on the machine of a server.
type reader struct {
	t       *testing.T
	den     *ps4test.Console
	server  *peer.Server
	replace *strings.Replacer // what the page says in general, by what it is here
	before  string            // the definitions of the page
	dir     string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	need.Make(t, "e2e")
	need.Tools(t, "bash", "curl", "jq")
	r := &reader{t: t, dir: t.TempDir()}
	r.den = ps4test.Start(t, ps4test.Config{Name: "Den", Credentials: []string{credential}, Linked: true, Timing: ps4test.FastTiming()})
	key := peer.WriteFile(t, filepath.Join(r.dir, "console.pem"), string(r.den.PublicKeyPEM()))
	peer.WriteFile(t, filepath.Join(r.dir, "config.yaml"), `
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
poll: {interval: 200ms}
art: {enabled: false}
discovery: {enabled: false, local_port: 0}
console_key: `+key+`
consoles:
  - host_id: `+r.den.HostID()+`
    address: `+r.den.Addr().String()+`
    name: Den
    credential: `+credential+`
    titles: [{id: `+netflix+`, name: Netflix}]
`)
	r.server = peer.StartServer(t, r.dir)
	page := r.server.Page()
	r.replace = strings.NewReplacer("192.168.1.5:8990", page, "ps4kit_…", r.token("http://"+page),
		"/var/lib/ps4kit", filepath.Join(r.dir, "state"))
	return r
}

// token creates a token as the page does.
func (r *reader) token(page string) string {
	r.t.Helper()
	jar, _ := cookiejar.New(nil) // no options, no error
	owner := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	post := func(path, kind, body string) *http.Response {
		req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, page+path, strings.NewReader(body))
		if err != nil {
			r.t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		resp, err := owner.Do(req)
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	password := strings.TrimSpace(r.server.Run("web", "password"))
	post("/login", "application/x-www-form-urlencoded", url.Values{"password": {password}}.Encode())
	var made struct{ Token string }
	if err := json.NewDecoder(post("/api/v1/tokens", "application/json", `{"name":"test","access":"control"}`).Body).Decode(&made); err != nil || made.Token == "" {
		r.t.Fatalf("no token: %v", err)
	}
	return made.Token
}

// shell returns a command line for bash, in which $PS4KIT is the program.
func (r *reader) shell(before, line string) *exec.Cmd {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), peer.Patience)
	r.t.Cleanup(cancel)
	program := filepath.Join(r.dir, "ps4kit")
	peer.WriteFile(r.t, program, "#!/bin/sh\nexec '"+strings.Join(append([]string{peer.Binary(r.t)}, r.server.Globals()...), "' '")+"' \"$@\"\n")
	if err := os.Chmod(program, 0o700); err != nil { //nolint:gosec // a program
		r.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", "set -euo pipefail\n"+before+"\n"+line) //nolint:gosec // of the page
	cmd.Dir = r.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a pipe ends as a whole
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Env = append(peer.CleanEnv(r.dir), "PS4KIT="+program)
	return cmd
}

// do runs a command from the page.
func (r *reader) do(line string) string {
	r.t.Helper()
	cmd := r.shell(r.before, r.replace.Replace(line))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s%s", line, err, out, &stderr)
	}
	return string(out)
}

// blocks returns the blocks of shell commands on a page.
func blocks(t *testing.T, page string) (list []string) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(read(t, page), -1) {
		list = append(list, block[1])
	}
	return list
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAPIPage runs every command of docs/api.md in order.
func TestAPIPage(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	sh := blocks(t, "api.md")
	if len(sh) != 3 {
		t.Fatalf("docs/api.md has %d blocks of commands: this test knows the way in, the events, and backup and restore", len(sh))
	}
	token, rest, _ := strings.Cut(sh[0], "\n")
	function, without, _ := strings.Cut(rest, "\n")
	r.before = r.replace.Replace(token + "\n" + function)
	if out := r.do(without); !strings.Contains(out, r.den.HostID()) {
		t.Errorf("through the socket: %s", out)
	}
	r.table()
	r.events(sh[1])
	r.backup(sh[2])
}

// table runs the commands of the table and checks what each one does.
func (r *reader) table() {
	t := r.t
	t.Helper()
	prints := func(want string) func(string) {
		return func(out string) {
			if !strings.Contains(out, want) {
				t.Errorf("printed %s, without %s", out, want)
			}
		}
	}
	reaches := func(what string, ok func(ps4test.Snapshot) bool) func(string) {
		return func(string) { peer.WaitFor(t, r.den, what, ok) }
	}
	does := map[string]func(out string){ // by what only that command has in it
		"overview":    prints(r.den.HostID()),
		`"awake"`:     reaches("awake", func(s ps4test.Snapshot) bool { return s.State == ps4.StateAwake }),
		`"standby"`:   reaches("rest mode", func(s ps4test.Snapshot) bool { return s.State == ps4.StateStandby }),
		"/start":      reaches("Netflix", func(s ps4test.Snapshot) bool { return s.Title.ID == netflix }),
		"/keys":       reaches("three keys", func(s ps4test.Snapshot) bool { return len(s.Keys) >= 3 }),
		"Den/titles'": prints("Netflix"),
		"PATCH": func(string) {
			if out := r.do("api consoles/Den/titles"); !strings.Contains(out, "Films") {
				t.Errorf("after the rename: %s", out)
			}
		},
		"/import": func(out string) {
			if want := `"known":["` + netflix + `"]`; !strings.Contains(out, want) {
				t.Errorf("printed %s, without %s", out, want)
			}
		},
		"/keyboard": reaches("the text", func(s ps4test.Snapshot) bool { return len(r.den.Submitted()) == 1 }),
		"/test":     func(string) {},
	}
	rows := regexp.MustCompile("(?m)^\\| .* \\| `(api [^`]*)` \\|$").FindAllStringSubmatch(read(t, "api.md"), -1)
	if len(rows) != len(does) {
		t.Fatalf("%d commands in the table, this test knows %d", len(rows), len(does))
	}
	for _, row := range rows {
		known := false
		for part, check := range does {
			if strings.Contains("'"+row[1]+"'", part) {
				known = true
				if part == "/keyboard" {
					r.den.OpenKeyboard("", 100)
				}
				check(r.do(row[1]))
			}
		}
		if !known {
			t.Errorf("this test does not know what %q is for", row[1])
		}
	}
}

// events follows the event stream until it reports a title, while two titles
// are started in turn.
func (r *reader) events(line string) {
	t := r.t
	t.Helper()
	cmd := r.shell(r.before, r.replace.Replace(line))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan string, 1)
	go func() {
		line := make([]byte, 200)
		n, _ := out.Read(line) // none: that is told
		first <- strings.TrimSpace(string(line[:n]))
	}()
	for turn := 0; ; turn++ {
		select {
		case got := <-first:
			if !strings.HasPrefix(got, "Den: ") {
				t.Errorf("the events say %q", got)
			}
			_ = cmd.Cancel() // Ctrl-C
			_ = cmd.Wait()
			return
		default:
			r.do(`api consoles/Den/start -d '{"title":"` + []string{"CUSA01780", netflix}[turn%2] + `"}'`)
		}
	}
}

func (r *reader) backup(lines string) {
	t := r.t
	t.Helper()
	save, restore, _ := strings.Cut(lines, "\n")
	r.do(save)
	if info, err := os.Stat(filepath.Join(r.dir, "ps4kit.tar.gz")); err != nil || info.Size() == 0 {
		t.Errorf("the backup: %v", err)
	}
	if out := r.do("api consoles/Den/titles/" + netflix + ` -X PATCH -d '{"name":"After the backup"}'` + "\n" + restore + "\necho done"); !strings.HasSuffix(out, "done\n") {
		t.Errorf("the restore: %s", out)
	}
	r.do(`until "$PS4KIT" titles 2>/dev/null | grep Films; do sleep 0.1; done`) // the page has another port now
}

// TestTokenOfThePage runs the command of docs/web.md that shows a token.
func TestTokenOfThePage(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, line := range blocks(t, "web.md") {
		if strings.Contains(line, "ps4kit_…") {
			if out := r.do(line); !strings.Contains(out, r.den.HostID()) {
				t.Errorf("%s", out)
			}
			return
		}
	}
	t.Error("docs/web.md shows no command with a token")
}
