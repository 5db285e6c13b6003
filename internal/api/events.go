package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Limits of the streams of events.
const (
	maxStreams  = 32
	maxOfCaller = 8
	overviewGap = 200 * time.Millisecond // at least, between two overviews
	heartbeat   = 15 * time.Second       // between two comments that keep a stream open
	streamWrite = 10 * time.Second       // a client that reads more slowly is dropped
)

// Events are what the streams of GET /events follow: changes of the overview,
// and lines of the log. Each stream sends whole overviews at its own pace, so a
// slow client misses intermediate states, delays no one and needs no resume.
type Events struct {
	log     *Log
	changed signal
	ended   <-chan struct{} // closed: every stream ends
	mu      sync.Mutex
	open    map[any]int // streams by their caller
}

// NewEvents returns events with the lines of a log. Every stream ends when ctx
// is done.
func NewEvents(ctx context.Context, log *Log) *Events {
	return &Events{log: log, ended: ctx.Done(), open: map[any]int{}}
}

// Changed reports that the overview, an input or an accessory may have changed.
// It does not block.
func (e *Events) Changed() { e.changed.raise() }

// Next returns a channel that is closed at the next change.
func (e *Events) Next() <-chan struct{} { return e.changed.wait() }

// enter counts a stream of a caller, which is nil on the socket.
func (e *Events) enter(caller any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := 0
	for _, n := range e.open {
		all += n
	}
	const hint = "Close the ones you don't need."
	switch {
	case all >= maxStreams:
		return &Error{Code: "busy", Message: fmt.Sprintf("%d streams of events are open already", maxStreams), Hint: hint}
	case caller != nil && e.open[caller] >= maxOfCaller:
		return &Error{Code: "busy", Message: fmt.Sprintf("%d streams of events are open already for this session or token", maxOfCaller), Hint: hint}
	}
	e.open[caller]++
	return nil
}

func (e *Events) leave(caller any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open[caller]--; e.open[caller] == 0 {
		delete(e.open, caller)
	}
}

// stream is the answer to GET /events.
type stream struct {
	services Services
	EventsRequest
}

func (stream) mediaType() string { return "text/event-stream" }

// write sends events until the client disconnects or stops reading, loses its
// access, or the server stops.
func (s stream) write(w http.ResponseWriter, r *http.Request) {
	var caller any
	if s.services.Accounts != nil {
		caller = s.services.Caller(r)
		if s.Log != "" {
			if err := s.services.Permit(r, AccessSetup); err != nil {
				WriteError(w, err)
				return
			}
		}
	}
	events := s.services.Events
	if err := events.enter(caller); err != nil {
		WriteError(w, err)
		return
	}
	defer events.leave(caller)
	w.Header().Set("X-Accel-Buffering", "no") // tells a reverse proxy not to hold events back
	if r.Method != http.MethodHead {
		s.follow(r.Context(), events, w)
	}
}

// follow sends the overview at once and after each change, and lines of the log.
func (s stream) follow(ctx context.Context, events *Events, w http.ResponseWriter) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var (
		out     bytes.Buffer
		changed <-chan struct{}
		due     = time.After(0) // for an overview; nil until something changes
		sent    time.Time       // the last overview
	)
	lines, last := events.log.after(0, s.Log)
	lines = lines[max(0, len(lines)-s.Limit):]
	for {
		added := events.log.added.wait()
		if s.Log != "" {
			more, id := events.log.after(last, s.Log)
			for _, line := range append(lines, more...) {
				put(&out, "log", line)
			}
			lines, last = nil, id
		}
		if !flush(w, &out) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-events.ended:
			return
		case <-added:
		case <-beat.C:
			out.WriteString(": still here\n\n")
		case <-changed:
			changed, due = nil, time.After(time.Until(sent.Add(overviewGap)))
		case <-due:
			changed, due, sent = events.changed.wait(), nil, time.Now() // wait first, so that no change is missed
			if overview, err := s.services.Overview(ctx, None{}); err == nil {
				put(&out, "overview", overview)
			}
		}
	}
}

func put(out *bytes.Buffer, name string, v any) {
	data, _ := json.Marshal(v) // a plain struct: cannot fail, and has no line breaks
	fmt.Fprintf(out, "event: %s\ndata: %s\n\n", name, data)
}

func flush(w http.ResponseWriter, out *bytes.Buffer) bool {
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return false
	}
	_, err := w.Write(out.Bytes())
	out.Reset()
	return errors.Join(err, c.Flush(), c.SetWriteDeadline(time.Time{})) == nil
}
