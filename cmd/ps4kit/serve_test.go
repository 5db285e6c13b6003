package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

// TestGreeting: how to get into the page is shown where the consoles are simulated, and
// in nothing that may be a log.
func TestGreeting(t *testing.T) {
	t.Parallel()
	const url = "http://127.0.0.1:8990/"
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
