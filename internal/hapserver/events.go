package hapserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/brutella/hap/characteristic"
)

// Set stores a value. If it changed, Set notifies every subscribed controller
// except the connection of by, if any. It never waits for a peer. A value that
// does not fit the characteristic is logged and dropped.
//
// A uint64 characteristic must only be set by this method, as hap's own setter
// panics.
func (s *Server) Set(c *characteristic.C, v any, by *http.Request) {
	value, err := checkValue(c, goValue(v))
	if err != nil {
		s.log.Errorf("cannot set characteristic %d of type %s: %v", c.Id, c.Type, err)
		return
	}
	writer, ce := peerOf(by), s.db.byC[c]
	if writer != nil {
		// An event that waits for the writer is older than its write. Forget it
		// before storing: a later value of another writer must reach this one.
		writer.events.forget(ce)
	}
	if s.store(c, value) {
		s.notify(ce, writer)
	}
}

// Notify sends every subscribed controller the current value, changed or not. A
// write that was undone thus reaches its writer.
func (s *Server) Notify(c *characteristic.C) { s.notify(s.db.byC[c], nil) }

func (s *Server) notify(ce *cell, except *peer) {
	for _, p := range s.peers.all() {
		if p != except {
			p.events.mark(ce)
		}
	}
}

// store puts a checked value into the model, and reports whether it changed.
func (s *Server) store(c *characteristic.C, v any) bool {
	if _, ok := v.(uint64); ok { // hap v0.0.35 panics on a uint64, as it clamps integers as int
		s.wide.Lock()
		defer s.wide.Unlock()
		changed := c.Val != v
		c.Val = v
		return changed
	}
	// Without a request this converts the value, calls the model's observers,
	// and returns nil if nothing changed.
	changed, _ := c.SetValueRequest(v, nil)
	return changed != nil
}

// stored returns the value in the model.
func (s *Server) stored(c *characteristic.C) any {
	if c.Format == characteristic.FormatUInt64 {
		s.wide.Lock()
		defer s.wide.Unlock()
		return c.Val
	}
	return c.Value()
}

// eventQueue holds a connection's subscriptions, and which of them have
// changed. Events carry the values at the time they are sent.
type eventQueue struct {
	mu   sync.Mutex
	on   map[*cell]bool
	due  []*cell
	wake chan struct{}
}

func newEventQueue() *eventQueue {
	return &eventQueue{on: map[*cell]bool{}, wake: make(chan struct{}, 1)}
}

func (q *eventQueue) subscribe(ce *cell, on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if on {
		q.on[ce] = true
		return
	}
	delete(q.on, ce)
	q.drop(ce)
}

func (q *eventQueue) subscribed(ce *cell) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.on[ce]
}

// mark makes a characteristic due, if it is subscribed.
func (q *eventQueue) mark(ce *cell) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.on[ce] || slices.Contains(q.due, ce) {
		return
	}
	q.due = append(q.due, ce)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *eventQueue) forget(ce *cell) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(ce)
}

func (q *eventQueue) drop(ce *cell) {
	q.due = slices.DeleteFunc(q.due, func(d *cell) bool { return d == ce })
}

func (q *eventQueue) take() []*cell {
	q.mu.Lock()
	defer q.mu.Unlock()
	due := q.due
	q.due = nil
	return due
}

// deliverEvents sends events until ctx is done or the connection fails. It
// waits a moment to collect changes into one message.
func (p *peer) deliverEvents(ctx context.Context) {
	delay := time.NewTimer(0)
	defer delay.Stop()
	<-delay.C
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.events.wake:
		}
		delay.Reset(eventDelay)
		select {
		case <-ctx.Done():
			return
		case <-delay.C:
		}
		if !p.sendEvents() {
			p.shut()
			return
		}
	}
}

// sendEvents sends what is due as one message. It returns false if the peer
// does not take it in time.
func (p *peer) sendEvents() bool {
	var items []item
	for _, ce := range p.events.take() {
		if value, err := json.Marshal(p.s.stored(ce.c)); err == nil {
			items = append(items, item{AID: ce.id.aid, IID: ce.id.iid, Value: value})
		}
	}
	if len(items) == 0 {
		return true
	}
	body, err := json.Marshal(itemsJSON{items})
	if err != nil {
		p.s.log.Errorf("cannot encode an event: %v", err)
		return true
	}
	head := fmt.Sprintf("EVENT/1.0 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", typeJSON, len(body))
	if err := p.out.write(append([]byte(head), body...)); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.s.log.Debugf("closed the connection of %s, which does not read its events", p.conn.RemoteAddr())
		}
		return false
	}
	p.s.counts.events.Add(1)
	p.s.counts.values.Add(uint64(len(items)))
	return true
}
