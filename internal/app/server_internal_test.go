package app

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/sirupsen/logrus"
)

// TestReopenWaits: a command that found no server holds the state for a while.
func TestReopenWaits(t *testing.T) {
	t.Parallel()
	for held, good := range map[time.Duration]bool{90 * time.Second: true, 10 * time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			store, err := state.Open(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			release := time.AfterFunc(held, func() { _ = store.Close() })
			again, err := reopen(t.Context(), store.Dir(), logrus.New())
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
