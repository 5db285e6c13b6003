package hapcontroller_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// patience bounds every wait of these tests. A test that passes never waits so
// long.
const patience = peer.Patience

func TestMain(m *testing.M) { peer.Main(m) }

// controller is a running controller.js.
type controller struct {
	*peer.Driver
	t      *testing.T
	events chan event
}

type args = peer.Args

type event struct {
	client string
	characteristic
}

type characteristic struct {
	AID    int    `json:"aid"`
	IID    int    `json:"iid"`
	Type   string `json:"type"`
	Value  any    `json:"value"`
	Status int    `json:"status"`
}

// startController runs controller.js until the test ends.
func startController(t *testing.T) *controller {
	t.Helper()
	c := &controller{t: t, events: make(chan event, 256)}
	c.Driver = peer.StartDriver(t, ".", []string{"node", "controller.js"}, c.read)
	return c
}

func (c *controller) read(line []byte) {
	var said struct {
		Event  []characteristic `json:"event"`
		Client string           `json:"client"`
	}
	if err := json.Unmarshal(line, &said); err != nil {
		c.t.Errorf("controller.js said %q", line)
	}
	for _, ch := range said.Event {
		c.events <- event{said.Client, ch}
	}
}

// expectEvent waits until a characteristic has a value, whatever events come
// before.
func (c *controller) expectEvent(client string, iid int, value float64) {
	c.t.Helper()
	c.eventsUntil(event{client, characteristic{AID: 1, IID: iid, Value: value}})
}

// eventsUntil waits for an event, and returns those that came before it.
func (c *controller) eventsUntil(want event) (before []event) {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-c.events:
			if e == want {
				return before
			}
			before = append(before, e)
		case <-deadline:
			c.t.Fatalf("no event %+v; there were %+v", want, before)
		}
	}
}
