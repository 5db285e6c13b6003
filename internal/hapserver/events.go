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

// Set stores a value and, if it is another one than before, tells every subscribed controller but the connection of by. A nil by
// excludes nobody. It never waits for a peer. A value that does not fit the characteristic is logged and dropped.
//
// A uint64 characteristic must only be set through this method: hap's own setter panics on the format.
func (s *Server) Set(c *characteristic.C, v any, by *http.Request) {
	value, err := checkedValue(c, goValue(v))
	if err != nil {
		s.log.Errorf("characteristic %d of type %s was not set: %v", c.Id, c.Type, err)
		return
	}
	writer, ce := peerOf(by), s.db.byC[c]
	if writer != nil {
		// What the writer has not been told yet is older than what it writes. Before the value is stored: what
		// another one sets meanwhile has to reach the writer.
		writer.events.forget(ce)
	}
	if s.store(c, value) {
		s.tell(ce, writer)
	}
}

// Notify tells every subscribed controller the current value, changed or not: after a write that was taken back, its writer too.
func (s *Server) Notify(c *characteristic.C) { s.tell(s.db.byC[c], nil) }

func (s *Server) tell(ce *cell, but *peer) {
	for _, p := range s.peers.all() {
		if p != but {
			p.events.mark(ce)
		}
	}
}

// store puts a checked value into the model and tells whether it differs from the one before.
func (s *Server) store(c *characteristic.C, v any) bool {
	if _, ok := v.(uint64); ok { // hap v0.0.35 panics on a uint64: it clamps every integer as an int
		s.wide.Lock()
		defer s.wide.Unlock()
		changed := c.Val != v
		c.Val = v
		return changed
	}
	// Without a request this converts, calls the model's observers and answers nil when nothing has changed.
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

// eventQueue is what one connection wants to hear and has not been told yet. Only which characteristics changed is kept, not their
// values: the message carries the latest ones.
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

// deliverEvents writes events until ctx is done or the peer does not take one in time, which ends the connection.
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
		delay.Reset(p.s.lim.EventDelay)
		select {
		case <-ctx.Done():
			return
		case <-delay.C:
		}
		if !p.flushEvents() {
			return
		}
	}
}

// flushEvents writes what is due as one message.
func (p *peer) flushEvents() bool {
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
		p.s.log.Errorf("an event could not be written as JSON: %v", err)
		return true
	}
	head := fmt.Sprintf("EVENT/1.0 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", typeJSON, len(body))
	err = p.out.write(append([]byte(head), body...))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.s.log.Debugf("%s does not read its events: connection closed", p.conn.RemoteAddr())
	}
	if err != nil {
		p.shut()
		return false
	}
	p.s.counts.events.Add(1)
	p.s.counts.values.Add(uint64(len(items)))
	return true
}
