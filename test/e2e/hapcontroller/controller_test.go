package hapcontroller_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of these tests; it is never waited out when things
// work.
const patience = time.Minute

// controller is a running controller.js.
type controller struct {
	t      *testing.T
	in     io.Writer
	events chan event

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`

	Event  []characteristic `json:"event"`
	Client string           `json:"client"`
}

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
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "controller.js")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &controller{t: t, in: in, events: make(chan event, 256), waiting: map[int]chan answer{}}
	read := make(chan struct{})
	go func() { defer close(read); c.read(out) }()
	t.Cleanup(func() {
		cancel()
		<-read
		_ = cmd.Wait()
	})
	return c
}

func (c *controller) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			c.t.Errorf("controller.js said %q", lines.Text())
			return
		}
		for _, ch := range a.Event {
			c.events <- event{a.Client, ch}
		}
		c.mu.Lock()
		if w, ok := c.waiting[a.ID]; ok {
			w <- a
			delete(c.waiting, a.ID)
		}
		c.mu.Unlock()
	}
}

type args map[string]any

// try sends one command and returns its answer.
func (c *controller) try(verb string, a args) (json.RawMessage, error) {
	c.mu.Lock()
	c.next++
	id, reply := c.next, make(chan answer, 1)
	c.waiting[id] = reply
	line := args{"id": id, "do": verb}
	for k, v := range a {
		line[k] = v
	}
	err := json.NewEncoder(c.in).Encode(line)
	c.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", verb, err)
	}
	select {
	case r := <-reply:
		if r.Error != "" {
			return nil, errors.New(r.Error)
		}
		return r.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer after %v", verb, patience)
	}
}

// do is try for a command that has to succeed; its result is decoded into out
// unless that is nil.
func (c *controller) do(verb string, a args, out any) {
	c.t.Helper()
	result, err := c.try(verb, a)
	if err != nil {
		c.t.Fatalf("%s: %v", verb, err)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(result, out); err != nil {
		c.t.Fatalf("%s: %v in %s", verb, err, result)
	}
}

// expectEvent waits for an event of the characteristic with the value, whatever
// comes before it.
func (c *controller) expectEvent(client string, iid int, value float64) {
	c.t.Helper()
	c.eventsUntil(event{client, characteristic{AID: 1, IID: iid, Value: value}})
}

// eventsUntil waits for an event, and returns what came before it.
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
