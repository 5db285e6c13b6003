package hapserver

import (
	"context"
	"strconv"
	"strings"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/internal/mdns"
)

// Publisher publishes services on the network. *mdns.Responder is one.
type Publisher interface {
	Publish(mdns.Service) (mdns.Publication, error)
}

// publish announces the server until ctx is done, and updates the announcement
// when pairings change.
func (s *Server) publish(ctx context.Context, port uint16) {
	p, err := s.o.Publisher.Publish(s.service(port))
	if err != nil {
		s.log.Errorf("cannot announce %s: %v", s.o.Name, err)
		return
	}
	defer p.Close()
	s.publication.Store(&p)
	defer s.publication.Store(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
			p.Update(s.service(port).Text)
		}
	}
}

// service returns the announcement (docs/homekit.md §3). The host name is not
// the machine's own: that one is avahi's, with the addresses of all interfaces.
func (s *Server) service(port uint16) mdns.Service {
	r := s.records.load()
	status := "1" // not paired: controllers may offer to pair
	if r.paired() {
		status = "0"
	}
	model := ""
	if c := s.o.Accessories[0].Ss[0].C(characteristic.TypeModel); c != nil {
		model, _ = c.Value().(string)
	}
	return mdns.Service{
		Name: s.o.Name,
		Type: "_hap._tcp",
		Host: "hap-" + strings.ToLower(strings.ReplaceAll(r.DeviceID, ":", "")),
		Port: port,
		Text: map[string]string{
			"c#": strconv.Itoa(int(r.ConfigNumber)),
			"ci": strconv.Itoa(int(s.o.Category)),
			"ff": "0", // no MFi authentication
			"id": r.DeviceID,
			"md": model,
			"pv": "1.1",
			"s#": "1", // always 1 over IP
			"sf": status,
			"sh": setupHash(r.SetupID, r.DeviceID),
		},
	}
}
