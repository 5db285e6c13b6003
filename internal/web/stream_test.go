package web_test

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

	"github.com/ps4kit/ps4kit/internal/web"
)

// sent is an event as a client reads it.
type sent struct{ name, id, data string }

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

func inStreamRig(t *testing.T, may web.Permission, do func(r *streamRig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, ln := newPage(), newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { p.events.Run(ctx) })
		running.Go(func() { _ = web.Serve(ctx, ln, web.API(&backend{}, p, may), nil) })
		stop := func() {
			cancel()
			running.Wait()
		}
		defer stop()
		transport := &http.Transport{DialContext: ln.dial, DisableKeepAlives: true}
		do(&streamRig{t: t, page: p, http: &http.Client{Transport: transport}, stop: stop})
	})
}

// follow opens a stream, "?log=info", as a client that saw the event lastID last.
func (r *streamRig) follow(query, lastID string) *client {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/api/v1/events"+query, nil)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
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
		case "id":
			e.id = value
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

func TestEventsTellWhatChanges(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		r.page.show("A", named("Den"))
		synctest.Wait()
		c := r.follow("", "")
		defer c.close()
		first := c.want("hello", "overview")
		if first[0].data != `{"version":"v1","resumed":false}` || !strings.Contains(first[1].data, `"name":"Den"`) {
			t.Errorf("%+v", first)
		}
		time.Sleep(time.Second)
		v := named("Attic")
		r.page.show("A", v)
		e := c.want("console")[0]
		var card web.Card
		if err := json.Unmarshal([]byte(e.data), &card); err != nil || card.Name != "Attic" || e.id == first[1].id {
			t.Errorf("%+v, %v", e, err)
		}
		time.Sleep(time.Second)
		seen := *v.Card
		seen.LastSeen = time.Now()
		r.page.show("A", web.View{Card: &seen}) // no news
		time.Sleep(time.Second)
		c.want()
		r.page.show("A", web.View{Card: v.Card, Titles: []web.Title{{ID: "HOME"}}, Homekit: &web.Accessory{Paired: true}})
		time.Sleep(time.Second)
		if e := c.want("titles", "homekit"); e[0].data != `{"host_id":"A"}` || e[1].data != e[0].data {
			t.Errorf("%+v", e)
		}
		r.page.show("A", web.View{})
		if e := c.want("removed", "homekit"); e[0].data != `{"host_id":"A"}` {
			t.Errorf("%+v", e)
		}
	})
}

func TestManyChangesAreOneEvent(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		c := r.follow("", "")
		defer c.close()
		c.want("hello", "overview")
		for n := range 100 { // in half a second
			r.page.show("A", named(fmt.Sprint(n)))
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Second)
		list := c.take()
		if got := len(list) - 1; got < 5 || got > 6 { // the first look tells of the titles, too
			t.Errorf("%d events of 100 changes in 0.5 s", got)
		}
		if last := list[len(list)-1]; !strings.Contains(last.data, `"name":"99"`) {
			t.Errorf("the last event is not the latest: %+v", last)
		}
	})
}

func TestEventsGoOnWhereTheClientWas(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		r.page.show("A", named("one"))
		synctest.Wait()
		c := r.follow("", "")
		last := c.want("hello", "overview")[1].id
		c.close()
		time.Sleep(time.Second)
		r.page.show("A", named("two"))
		synctest.Wait()
		c = r.follow("", last)
		list := c.want("hello", "console")
		if list[0].data != `{"version":"v1","resumed":true}` || !strings.Contains(list[1].data, `"name":"two"`) {
			t.Errorf("%+v", list)
		}
		c.close()
		for _, other := range []string{"nothing", "another-1-1", last + "-0", strings.Replace(last, "-", "-18446744073709551615", 1)} {
			c = r.follow("", other)
			if list := c.want("hello", "overview"); list[0].data != `{"version":"v1","resumed":false}` {
				t.Errorf("%q: %+v", other, list)
			}
			c.close()
		}
		for n := range 300 { // more than are kept
			r.page.show("A", named(fmt.Sprint("n", n)))
			time.Sleep(100 * time.Millisecond)
		}
		c = r.follow("", last)
		c.want("hello", "overview")
		c.close()
	})
}

