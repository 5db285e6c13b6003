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
	ended   chan struct{} // closed: every stream ends
	mu      sync.Mutex
	open    map[any]int // streams by their caller
}

// NewEvents returns events with the lines of a log.
func NewEvents(log *Log) *Events {
	return &Events{log: log, ended: make(chan struct{}), open: map[any]int{}}
}

// Changed reports that the overview, an input or an accessory may have changed.
// It does not block.
func (e *Events) Changed() { e.changed.raise() }

// Run waits until ctx is done, then ends every stream.
func (e *Events) Run(ctx context.Context) {
	<-ctx.Done()
	close(e.ended)
}

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
	*Events
	page Page
	EventsRequest
}

func (stream) mediaType() string { return "text/event-stream" }

// write sends events until the client disconnects or stops reading, loses its
// access, or the server stops.
func (s stream) write(services *Services, w http.ResponseWriter, r *http.Request) {
	if s.Log != "" && services.Permit != nil {
		if err := services.Permit(r, AccessSetup); err != nil {
			WriteError(w, err)
			return
		}
	}
	var caller any
	if services.Caller != nil {
		caller = services.Caller(r)
	}
	if err := s.enter(caller); err != nil {
		WriteError(w, err)
		return
	}
	defer s.leave(caller)
	h := w.Header()
	h.Set("Content-Type", s.mediaType())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // tells a reverse proxy not to hold events back
	if r.Method != http.MethodHead {
		s.run(r.Context(), w)
	}
}

func (s stream) run(ctx context.Context, w http.ResponseWriter) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	first := make(chan struct{})
	close(first)
	var (
		out           bytes.Buffer
		changed, next <-chan struct{} = first, nil // closed: send an overview; nil during the pause after one
		pause         <-chan time.Time
	)
	lines, last := s.log.after(0, s.Log)
	lines = lines[max(0, len(lines)-s.Limit):]
	for {
		added := s.log.added.wait()
		if s.Log != "" {
			more, id := s.log.after(last, s.Log)
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
		case <-s.ended:
			return
		case <-added:
		case <-beat.C:
			out.WriteString(": still here\n\n")
		case <-changed:
			next = s.changed.wait() // before the overview is read, so that no change is missed
			if overview, err := s.page.Overview(ctx, None{}); err == nil {
				put(&out, "overview", overview)
			}
			changed, pause = nil, time.After(overviewGap)
		case <-pause:
			changed, pause = next, nil
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
