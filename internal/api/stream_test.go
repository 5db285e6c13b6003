package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/test/pipes"
)

// sent is an event as a client reads it.
type sent struct{ name, data string }

// client reads a stream of events.
type client struct {
	t      *testing.T
	events chan sent
	beats  int
	close  func()
	status int
	body   string
}

// streamRig is a server of a page in a bubble.
type streamRig struct {
	t    *testing.T
	page *page
	http *http.Client
	stop func()
}

func inStreamRig(t *testing.T, permit func(*http.Request, api.Access) error, do func(r *streamRig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ln := newPage(), pipes.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		p.events = api.NewEvents(ctx, p.log)
		var running sync.WaitGroup
		running.Go(func() {
			_ = api.Serve(ctx, ln, api.Handler(api.Services{Backend: &backend{}, Page: p, Events: p.events, Accounts: &accounts{permit: permit}}), nil)
		})
		stop := func() {
			cancel()
			running.Wait()
		}
		defer stop()
		transport := &http.Transport{DialContext: ln.Dial, DisableKeepAlives: true}
		do(&streamRig{t: t, page: p, http: &http.Client{Transport: transport}, stop: stop})
	})
}

// follow opens a stream; query is for example "?log=info".
func (r *streamRig) follow(query string) *client {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/api/v1/events"+query, nil)
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &client{t: r.t, events: make(chan sent, 1000), status: resp.StatusCode}
	var reading sync.WaitGroup
	c.close = func() {
		cancel()
		_ = resp.Body.Close()
		reading.Wait()
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		c.body = string(body)
		return c
	}
	reading.Go(func() { c.read(resp.Body) })
	return c
}

// read takes events until the stream ends, then closes c.events.
func (c *client) read(body io.Reader) {
	defer close(c.events)
	lines := bufio.NewScanner(body)
	var e sent
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			e.name = value
		case "data":
			e.data = value
			c.events <- e
			e = sent{}
		case "":
			if value != "" {
				c.beats++
			}
		default:
			c.t.Errorf("odd line %q", lines.Text())
		}
	}
}

// take returns what has come by now.
func (c *client) take() (list []sent) {
	synctest.Wait()
	for {
		select {
		case e, open := <-c.events:
			if !open {
				return list
			}
			list = append(list, e)
		default:
			return list
		}
	}
}

// want compares the names of the events that have come, and returns them.
func (c *client) want(names ...string) []sent {
	c.t.Helper()
	list := c.take()
	var got []string
	for _, e := range list {
		got = append(got, e.name)
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		c.t.Fatalf("events %q, want %q", got, names)
	}
	return list
}

// isOver says whether the server has ended the stream; what came last is dropped.
func (c *client) isOver() bool {
	c.take()
	select {
	case _, open := <-c.events:
		return !open
	default:
		return false
	}
}

func TestEventsSendTheOverviewOnEachChange(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		r.page.show("A", named("Den"))
		c := r.follow("")
		defer c.close()
		if e := c.want("overview")[0]; !strings.Contains(e.data, `"name":"Den"`) {
			r.t.Errorf("first %+v", e)
		}
		time.Sleep(time.Minute)
		c.want()
		r.page.show("A", named("Attic"))
		r.page.show("B", named("Den"))
		synctest.Wait()
		time.Sleep(time.Second)
		list := c.take()
		var o api.Overview
		if err := json.Unmarshal([]byte(list[len(list)-1].data), &o); err != nil || len(o.Consoles) != 2 {
			r.t.Errorf("%+v, %v", list, err)
		}
		r.page.events.Changed() // an input, which the overview does not show
		c.want("overview")
	})
}

func TestManyChangesAreFewEvents(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		c := r.follow("")
		defer c.close()
		c.want("overview")
		time.Sleep(time.Second)
		for n := range 200 { // within a second
			r.page.show("A", named(fmt.Sprint(n)))
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Second)
		list := c.take()
		if len(list) < 5 || len(list) > 6 {
			r.t.Errorf("%d events of 200 changes in 1 s", len(list))
		}
		if last := list[len(list)-1]; !strings.Contains(last.data, `"name":"199"`) {
			r.t.Errorf("the last event is not the latest: %+v", last)
		}
	})
}