func TestEventsWithTheLog(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		say := func(level, message string) {
			r.page.log.Add(web.LogLine{Level: level, Message: message, Fields: map[string]string{"console": "Den"}})
		}
		say("info", "before")
		quiet, c := r.follow("", ""), r.follow("?log=warn", "")
		defer quiet.close()
		c.want("hello", "overview")
		quiet.want("hello", "overview")
		say("debug", "a")
		say("error", "b\n\ndata: forged")
		say("warn", strings.Repeat("é", 2000))
		list := c.want("log", "log")
		quiet.want()
		var line web.LogLine
		if err := json.Unmarshal([]byte(list[0].data), &line); err != nil || line.ID != 3 || line.Message != "b\n\ndata: forged" {
			t.Errorf("%+v, %v", list[0], err)
		}
		if len(list[1].data) > 3000 {
			t.Error("a long line was not cut")
		}
		c.close()
		say("error", "meanwhile")
		c = r.follow("?log=warn", list[1].id)
		if list := c.want("hello", "log"); !strings.Contains(list[1].data, "meanwhile") {
			t.Errorf("%+v", list)
		}
		c.close()
		if c := r.follow("?log=loud", ""); c.status != http.StatusBadRequest {
			t.Errorf("an unknown level: %d", c.status)
		}
	})
}

func TestStreamsEnd(t *testing.T) {
	inStreamRig(t, nil, func(r *streamRig) {
		c := r.follow("", "")
		defer c.close()
		time.Sleep(time.Minute)
		if c.want("hello", "overview"); c.beats != 4 {
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
		c := r.follow("", "")
		defer c.close()
		c.want("hello", "overview")
		for n := range 300 {
			r.page.show("A", named(fmt.Sprint("n", n)))
			time.Sleep(100 * time.Millisecond)
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
			defer r.follow("", "").close()
		}
		c := r.follow("", "")
		if c.status != http.StatusServiceUnavailable || !strings.Contains(c.body, `"busy"`) {
			t.Errorf("%d %s", c.status, c.body)
		}
	})
}

func TestTheLogIsNotForEverybody(t *testing.T) {
	may := func(_ *http.Request, need web.Access) error {
		if need > web.AccessControl {
			return &web.Error{Code: "forbidden", Message: "no"}
		}
		return nil
	}
	inStreamRig(t, may, func(r *streamRig) {
		if c := r.follow("?log=info", ""); c.status != http.StatusForbidden {
			t.Errorf("with the log: %d", c.status)
		}
		c := r.follow("", "")
		defer c.close()
		c.want("hello", "overview")
	})
}

func TestLog(t *testing.T) {
	t.Parallel()
	p := newPage()
	for n := range 600 {
		level := "debug"
		if n%100 == 99 {
			level = "error"
		}
		p.log.Add(web.LogLine{Level: level, Message: fmt.Sprint(n)})
	}
	api := web.API(&backend{}, p, nil)
	for query, want := range map[string]string{
		"":                      "101 500 600",
		"?limit=2":              "599 2 600",
		"?level=warn":           "200 5 600",
		"?level=error&limit=2":  "500 2 600",
		"?level=debug&limit=10": "591 10 600",
	} {
		w := post(api, http.MethodGet, "/api/v1/log"+query, "")
		var lines []web.LogLine
		if err := json.Unmarshal(w.Body.Bytes(), &lines); err != nil || len(lines) == 0 {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		if got := fmt.Sprint(lines[0].ID, len(lines), lines[len(lines)-1].ID); got != want {
			t.Errorf("%s: first, number and last %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=501", "?limit=x", "?level=loud"} {
		if w := post(api, http.MethodGet, "/api/v1/log"+query, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
	if w := post(web.API(&backend{}, newPage(), nil), http.MethodGet, "/api/v1/log", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("an empty log: %s", w.Body)
	}
}
