package hapserver

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// counted returns the counts above zero, in the form "read 1 ok".
func (s Stats) counted() string {
	var out []string
	for _, r := range s.Requests {
		for _, n := range []struct {
			count uint64
			what  string
		}{{r.OK, "ok"}, {r.Refused, "refused"}, {r.Failed, "failed"}} {
			if n.count > 0 {
				out = append(out, fmt.Sprintf("%s %d %s", r.Name, n.count, n.what))
			}
		}
	}
	return strings.Join(out, ", ")
}

func TestStatsOfRequests(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	c := f.connect(t, nil) // pair-verify: two requests
	c.must(t, "GET", "/accessories", nil)
	c.must(t, "GET", "/characteristics?id=1.13", nil)
	c.must(t, "GET", "/characteristics?id=1.99", nil) // 207: an answer, with a status in it
	c.must(t, "GET", "/characteristics?id=x", nil)
	c.must(t, "PUT", "/characteristics", `{"characteristics":[{"aid":1,"iid":13,"value":"Attic"}]}`)
	c.must(t, "GET", "/nowhere", nil)
	stranger := f.stranger(t)
	stranger.must(t, "GET", "/accessories", nil)
	stranger.must(t, "DELETE", "/pairings", nil)
	s := f.Stats()
	want := "accessories 1 ok, accessories 1 refused, other 2 refused, pair_verify 2 ok, read 2 ok, read 1 refused, write 1 ok"
	if got := s.counted(); got != want {
		t.Errorf("counted %s\nwant    %s", got, want)
	}
	if s.Opened != 2 || s.Connections != 2 || s.Verified != 1 || s.Pairings != 1 || s.SetupLocked || s.Announced {
		t.Errorf("%+v", s)
	}
	var names []string
	for _, r := range s.Requests {
		names = append(names, r.Name)
	}
	if want := "accessories identify other pair_setup pair_verify pairings prepare read write"; strings.Join(names, " ") != want || !slices.IsSorted(names) {
		t.Errorf("kinds of requests: %q", names)
	}
}

// A handler that panics costs its connection; the request counts as failed.
// What is no HTTP has no route.
func TestStatsOfBadRequests(t *testing.T) {
	t.Parallel()
	f := newPaired(t, func(o *Options) { o.Log = nil }).start(t)
	f.m.cs[iidName].SetValueRequestFunc = func(any, *http.Request) (any, int) { panic("a bug") }
	c := f.connect(t, nil)
	if err := c.send(requestBytes("PUT", "/characteristics", typeJSON, []byte(putBody(iidName, `"x"`)))); err != nil {
		t.Fatal(err)
	}
	c.gone(t)
	c = f.connect(t, nil)
	if err := c.send([]byte("no HTTP at all\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	c.gone(t)
	if got := f.Stats().counted(); got != "other 1 refused, pair_verify 4 ok, write 1 failed" {
		t.Errorf("counted %s", got)
	}
}

func TestStatsOfEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &fakePublisher{}
		f := newPaired(t, func(o *Options) { o.Publisher = fake })
		defer f.startPiped(t)()
		c := f.connect(t, nil).subscribe(t, iidActive, iidName)
		f.Set(f.m.cs[iidActive], 1, nil)
		f.Set(f.m.cs[iidName], "Attic", nil)
		if _, err := c.nextEvent(); err != nil { // both values in one message
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s := f.Stats(); s.Events != 1 || s.EventValues != 2 || !s.Announced {
			t.Errorf("%+v", s)
		}
	})
}