func TestEventsWithTheLog(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		say := func(level, message string) {
			r.page.log.Add(api.LogLine{Level: level, Message: message, Fields: map[string]string{"console": "Den"}})
		}
		say("error", "one")
		say("info", "two")
		say("warn", "three")
		quiet, c, past := r.follow(""), r.follow("?log=warn"), r.follow("?log=warn&limit=1")
		defer quiet.close()
		defer c.close()
		defer past.close()
		c.want("overview")
		quiet.want("overview")
		if list := past.want("log", "overview"); !strings.Contains(list[0].data, "three") {
			r.t.Errorf("the past is %+v", list)
		}
		say("debug", "a")
		say("error", "b\n\ndata: forged")
		say("warn", strings.Repeat("é", 2000))
		list := c.want("log", "log")
		quiet.want()
		var line api.LogLine
		if err := json.Unmarshal([]byte(list[0].data), &line); err != nil || line.ID != 5 || line.Message != "b\n\ndata: forged" {
			r.t.Errorf("%+v, %v", list[0], err)
		}
		if len(list[1].data) > 3000 {
			r.t.Error("a long line was not cut")
		}
		if c := r.follow("?log=loud"); c.status != http.StatusBadRequest {
			r.t.Errorf("an unknown level: %d", c.status)
		}
	})
}

func TestStreamsEnd(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		c := r.follow("")
		defer c.close()
		time.Sleep(time.Minute)
		if c.want("overview"); c.beats != 4 {
			t.Errorf("%d heartbeats in a minute", c.beats)
		}
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > 100*time.Millisecond { // well before requests under way are cut
			t.Errorf("the stream held the server up for %v", took)
		}
		if !c.isOver() {
			t.Error("the stream goes on")
		}
	})
}

// TestSlowReader: a client that does not read is dropped, and delays nobody.
func TestSlowReader(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		conn, err := r.http.Transport.(*http.Transport).DialContext(r.t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		c := r.follow("")
		defer c.close()
		c.want("overview")
		for n := range 300 {
			r.page.show("A", named(fmt.Sprint("n", n)))
			time.Sleep(200 * time.Millisecond)
			if got := len(c.take()); got == 0 {
				t.Fatalf("nothing after change %d", n)
			}
		}
		if _, err := io.ReadAll(conn); err != nil { // the server has hung up
			t.Error(err)
		}
	})
}

func TestTooManyStreams(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		for range 32 {
			defer r.follow("").close()
		}
		c := r.follow("")
		if c.status != http.StatusServiceUnavailable || !strings.Contains(c.body, `"busy"`) {
			t.Errorf("%d %s", c.status, c.body)
		}
	})
}

func TestTheLogIsNotForEverybody(t *testing.T) {
	may := func(_ *http.Request, need api.Access) error {
		if need > api.AccessControl {
			return &api.Error{Code: "forbidden", Message: "no"}
		}
		return nil
	}
	inStreamRig(t, may, func(r *streamRig) {
		if c := r.follow("?log=info"); c.status != http.StatusForbidden {
			t.Errorf("with the log: %d", c.status)
		}
		c := r.follow("")
		defer c.close()
		c.want("overview")
	})
}

func TestLogHasNoInvisibleCharacters(t *testing.T) {
	t.Parallel()
	p := newPage()
	p.log.Add(api.LogLine{Level: "info", Message: "a\u202eb", Fields: map[string]string{"error": "c\u2066d\n"}})
	w := post(api.Handler(api.Services{Backend: &backend{}, Page: p, Events: p.events}), http.MethodGet, "/api/v1/log", "")
	var lines []api.LogLine
	if err := json.Unmarshal(w.Body.Bytes(), &lines); err != nil || lines[0].Message != "ab" || lines[0].Fields["error"] != "cd\n" {
		t.Errorf("%s: %v", w.Body, err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	p := newPage()
	for n := range 600 {
		level := "debug"
		if n%100 == 99 {
			level = "error"
		}
		p.log.Add(api.LogLine{Level: level, Message: fmt.Sprint(n)})
	}
	h := api.Handler(api.Services{Backend: &backend{}, Page: p, Events: p.events})
	for query, want := range map[string]string{
		"":                      "101 500 600",
		"?limit=2":              "599 2 600",
		"?level=warn":           "200 5 600",
		"?level=error&limit=2":  "500 2 600",
		"?level=debug&limit=10": "591 10 600",
	} {
		w := post(h, http.MethodGet, "/api/v1/log"+query, "")
		var lines []api.LogLine
		if err := json.Unmarshal(w.Body.Bytes(), &lines); err != nil || len(lines) == 0 {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		if got := fmt.Sprint(lines[0].ID, len(lines), lines[len(lines)-1].ID); got != want {
			t.Errorf("%s: first, number and last %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=501", "?limit=x", "?level=loud"} {
		if w := post(h, http.MethodGet, "/api/v1/log"+query, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
	if w := post(api.Handler(api.Services{Backend: &backend{}, Page: p, Events: newPage().events}), http.MethodGet, "/api/v1/log", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("an empty log: %s", w.Body)
	}
}
