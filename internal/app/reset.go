package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
)

// ResetHomekit implements api.Backend. It sets a damaged file aside and serves
// the accessory at once, with a new identity.
func (s *server) ResetHomekit(ctx context.Context, host string) error {
	if strings.EqualFold(host, state.Companion) {
		return s.resetCompanion()
	}
	if k, lacks := s.unserved(host); lacks {
		mended, err := s.mend(k.hostID)
		if mended {
			s.serveAgain(k)
		}
		if mended || err != nil {
			return err
		}
	}
	u, err := s.find(ctx, host)
	switch {
	case err != nil:
		return err
	case u.hap == nil:
		return &api.Error{Code: "not_offered", Message: u.name + " is not offered to HomeKit"}
	}
	return u.hap.Unpair()
}

// serveAgain offers a console to HomeKit that could not be offered. A command
// may have given it a unit meanwhile.
func (s *server) serveAgain(k known) {
	s.meeting.Lock()
	defer s.meeting.Unlock()
	s.mu.Lock()
	delete(s.refused, k.hostID)
	s.mu.Unlock()
	s.place(k, true)
}

// unserved returns a known console that could not be offered to HomeKit.
func (s *server) unserved(host string) (known, bool) {
	for _, k := range s.knownConsoles(s.simulated) {
		if slices.Contains(s.refusals(), k.hostID) && (strings.EqualFold(host, k.hostID) || strings.EqualFold(host, k.name)) {
			return k, true
		}
	}
	return known{}, false
}

// mend sets a HomeKit file aside if it is damaged.
func (s *server) mend(hostID string) (mended bool, err error) {
	store, err := s.files.homekit(hostID)
	if err != nil {
		return false, err
	}
	if _, err := store.Load(); !errors.Is(err, state.ErrDamaged) {
		return false, nil
	}
	return true, store.file.Remove()
}

// resetCompanion resets the companion bridge.
func (s *server) resetCompanion() error {
	if c := s.companion.Load(); c != nil {
		return c.hap.Unpair()
	}
	if !s.Config.Companion.Enabled {
		return &api.Error{Code: "not_offered", Message: "the companion bridge is not offered to HomeKit",
			Hint: "Turn it on with companion.enabled in config.yaml."}
	}
	mended, err := s.mend(state.Companion)
	if mended && err == nil {
		s.startCompanion(s.life)
	}
	return err
}

// ResetHomekit implements api.Backend.
func (l *Local) ResetHomekit(ctx context.Context, host string) error {
	if strings.EqualFold(host, state.Companion) {
		if mended, err := l.mend(state.Companion); mended || err != nil {
			return err
		}
		if err := l.offerCompanion(); err != nil {
			return err
		}
		return l.resetCompanion()
	}
	if err := l.addServed(); err != nil {
		return err
	}
	u, err := l.find(ctx, host)
	if err != nil {
		return err
	}
	if mended, err := l.mend(u.hostID); mended || err != nil {
		return err
	}
	if err := l.offer(u); err != nil {
		return err
	}
	return u.hap.Unpair()
}
