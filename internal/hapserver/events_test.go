package hapserver

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func (c *controller) subscribe(t testing.TB, iids ...uint64) *controller {
	t.Helper()
	var items []string
	for _, iid := range iids {
		items = append(items, fmt.Sprintf(`{"aid":1,"iid":%d,"ev":true}`, iid))
	}
	if a := c.must(t, "PUT", "/characteristics", `{"characteristics":[`+strings.Join(items, ",")+`]}`); a.status != 204 {
		t.Fatalf("subscribe: %d %s", a.status, a.body)
	}
	return c
}

func eventOf(iid uint64, value string) string {
	return fmt.Sprintf(`{"characteristics":[{"aid":1,"iid":%d,"value":%s}]}`, iid, value)
}

func (c *controller) wantEvent(t testing.TB, want string) {
	t.Helper()
	if got, err := c.nextEvent(); err != nil || got != want {
		t.Errorf("event %s %v, want %s", got, err, want)
	}
}

// quiet checks that nothing comes for a while.
func (c *controller) quiet(t testing.TB) {
	t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := c.nextEvent(); err == nil {
		t.Errorf("unexpected event: %s", got)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testEvents)
}

func testEvents(t *testing.T) {
	f := newPaired(t)
	defer f.startPiped(t)()
	f.m.handled(f.Server, iidActive)
	a := f.connect(t, nil).subscribe(t, iidActive, iidName)
	b := f.connect(t, nil).subscribe(t, iidActive)
	none := f.connect(t, nil)

	f.Set(f.m.cs[iidActive], 1, nil)
	a.wantEvent(t, eventOf(iidActive, "1"))
	b.wantEvent(t, eventOf(iidActive, "1"))
	f.Set(f.m.cs[iidActive], 1, nil) // no change
	f.Set(f.m.cs[iidName], "Bed", nil)
	a.wantEvent(t, eventOf(iidName, `"Bed"`))

	// Not to the writer, but to the others.
	a.must(t, "PUT", "/characteristics", putBody(iidActive, "0"))
	b.wantEvent(t, eventOf(iidActive, "0"))
	// A write to a characteristic without a handler causes an event too.
	a.must(t, "PUT", "/characteristics", putBody(iidName, `"Den"`))
	// The writer learns that its write was undone, changed or not.
	f.Notify(f.m.cs[iidActive])
	a.wantEvent(t, eventOf(iidActive, "0"))
	b.wantEvent(t, eventOf(iidActive, "0"))
	// Unsubscribed.
	b.must(t, "PUT", "/characteristics", `{"characteristics":[{"aid":1,"iid":11,"ev":false}]}`)
	f.Set(f.m.cs[iidActive], 1, nil)
	a.wantEvent(t, eventOf(iidActive, "1"))
	for _, c := range []*controller{a, b, none} {
		c.quiet(t)
	}
}

func TestEventsAreCoalesced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newPaired(t)
		defer f.startPiped(t)()
		c := f.connect(t, nil).subscribe(t, iidInput, iidName)
		start := time.Now()
		for i := range 10 {
			f.Set(f.m.cs[iidInput], 100+i, nil)
			time.Sleep(time.Millisecond)
		}
		f.Set(f.m.cs[iidName], "Bed", nil)
		c.wantEvent(t, `{"characteristics":[{"aid":1,"iid":15,"value":109},{"aid":1,"iid":13,"value":"Bed"}]}`)
		if d := time.Since(start); d != 20*time.Millisecond {
			t.Errorf("after %v", d)
		}
		// An event that waits for the writer is older than its write.
		f.Set(f.m.cs[iidName], "old", nil)
		c.must(t, "PUT", "/characteristics", putBody(iidName, `"new"`))
		c.quiet(t)
	})
}

// The handler's consequences reach the writer, its own value does not.
func TestEventsOfConsequences(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	f.m.cs[iidActive].SetValueRequestFunc = func(v any, r *http.Request) (any, int) {
		f.Set(f.m.cs[iidActive], v, r)
		f.Set(f.m.cs[iidName], "changed", nil)
		return nil, 0
	}
	c := f.connect(t, nil).subscribe(t, iidActive, iidName)
	c.must(t, "PUT", "/characteristics", putBody(iidActive, "1"))
	c.wantEvent(t, eventOf(iidName, `"changed"`))
}

// hap v0.0.35 wrote events and responses without a lock: 36 of 36 connections
// died when events raced reads.
func TestEventsRacingResponses(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	stop := make(chan struct{})
	var setter, readers sync.WaitGroup
	setter.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				f.Set(f.m.cs[iidInput], i%1000+1, nil)
			}
		}
	})
	for range 36 {
		readers.Go(func() {
			c := f.admin.again().use(f.dial())
			defer c.conn.Close()
			if err := c.verify(f.records.load()); err != nil {
				t.Error(err)
				return
			}
			c.subscribe(t, iidInput)
			for range 12 {
				for _, path := range []string{"/characteristics?id=1.13", "/accessories"} {
					if a, err := c.do("GET", path, nil); err != nil || a.status != 200 {
						t.Errorf("%s: %d %v", path, a.status, err)
						return
					}
				}
			}
			if _, err := c.nextEvent(); err != nil {
				t.Errorf("an event: %v", err)
			}
		})
	}
	readers.Wait()
	close(stop)
	setter.Wait()
}

// In hap v0.0.35 a subscriber that stopped reading blocked the application.
func TestSubscriberThatDoesNotReadIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newPaired(t)
		defer f.startPiped(t)()
		deaf, good := f.connect(t, nil).subscribe(t, iidInput), f.connect(t, nil).subscribe(t, iidInput)
		for i := range 3 {
			start := time.Now()
			f.Set(f.m.cs[iidInput], 100+i, nil)
			if time.Since(start) != 0 {
				t.Error("the program waited")
			}
			good.wantEvent(t, eventOf(iidInput, itoa(100+i)))
			if time.Since(start) != 20*time.Millisecond {
				t.Errorf("the other one waited %v", time.Since(start))
			}
		}
		time.Sleep(6 * time.Second)
		if i := f.Stats(); i.Connections != 1 {
			t.Errorf("%d connections after 6 s", i.Connections)
		}
		deaf.gone(t)
	})
}

// In hap v0.0.35 connections were kept in one map for the process, by remote
// address only: an event of one television went to the client of another.
func TestEventsOfTwoServersStayApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, g := newPaired(t), newPaired(t)
		defer f.startPiped(t)()
		defer g.startPiped(t)()
		a, b := f.connect(t, nil).subscribe(t, iidActive), g.connect(t, nil).subscribe(t, iidActive)
		f.Set(f.m.cs[iidActive], 1, nil)
		a.wantEvent(t, eventOf(iidActive, "1"))
		b.quiet(t)
	})
}

// All connections over net.Pipe have the same address.
func TestEventsAreNotKeyedByAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newPaired(t)
		defer f.startPiped(t)()
		a, b := f.connect(t, nil).subscribe(t, iidActive), f.connect(t, nil)
		b.must(t, "PUT", "/characteristics", putBody(iidActive, "1"))
		a.wantEvent(t, eventOf(iidActive, "1"))
		b.quiet(t)
	})
}
