package hapserver

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Info describes a server to its owner.
type Info struct {
	DeviceID     string
	SetupCode    string // empty once paired or locked
	SetupID      string
	SetupURI     string // content of the QR code; empty once paired or locked
	Paired       bool
	Controllers  []Pairing
	ConfigNumber uint16
	SetupLocked  bool // after too many wrong setup codes: no one can pair until Unpair
}

// Format hides the setup code.
func (i Info) Format(w fmt.State, _ rune) { fmt.Fprintf(w, "hapserver.Info(%s)[redacted]", i.DeviceID) }

// Info returns the current state.
func (s *Server) Info() Info {
	r := s.records.load()
	i := Info{
		DeviceID: r.DeviceID, SetupID: r.SetupID, Paired: r.paired(), Controllers: slices.Clone(r.Pairings),
		ConfigNumber: r.ConfigNumber, SetupLocked: r.setupLocked(),
	}
	if !i.Paired && !i.SetupLocked {
		i.SetupCode = r.SetupCode
		i.SetupURI = setupURI(s.o.Category, r.SetupCode, r.SetupID)
	}
	return i
}

// Unpair removes all pairings, unlocks pair-setup, makes a new setup code
// unless one is configured, and closes all controllers' connections. The
// identity stays, so that Home sees the same accessory. If the record cannot be
// saved, nothing changes.
func (s *Server) Unpair() error {
	err := s.records.update(func(r *Record) error {
		r.Pairings, r.SetupFailures = nil, 0
		if s.o.SetupCode == "" {
			r.SetupCode = newSetupCode()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("unpair: %w", err)
	}
	s.hold.cancel()
	s.dropRevoked(nil)
	s.log.Infof("removed all pairings; pairing is open")
	s.pairingsChanged()
	return nil
}

// dropRevoked closes the connections of controllers that are not paired any
// more, that of asker only after its answer.
func (s *Server) dropRevoked(asker *peer) {
	r := s.records.load()
	for _, p := range s.peers.all() {
		c := p.controller.Load()
		switch {
		case c == nil || r.trusts(*c):
		case p == asker:
			p.closing = true
		default:
			p.shut()
		}
	}
}

// Stats counts what a server did since New. It names no controller and no
// secret.
type Stats struct {
	Requests    []RequestStats // one for each kind, in order of name
	Opened      uint64         // connections
	Refused     uint64         // connections that were closed or not accepted because of a limit
	Connections int            // open now
	Verified    int            // of these
	Events      uint64         // messages with events
	EventValues uint64         // values in these

	Pairings      int
	SetupFailures int  // wrong setup codes since the last pairing or reset
	SetupLocked   bool // there were too many; Unpair unlocks pair-setup
	Announced     bool // on a network
}

// RequestStats counts the answers to one kind of request. Pairing errors travel
// in answers that are OK as HTTP.
type RequestStats struct {
	Name    string // "pair_setup"
	OK      uint64 // 2xx
	Refused uint64 // 4xx
	Failed  uint64 // 5xx, or no answer
}

// Stats returns the current counts.
func (s *Server) Stats() Stats {
	r := s.records.load()
	out := Stats{
		Opened: s.counts.opened.Load(), Refused: s.counts.refused.Load(), Events: s.counts.events.Load(), EventValues: s.counts.values.Load(),
		Pairings: len(r.Pairings), SetupFailures: r.SetupFailures, SetupLocked: r.setupLocked(),
	}
	for _, p := range s.peers.all() {
		out.Connections++
		if p.verified() {
			out.Verified++
		}
	}
	s.publishing.Lock()
	out.Announced = s.publication != nil && s.publication.Published()
	s.publishing.Unlock()
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	for _, c := range s.counts.requests {
		out.Requests = append(out.Requests, *c)
	}
	slices.SortFunc(out.Requests, func(a, b RequestStats) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// counts only grow.
type counts struct {
	opened, refused, events, values atomic.Uint64

	mu       sync.Mutex
	requests map[string]*RequestStats // by pattern; "" for requests without a route
}

// answered counts a request. Status 0 means that there was no answer.
func (n *counts) answered(pattern string, status int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := cmp.Or(n.requests[pattern], n.requests[""])
	switch {
	case status >= 500 || status == 0:
		c.Failed++
	case status >= 400:
		c.Refused++
	default:
		c.OK++
	}
}
