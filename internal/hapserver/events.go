package hapserver

import (
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
func (s *Server) Set(c *characteristic.C, v any, by *http.Request) {
	value, ok := checkValue(c, v)
	if !ok {
		s.log.Errorf("cannot set characteristic %d of type %s: the value does not fit", c.Id, c.Type)
		return
	}
	writer, ce := peerOf(by), s.db.byC[c]
	if writer != nil {
		// An event that waits for the writer is older than its write. Forget it
		// before storing: a later value of another writer must reach this one.
		writer.events.forget(ce)
	}
	// Without a request hap stores the value, calls the model's observers, and
	// returns nil if nothing changed.
	if changed, _ := c.SetValueRequest(value, nil); changed != nil {
		s.notify(ce, writer)
	}
}

// Notify sends every subscribed controller the current value, changed or not,
// so that a writer learns that its write was undone.
func (s *Server) Notify(c *characteristic.C) { s.notify(s.db.byC[c], nil) }

func (s *Server) notify(ce *cell, except *peer) {
	for _, p := range s.peers.all() {
		if p != except {
			p.events.mark(ce)
		}
	}
}

// eventQueue holds a connection's subscriptions, and which of them have
// changed. Events carry the values of the time at which they are sent.
type eventQueue struct {
	mu   sync.Mutex
	on   map[*cell]bool
	due  []*cell
	wake chan struct{}
}

func (q *eventQueue) subscribe(ce *cell, on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.on[ce] = on
	if !on {
		q.drop(ce)
	}
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

// deliverEvents sends events until the connection ends. It waits a moment to
// collect changes into one message.
func (p *peer) deliverEvents() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.events.wake:
		}
		select {
		case <-p.ctx.Done():
			return
		case <-time.After(eventDelay):
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
		items = append(items, item{AID: ce.id.aid, IID: ce.id.iid, Value: liveValue{ce.c}})
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
	if err := p.write(append([]byte(head), body...)); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.s.log.Debugf("closed the connection of %s, which does not read its events", p.conn.RemoteAddr())
		}
		return false
	}
	p.s.counts.events.Add(1)
	p.s.counts.values.Add(uint64(len(items)))
	return true
}
