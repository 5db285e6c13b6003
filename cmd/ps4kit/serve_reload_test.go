package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sirupsen/logrus/hooks/test"

	"github.com/ps4kit/ps4kit/internal/config"
)

// TestConfigIsFollowed checks that a saved file is read once it stays the same,
// that SIGHUP reads it at once, and that an invalid one changes nothing.
func TestConfigIsFollowed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	save := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	save("a")
	synctest.Test(t, func(t *testing.T) {
		log, hook := test.NewNullLogger()
		hangup := make(chan os.Signal, 1)
		var loads atomic.Int32
		var bad atomic.Bool
		w := &configWatch{file: file, hangup: hangup, log: logrus.NewEntry(log), out: make(chan *config.Config, 9), load: func() (*config.Config, error) {
			loads.Add(1)
			if bad.Load() {
				return nil, errors.New("line 1")
			}
			return &config.Config{}, nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		go w.run(ctx)
		expect := func(when string, wait time.Duration, wantLoads, wantOut int) {
			t.Helper()
			time.Sleep(wait) // in a synctest bubble: no real time
			synctest.Wait()
			if int(loads.Load()) != wantLoads || len(w.out) != wantOut {
				t.Errorf("%s: %d loads and %d results, want %d and %d", when, loads.Load(), len(w.out), wantLoads, wantOut)
			}
		}
		expect("untouched", 10*watchEvery, 0, 0)
		save("bb")
		expect("just saved", watchEvery+watchEvery/2, 0, 0)
		save("ccc")
		expect("saved again", watchEvery, 0, 0)
		expect("saved for good", watchEvery, 1, 1)
		hangup <- syscall.SIGHUP
		expect("SIGHUP", time.Millisecond, 2, 2)
		bad.Store(true)
		save("dddd")
		expect("not to be used", 5*watchEvery, 3, 2)
		if e := hook.LastEntry(); e == nil || e.Level != logrus.ErrorLevel {
			t.Error("the log does not tell of a bad configuration")
		}
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
		expect("gone for a moment", 5*watchEvery, 3, 2)
		cancel()
	})
}
