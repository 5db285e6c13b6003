package app

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/internal/web"
)

// Restore implements web.Page.
func (s *server) Restore(archive []byte) (web.Restored, error) {
	contents, err := state.CheckBackup(bytes.NewReader(archive))
	if err != nil {
		return web.Restored{}, &web.Error{Code: "bad_backup", Message: web.AsError(err).Message, Hint: "Nothing was changed."}
	}
	if !s.backup.CompareAndSwap(nil, &archive) {
		return web.Restored{}, &web.Error{Code: "busy", Message: "another backup is being restored"}
	}
	s.stop()
	return web.Restored(contents), nil
}

// restored puts a backup in the place of a state that is closed, and opens it. When that
// fails, what there was holds on.
func restored(dir string, archive []byte, log logrus.FieldLogger) (*state.Store, error) {
	contents, err := state.Restore(dir, bytes.NewReader(archive))
	if err != nil {
		log.WithError(err).Error("the backup was not restored; what was remembered before holds")
	} else {
		log.WithFields(logrus.Fields{"created": contents.Created, "files": len(contents.Files)}).Info("a backup was restored; the server starts again")
	}
	again, openErr := state.Open(dir, nil)
	if openErr != nil {
		return nil, fmt.Errorf("after a restore: %w", errors.Join(openErr, err))
	}
	return again, nil
}
