package hapserver

import (
	"cmp"
	"net/http"
	"slices"
	"sync/atomic"
)

// Stats counts what a server did since New, and tells how it stands. It names no controller and no secret.
type Stats struct {
	Requests    []RequestStats // one for each kind of request, also for one that never came
	Opened      uint64         // connections that were taken
	Refused     uint64         // those closed or not taken because of a cap
	Connections int            // open now
	Verified    int            // of these
	Events      uint64         // messages with events that controllers took
	EventValues uint64         // values in these

	Pairings      int
	SetupFailures int  // wrong setup codes since the last pairing or reset
	SetupLocked   bool // too many of them
	Announced     bool // on a network; always false without a Publisher
}

// RequestStats is how requests of one kind were answered. Pairing errors travel in answers that are OK as HTTP.
type RequestStats struct {
	Name    string // "pair_setup"
	OK      uint64 // 2xx
	Refused uint64 // 4xx
	Failed  uint64 // 5xx, or not at all
}

// Stats returns the counts of this moment.
func (s *Server) Stats() Stats {
	r := s.records.load()
	out := Stats{
		Opened: s.counts.opened.Load(), Events: s.counts.events.Load(), EventValues: s.counts.values.Load(),
		Pairings: len(r.Pairings), SetupFailures: r.SetupFailures, SetupLocked: r.SetupFailures >= s.lim.SetupFailures,
	}
	out.Connections, out.Verified, out.Refused = s.peers.count()
	if p := s.publication.Load(); p != nil {
		out.Announced = (*p).Published()
	}
	for _, n := range s.counts.requests {
		out.Requests = append(out.Requests, RequestStats{n.name, n.ok.Load(), n.refused.Load(), n.failed.Load()})
	}
	slices.SortFunc(out.Requests, func(a, b RequestStats) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// counts are what only grows.
type counts struct {
	opened, events, values atomic.Uint64
	requests               map[string]*requestCounts // by the pattern of the route; "" for what has none
}

type requestCounts struct {
	name                string
	ok, refused, failed atomic.Uint64
}

// route adds a route and its counts.
func (n *counts) route(mux *http.ServeMux, name, pattern string, h http.HandlerFunc) {
	mux.Handle(pattern, h)
	n.requests[pattern] = &requestCounts{name: name}
}

// answered counts a request; status 0: it got no answer.
func (n *counts) answered(pattern string, status int) {
	c, ok := n.requests[pattern]
	if !ok {
		c = n.requests[""]
	}
	switch {
	case status >= 500 || status == 0:
		c.failed.Add(1)
	case status >= 400:
		c.refused.Add(1)
	default:
		c.ok.Add(1)
	}
}
