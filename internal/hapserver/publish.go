package hapserver

import (
	"strconv"
	"strings"

	"github.com/brutella/hap/characteristic"

	"github.com/ps4kit/ps4kit/internal/mdns"
)

// Publisher publishes services on the network. *mdns.Responder is one.
type Publisher interface {
	Publish(mdns.Service) (mdns.Publication, error)
}

// publish announces the server until the caller calls end. The host name is not
// the machine's own: that one is avahi's, with the addresses of all interfaces.
func (s *Server) publish(port uint16) (end func()) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	p, err := s.o.Publisher.Publish(mdns.Service{
		Name: s.o.Name,
		Type: "_hap._tcp",
		Host: "hap-" + strings.ToLower(strings.ReplaceAll(s.records.load().DeviceID, ":", "")),
		Port: port,
		Text: s.text(),
	})
	if err != nil {
		s.log.Errorf("cannot announce %s: %v", s.o.Name, err)
		return func() {}
	}
	s.publication = p
	return func() {
		s.publishing.Lock()
		defer s.publishing.Unlock()
		s.publication = nil
		p.Close()
	}
}

// text returns the TXT record (docs/homekit.md §3).
func (s *Server) text() map[string]string {
	r := s.records.load()
	status := "1" // not paired: controllers may offer to pair
	if r.paired() {
		status = "0"
	}
	model := ""
	if c := s.o.Accessories[0].Ss[0].C(characteristic.TypeModel); c != nil {
		model, _ = c.Value().(string)
	}
	return map[string]string{
		"c#": strconv.Itoa(int(r.ConfigNumber)),
		"ci": strconv.Itoa(int(s.o.Category)),
		"ff": "0", // no MFi authentication
		"id": r.DeviceID,
		"md": model,
		"pv": "1.1",
		"s#": "1", // always 1 over IP
		"sf": status,
		"sh": setupHash(r.SetupID, r.DeviceID),
	}
}

// pairingsChanged updates the announcement and calls OnChange.
func (s *Server) pairingsChanged() {
	s.publishing.Lock()
	if s.publication != nil {
		s.publication.Update(s.text())
	}
	s.publishing.Unlock()
	if s.o.OnChange != nil {
		s.o.OnChange()
	}
}
