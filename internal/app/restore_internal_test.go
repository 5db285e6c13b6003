package app

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/state"
)

// TestFailedRestoreServesOn: what was remembered holds, and the log says why.
func TestFailedRestoreServesOn(t *testing.T) {
	t.Parallel()
	store, err := state.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := store.InstallationID()
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	log := logrus.New()
	log.SetOutput(&text)
	again, err := restored(t.Context(), store.Dir(), []byte("damaged on the way"), log)
	if err != nil {
		t.Fatal(err)
	}
	if now, err := again.InstallationID(); err != nil || now != id || !strings.Contains(text.String(), "was not restored") {
		t.Errorf("installation %s, before %s, %v: %s", now, id, err, &text)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestRestoreWaitsForTheState: a command that finds no server has it for a while.
func TestRestoreWaitsForTheState(t *testing.T) {
	t.Parallel()
	for held, good := range map[time.Duration]bool{90 * time.Second: true, 10 * time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			store, err := state.Open(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			release := time.AfterFunc(held, func() { _ = store.Close() })
			again, err := restored(t.Context(), store.Dir(), []byte("not a backup"), quietLog())
			if (err == nil) != good || err != nil && !errors.Is(err, state.ErrLocked) {
				t.Errorf("held for %v: %v", held, err)
			}
			if err == nil {
				err = again.Close()
			} else if release.Stop() {
				err = store.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func quietLog() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}
