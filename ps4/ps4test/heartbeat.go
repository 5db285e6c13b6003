package ps4test

import (
	"fmt"
	"time"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

// beat sends the heartbeats of the nth login until the session ends. It drops a
// client that answers none for Timing.Grace.
func (s *session) beat(nth int) {
	period := s.console.cfg.Timing.Heartbeat
	if period <= 0 {
		return
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.done:
			return
		}
		if !s.alive(nth) {
			return
		}
		if err := s.heartbeat(); err != nil {
			s.close()
			return
		}
	}
}

// alive reports whether the nth login is still valid. It drops a client that
// went silent.
func (s *session) alive(nth int) bool {
	c := s.console
	in := false
	c.update(func() {
		in = s.loggedIn && s.logins == nth
		grace := c.cfg.Timing.Grace
		if in && grace > 0 && time.Since(s.answered) >= grace {
			c.log.counters.Dropped++
			in = false
			s.close()
		}
	})
	return in
}

// heartbeat sends one heartbeat unless a fault suppresses it.
func (s *session) heartbeat() error {
	c := s.console
	status, hold := uint32(0), false
	c.update(func() {
		if hold = c.faults.HoldBeats; hold {
			return
		}
		c.log.counters.Heartbeats++
		if c.screen.open {
			status = wire.HeartbeatKeyboard
		}
	})
	if hold {
		return nil
	}
	return s.send(wire.Word{Type: wire.TypeHeartbeat, Value: status})
}

// status handles the answer to a heartbeat.
func (s *session) status(p wire.Packet) error {
	if _, err := wire.UnmarshalWord(p); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	s.console.update(func() {
		s.console.log.counters.Statuses++
		s.answered = time.Now()
	})
	return nil
}
