package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

func TestProgressShowsWhatTakesMoreThanASecond(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{
		0:                       "",
		999 * time.Millisecond:  "",
		1500 * time.Millisecond: clearLine + "Waking … 1 s" + clearLine,
		2500 * time.Millisecond: clearLine + "Waking … 1 s" + clearLine + "Waking … 2 s" + clearLine,
	} {
		synctest.Test(t, func(t *testing.T) {
			var terminal bytes.Buffer
			stop := showProgress(&terminal, "Waking")
			time.Sleep(after) // of the bubble: no time passes
			stop()
			stop()
			if got := terminal.String(); got != want {
				t.Errorf("after %v: %q, want %q", after, got, want)
			}
		})
	}
}

func TestProgressIsSilentWithoutATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		p := &program{stderr: &stderr}
		stop := p.progress("Waking")
		time.Sleep(time.Minute)
		stop()
		if stderr.Len() > 0 {
			t.Errorf("printed %q", stderr.String())
		}
	})
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	got, err := parseKeys([]string{"UP", "ps:2000", "Ps_Hold"})
	if want := []string{"up", "ps:2000", "ps_hold"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range [][]string{{"up", ""}, {"up:"}, {"up:-1"}, {"up:0"}, {"up:60001"}, {"up:1:2"}} {
		if got, err := parseKeys(bad); err == nil {
			t.Errorf("%q: %v, want an error", bad, got)
		}
	}
}

func TestStatusOmitsUnknownValues(t *testing.T) {
	t.Parallel()
	got := statusText(api.Console{Address: "192.168.1.20", State: api.StateUnreachable})
	if want := "State    unreachable\nAddress  192.168.1.20"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTitleOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, name, want string }{
		{"", "", ""},
		{"CUSA00129", "", "CUSA00129"},
		{"CUSA00129", "CUSA00129", "CUSA00129"},
		{"CUSA00129", "Netflix", "Netflix (CUSA00129)"},
	} {
		if got := titleOf(api.Console{TitleID: c.id, TitleName: c.name}); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.id, c.name, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 20)
	for text, want := range map[string]string{
		"":                       "",
		"fail  state  damaged":   "fail  state  damaged",
		strings.Repeat("x", 100): strings.Repeat("x", 100),
		strings.TrimSpace(long):  strings.TrimSpace(long[:80]) + "\n  " + strings.TrimSpace(long[80:]),
		strings.Repeat("é ", 45): strings.Repeat("é ", 39) + "é" + "\n  é é é é é ",
	} {
		if got := wrap(text, "  "); got != want {
			t.Errorf("%q:\n%q, want\n%q", text, got, want)
		}
	}
}
