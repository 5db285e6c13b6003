package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

// TestGreeting checks that the greeting says how to open the page, but not where
// a log may be.
func TestGreeting(t *testing.T) {
	t.Parallel()
	const url = "http://192.0.2.5:8990/"
	first := api.Password{Password: "k7mq-2xhd-5fwa"}
	for name, tt := range map[string]struct {
		simulate int
		output   string
		page     app.Page
		want     string // a part; empty: neither address nor password
	}{
		"first password": {1, "text", app.Page{URL: url, Password: first}, "Web page  " + url + "\nPassword  k7mq-2xhd-5fwa\n"},
		"changed":        {1, "text", app.Page{URL: url}, "Password  the one that you chose"},
		"configured":     {1, "text", app.Page{URL: url, Configured: true}, "Password  that of web.password_hash"},
		"two addresses":  {1, "text", app.Page{URL: url, NameURL: "http://pi.local:8990/"}, url + "\n          http://pi.local:8990/\n"},
		"loopback":       {1, "text", app.Page{URL: url, Local: true}, "set web.listen:\n\":8990\""},
		"a log":          {0, "text", app.Page{URL: url, Password: first}, ""},
		"a program":      {1, "json", app.Page{URL: url, Password: first}, ""},
	} {
		var out bytes.Buffer
		o := &serveOptions{simulate: tt.simulate}
		o.greet(&program{stdout: &out, output: tt.output}, app.Greeting{Page: tt.page})
		got := out.String()
		if !strings.Contains(got, tt.want) || tt.want == "" && (strings.Contains(got, url) || strings.Contains(got, first.Password)) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestSetupText checks what a terminal shows of a console: its code once, then
// only what it still needs. Every line fits 80 columns.
func TestSetupText(t *testing.T) {
	t.Parallel()
	const code, account, pin, pairing = "123-45-678", "ps4kit credential --psn", "ps4kit link --host-id A0B1C2D3E4F5", "pairing: "
	all := []app.Need{app.NeedAccount, app.NeedLink, app.NeedPairing}
	for name, tt := range map[string]struct {
		setup app.Setup
		want  []string // of these and the above, in this order
	}{
		"new":          {app.Setup{Needs: all, New: true}, []string{code, "PS4, 192.168.1.20", account, pin, pairing}},
		"account":      {app.Setup{Needs: all[1:], Before: all}, []string{pin, pairing + "scan its code above, " + code}},
		"paired first": {app.Setup{Needs: all[:2], Before: all}, []string{"Den is paired.", account, pin}},
		"paired":       {app.Setup{Before: all[2:]}, []string{"Den is paired."}},
		"known":        {app.Setup{New: true}, []string{"Den is paired."}},
		"locked":       {app.Setup{Needs: []app.Need{app.NeedUnlock}}, []string{"ps4kit homekit reset A0B1C2D3E4F5"}},
		"unlocked":     {app.Setup{Needs: all[2:], Before: []app.Need{app.NeedUnlock}}, []string{code, pairing}},
		"linked last":  {app.Setup{Before: all[1:2]}, []string{"Den is ready."}},
		"unpaired":     {app.Setup{Needs: all[2:]}, []string{code, pairing}},
	} {
		s := tt.setup
		s.Accessory = api.Accessory{Name: "Den", HostID: "A0B1C2D3E4F5", SetupCode: code, SetupURI: "X-HM://0023ISYWY1234"}
		s.Type, s.Address = "PS4", "192.168.1.20"
		text := setupText(s, "ps4kit")
		rest := text
		for _, part := range tt.want {
			_, after, found := strings.Cut(rest, part)
			if !found {
				t.Errorf("%s: no %q in\n%s", name, part, text)
			}
			rest = after
		}
		for _, part := range []string{code, account, pin, pairing, "Den is"} {
			if strings.Contains(text, part) && !strings.Contains(strings.Join(tt.want, "\n"), part) {
				t.Errorf("%s: %q in\n%s", name, part, text)
			}
		}
		for line := range strings.Lines(text) {
			if len([]rune(line)) > 80 {
				t.Errorf("%s: a long line: %s", name, line)
			}
		}
	}
}

// TestCommand checks that the printed commands name a chosen state directory.
func TestCommand(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{
		"":                "ps4kit",
		"/srv/ps4kit":     "ps4kit --state-dir /srv/ps4kit",
		"/home/a b/state": "ps4kit --state-dir '/home/a b/state'",
		"/srv/$HOME's":    `ps4kit --state-dir '/srv/$HOME'\''s'`,
	} {
		if got := (&program{stateDir: dir}).command(); got != want {
			t.Errorf("%q: %s, want %s", dir, got, want)
		}
	}
	first := app.Setup{Accessory: api.Accessory{HostID: "A0B1C2D3E4F5"}, Needs: []app.Need{app.NeedLink}}
	if text := setupText(first, "ps4kit --state-dir /x"); !strings.Contains(text, "ps4kit --state-dir /x link --host-id A0B1C2D3E4F5") {
		t.Error(text)
	}
}
