package app

import (
	"context"
	"errors"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/state"
)

// Restore implements api.Page: it stores a checked backup in the state
// directory and stops the server. Run starts it again, and opening the state
// puts the backup in place.
func (s *server) Restore(archive []byte) (api.Restored, error) {
	if !s.restoring.CompareAndSwap(false, true) {
		return api.Restored{}, &api.Error{Code: "busy", Message: "another backup is being restored"}
	}
	contents, err := s.State.StageRestore(archive)
	if err != nil {
		s.restoring.Store(false)
		return api.Restored{}, err
	}
	s.stop()
	return api.Restored(contents), nil
}

// logRestore logs what opening the state restored.
func logRestore(store *state.Store, log logrus.FieldLogger) {
	if contents := store.Restored(); contents != nil {
		log.WithFields(logrus.Fields{"created": contents.Created, "files": len(contents.Files)}).Info("restored a backup")
	}
}

const (
	lockPatience = 2 * time.Minute        // longer than any command that found no server holds the state
	lockRetry    = 200 * time.Millisecond // between two attempts
)

// reopen opens a state directory, waiting while another process owns it.
func reopen(ctx context.Context, dir string, log logrus.FieldLogger) (*state.Store, error) {
	for end := time.Now().Add(lockPatience); ; {
		store, err := state.Open(dir, &state.Options{Warn: func(err error) { log.Warn(err) }})
		if !errors.Is(err, state.ErrLocked) || time.Now().After(end) || !pause(ctx, lockRetry) {
			return store, err
		}
	}
}
