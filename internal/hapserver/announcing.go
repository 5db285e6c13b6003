package hapserver

import (
	"context"
	"time"

	"github.com/brutella/hap/characteristic"
)

// announceRetry is how long to wait before an announcement that failed is tried again.
const announceRetry = 2 * time.Second

// announce makes the server known until ctx is done and says goodbye then. Pairings may change at any time: sf and c# follow.
func (s *Server) announce(ctx context.Context, port int) {
	for ctx.Err() == nil {
		announced, err := s.o.Announcer.Announce(ctx, s.announcement(port))
		if err != nil {
			if ctx.Err() == nil {
				s.logf("%s cannot be announced yet: %v", s.o.Name, err)
			}
			pause(ctx, announceRetry)
			continue
		}
		s.announced.Store(&announced)
		s.keepAnnounced(ctx, announced, port)
		s.announced.Store(nil)
		if err := announced.Close(); err != nil {
			s.logf("the goodbye of %s failed: %v", s.o.Name, err)
		}
	}
}

func (s *Server) keepAnnounced(ctx context.Context, announced Announced, port int) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
			announced.Update(s.announcement(port))
		}
	}
}

func (s *Server) announcement(port int) Announcement {
	r := s.records.load()
	return Announcement{
		Name: s.o.Name, DeviceID: r.DeviceID, Model: s.model(), Port: port, Category: s.o.Category,
		ConfigNumber: r.ConfigNumber, Paired: r.paired(), SetupID: r.SetupID,
	}
}

// model is what the first accessory says about itself.
func (s *Server) model() string {
	if c := s.o.Accessories[0].Ss[0].C(characteristic.TypeModel); c != nil {
		if model, ok := c.Value().(string); ok {
			return model
		}
	}
	return ""
}
