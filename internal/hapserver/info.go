package hapserver

import "fmt"

// Info is what a server tells its owner.
type Info struct {
	Name          string
	DeviceID      string
	SetupCode     string // empty once paired
	SetupID       string
	SetupURI      string // the QR code's content; empty once paired
	Paired        bool
	Controllers   []Controller
	ConfigNumber  uint16
	SetupFailures int    // wrong setup codes since the last pairing or reset
	SetupLocked   bool   // too many of them: Unpair opens pair-setup again
	Connections   int    // open now
	Verified      int    // of these
	Refused       uint64 // connections closed or not taken because of a cap, since New
}

// Format keeps the setup code out of logs and errors.
func (i Info) Format(w fmt.State, _ rune) { fmt.Fprintf(w, "hapserver.Info(%s)[redacted]", i.DeviceID) }

// Controller is a paired controller.
type Controller struct {
	ID    string
	Admin bool
}

// Info returns the state of this moment.
func (s *Server) Info() Info {
	r := s.records.load()
	i := Info{
		Name: s.o.Name, DeviceID: r.DeviceID, SetupID: r.SetupID, Paired: r.paired(), ConfigNumber: r.ConfigNumber,
		SetupFailures: r.SetupFailures, SetupLocked: r.SetupFailures >= s.lim.SetupFailures,
	}
	for _, p := range r.Pairings {
		i.Controllers = append(i.Controllers, Controller{ID: p.ID, Admin: p.Admin})
	}
	if !i.Paired {
		i.SetupCode = r.SetupCode
		i.SetupURI, _ = SetupURI(s.o.Category, r.SetupCode, r.SetupID) // both were checked when the record was opened
	}
	i.Connections, i.Verified, i.Refused = s.peers.count()
	return i
}

// Unpair is the owner's reset: it removes all pairings, opens a locked pair-setup, makes a new setup code unless one is
// configured, and closes the connections of all controllers. The identity stays, so Home sees the same accessory. When the
// record cannot be saved, it returns the error and nothing has changed.
func (s *Server) Unpair() error {
	err := s.records.update(func(r *Record) error {
		r.Pairings, r.SetupFailures = nil, 0
		if s.o.SetupCode == "" {
			r.SetupCode = NewSetupCode()
		}
		s.hold.cancel() // a pairing under way knows the old code
		return nil
	})
	if err != nil {
		return fmt.Errorf("unpairing: %w", err)
	}
	s.dropRevoked(nil)
	s.log.Infof("all pairings are removed; the accessory can be paired again")
	s.pairingsChanged()
	return nil
}

// dropRevoked closes the connections of controllers that are not paired any more, at once. The one of asker is left open for
// its answer and closed after it.
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

// pairingsChanged tells the world and the program.
func (s *Server) pairingsChanged() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
	if s.o.OnChange != nil {
		s.o.OnChange()
	}
}
