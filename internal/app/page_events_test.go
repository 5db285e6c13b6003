package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
)

// ask sends a request to the API of a running server.
func ask(t *testing.T, r *running, method, path, body string, header ...string) *http.Response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", app.SocketPath(r.state))
		},
	}}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://ps4kit/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// event is a server-sent event.
type event struct{ name, data string }

// stream is an open GET /events.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	end   func()
}

func follow(t *testing.T, r *running, query string) *stream {
	t.Helper()
	resp := ask(t, r, http.MethodGet, "/events"+query, "")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("events: %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	end := func() { _ = resp.Body.Close() }
	limit := time.AfterFunc(time.Minute, end) // a test that waits for an event in vain fails
	t.Cleanup(func() { limit.Stop() })
	return &stream{t, lines, end}
}

// next waits for an event.
func (s *stream) next() (e event) {
	s.t.Helper()
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch {
		case field == "event":
			e.name = value
		case field == "data":
			e.data = value
		case field == "" && e.name != "":
			return e
		}
	}
	s.t.Fatalf("the stream is over: %v", s.lines.Err())
	return e
}

// card waits for an overview with a console that is as it should be.
func (s *stream) card(what string, ok func(api.Card) bool) api.Card {
	s.t.Helper()
	s.t.Logf("waiting for: %s", what)
	for {
		e := s.next()
		var o api.Overview
		if e.name != "overview" {
			continue
		}
		if err := json.Unmarshal([]byte(e.data), &o); err != nil {
			s.t.Fatal(err)
		}
		if i := slices.IndexFunc(o.Consoles, ok); i >= 0 {
			return o.Consoles[i]
		}
	}
}

func TestChangesOfAConsoleArriveAsEvents(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	r := serve(t, shortDir(t), yaml, 0)
	s := follow(t, r, "")
	s.card("the first event", func(c api.Card) bool { return c.Name == "Den" })
	console.SetRunning("CUSA00129")
	c := s.card("a title runs", func(c api.Card) bool { return c.TitleID == "CUSA00129" })
	if !c.Active || !c.Credential || !c.Offered || c.Paired || c.Simulated || c.LastSeen.IsZero() || c.HostID != console.HostID() {
		t.Errorf("%+v", c)
	}
	s.end()
	if err := api.Keys.Do(t.Context(), r.api, api.KeysRequest{Host: "Den", Keys: []string{"up"}}); err != nil {
		t.Fatal(err)
	}
	console.OpenKeyboard("", 40)
	s = follow(t, r, "")
	s.card("the keyboard is open", func(c api.Card) bool { return c.SessionOpen && c.KeyboardOpen })
	console.CloseKeyboard()
	s.card("the keyboard is closed", func(c api.Card) bool { return !c.KeyboardOpen })
	console.SetStandby()
	s.card("it rests", func(c api.Card) bool {
		return c.State == ps4.StateStandby.String() && c.TitleID == "" && !c.SessionOpen
	})
	if err := api.ChangeTitle.Do(t.Context(), r.api, api.ChangeTitleRequest{Host: "Den", ID: "CUSA00129", Name: new("Films")}); err != nil {
		t.Fatal(err)
	}
	s.card("an input was renamed", func(api.Card) bool { return true })
}

func TestLastErrorHasAHint(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	console.Unlink()
	r := serve(t, shortDir(t), yaml, 0)
	s := follow(t, r, "")
	_ = api.Power.Do(t.Context(), r.api, api.PowerRequest{Host: "Den", State: api.StateStandby})
	c := s.card("the error", func(c api.Card) bool { return c.LastError != nil })
	if c.LastError.Code != "pin_needed" || c.LastError.Result != 20 || c.LastError.Hint == "" || c.LastErrorAt.IsZero() {
		t.Errorf("%+v", c.LastError)
	}
}

func TestLogOfTheServer(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	r := serve(t, shortDir(t), yaml, 0)
	var lines []api.LogLine
	if err := json.NewDecoder(ask(t, r, http.MethodGet, "/log?level=info", "").Body).Decode(&lines); err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if line.Message == "console added" && line.Fields["console"] == "Den" && line.Level == "info" {
			return
		}
	}
	t.Errorf("no line tells of the console: %+v", lines)
}
