package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

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
func restored(ctx context.Context, dir string, archive []byte, log logrus.FieldLogger) (again *state.Store, err error) {
	var contents state.Contents
	err = whenFree(ctx, func() (err error) {
		contents, err = state.Restore(dir, bytes.NewReader(archive))
		return err
	})
	if err != nil {
		log.WithError(err).Error("the backup was not restored; what was remembered before holds")
	} else {
		log.WithFields(logrus.Fields{"created": contents.Created, "files": len(contents.Files)}).Info("a backup was restored; the server starts again")
	}
	openErr := whenFree(ctx, func() (err error) {
		again, err = state.Open(dir, nil)
		return err
	})
	if openErr != nil {
		return nil, fmt.Errorf("after a restore: %w", errors.Join(openErr, err))
	}
	return again, nil
}

const (
	lockPatience = 2 * time.Minute        // longer than any command takes that finds no server and so has the state
	lockAgain    = 200 * time.Millisecond // between two tries
)

// whenFree tries again while another process has the state.
func whenFree(ctx context.Context, try func() error) error {
	for end := time.Now().Add(lockPatience); ; {
		err := try()
		if !errors.Is(err, state.ErrLocked) || time.Now().After(end) || !pause(ctx, lockAgain) {
			return err
		}
	}
}
