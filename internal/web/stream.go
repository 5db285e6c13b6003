package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limits of a stream.
const (
	heartbeat   = 15 * time.Second // between two comments that keep it open
	streamWrite = 10 * time.Second // a reader that takes longer is dropped
)

// place is how far a stream has come in the events and in the log.
type place struct{ event, line uint64 }

// id is the place as an event tells it: "RUN-EVENT-LINE".
func (e *Events) id(at place) string { return fmt.Sprintf("%s-%d-%d", e.run, at.event, at.line) }

// placeOf reads the id that a client saw last; ok says that it is one of this run.
func (e *Events) placeOf(id string) (at place, ok bool) {
	parts := strings.Split(id, "-")
	if len(parts) != 3 || parts[0] != e.run {
		return place{}, false
	}
	var err1, err2 error
	at.event, err1 = strconv.ParseUint(parts[1], 10, 64)
	at.line, err2 = strconv.ParseUint(parts[2], 10, 64)
	return at, err1 == nil && err2 == nil
}

// streamHandler answers GET /events: server-sent events as docs/api.md describes them.
func streamHandler(p Page, may Permission) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, level := p.Events(), r.URL.Query().Get("log")
		if err := checkStream(w, r, level, may); err != nil {
			refuse(w, err)
			return
		}
		defer e.streams.Add(-1)
		if e.streams.Add(1) > maxStreams {
			refuse(w, &Error{Code: codeBusy, Message: fmt.Sprintf("%d streams of events are open already", maxStreams),
				Hint: "Close pages of ps4kit that are not needed."})
			return
		}
		s := &stream{Events: e, page: p, w: w, level: level}
		s.begin(r.Context(), r.Header.Get("Last-Event-ID"))
		if r.Method != http.MethodHead {
			s.run(r.Context())
		}
	})
}

// checkStream refuses what is no request for a stream. The log is not for everybody
// who may have events.
func checkStream(w http.ResponseWriter, r *http.Request, level string, may Permission) error {
	if err := read(w, r, &none{}); err != nil {
		return err
	}
	if level == "" {
		return nil
	}
	if err := checkLevel("log", level); err != nil || may == nil {
		return err
	}
	return may(r, AccessAdmin)
}

// stream is one client of the events.
type stream struct {
	*Events
	page  Page
	w     http.ResponseWriter
	level string // of the log lines that it gets; empty: none
	at    place
	out   bytes.Buffer
}

// run sends until the client goes away, does not read, may no longer (see Guard.admit),
// or the server stops.
func (s *stream) run(ctx context.Context) {
	more, unfollow := s.past.follow()
	defer unfollow()
	moreLines, unfollow := s.log.lines.follow()
	defer unfollow()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for s.deliver(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-s.ended:
			return
		case <-more:
		case <-moreLines:
		case <-beat.C:
			s.out.WriteString(": still here\n\n")
		}
	}
}

// begin says hello, and all that there is to a client that cannot go on where it was.
func (s *stream) begin(ctx context.Context, lastID string) {
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy before ps4kit holds nothing back
	at, resumed := s.placeOf(lastID)
	if resumed {
		_, lost := s.past.after(at.event)
		resumed = !lost
	}
	if s.at = at; !resumed {
		s.at = place{s.past.head(), s.log.lines.head()}
	}
	s.put(eventHello, toJSON(hello{s.version, resumed}))
	if !resumed {
		s.putOverview(ctx)
	}
}

type hello struct {
	Version string `json:"version"`
	Resumed bool   `json:"resumed"`
}

// deliver sends what is new, and says whether the client took it.
func (s *stream) deliver(ctx context.Context) bool {
	events, lost := s.past.after(s.at.event)
	if lost { // it was slow
		s.at.event = s.past.head()
		s.putOverview(ctx)
		events = nil
	}
	for _, ev := range events {
		s.at.event = ev.number
		s.put(ev.name, ev.data)
	}
	if s.level != "" {
		s.putLines()
	}
	return s.flush()
}

func (s *stream) putLines() {
	lines, _ := s.log.lines.after(s.at.line)
	for _, line := range lines {
		s.at.line = line.ID
		if line.is(s.level) {
			s.put(eventLog, toJSON(line))
		}
	}
}

// put writes an event, whose data is one line: JSON.
func (s *stream) put(name string, data []byte) {
	fmt.Fprintf(&s.out, "event: %s\nid: %s\ndata: %s\n\n", name, s.id(s.at), data)
}

func (s *stream) putOverview(ctx context.Context) {
	if overview, err := s.page.Overview(ctx); err == nil {
		s.put(eventOverview, toJSON(overview))
	}
}

func (s *stream) flush() bool {
	if s.out.Len() == 0 {
		return true
	}
	c := http.NewResponseController(s.w)
	if err := c.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return false
	}
	_, err := s.w.Write(s.out.Bytes())
	s.out.Reset()
	err = errors.Join(err, c.Flush(), c.SetWriteDeadline(time.Time{}))
	return err == nil
}
