package app

import (
	"errors"
	"io"
	"strings"
	"testing"

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
	again, err := restored(store.Dir(), []byte("damaged on the way"), log)
	if err != nil {
		t.Fatal(err)
	}
	if now, err := again.InstallationID(); err != nil || now != id || !strings.Contains(text.String(), "was not restored") {
		t.Errorf("installation %s, before %s, %v: %s", now, id, err, &text)
	}
	if _, err := restored(store.Dir(), nil, quietLog()); !errors.Is(err, state.ErrLocked) {
		t.Errorf("while another process has the state: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func quietLog() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}
