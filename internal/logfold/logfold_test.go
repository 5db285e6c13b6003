package logfold_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sirupsen/logrus/hooks/test"

	"github.com/ps4kit/ps4kit/internal/logfold"
)

// lines are what came out, as "level message fields".
func lines(out *test.Hook) []string {
	var list []string
	for _, e := range out.AllEntries() {
		list = append(list, fmt.Sprintf("%v %s %v", e.Level, e.Message, e.Data))
	}
	return list
}

func want(t *testing.T, out *test.Hook, wanted ...string) {
	t.Helper()
	if got := lines(out); !slices.Equal(got, wanted) {
		t.Errorf("got\n%q\nwant\n%q", got, wanted)
	}
	out.Reset()
}

// folding runs a test with a folding logger, and what comes out of it, on a fake clock.
func folding(t *testing.T, do func(log *logrus.Logger, out *test.Hook, end func())) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		to, out := test.NewNullLogger()
		to.SetLevel(logrus.DebugLevel)
		log, end := logfold.New(to)
		defer end()
		do(log, out, end)
	})
}

func TestRepeatedLinesAreCounted(t *testing.T) {
	t.Parallel()
	folding(t, func(log *logrus.Logger, out *test.Hook, _ func()) {
		log.WithError(errors.New("no space")).Warn("not saved")
		want(t, out, "warning not saved map[error:no space]")
		for range 12 {
			time.Sleep(10 * time.Second)
			log.WithError(errors.New("no space")).Warn("not saved")
		}
		want(t, out)
		time.Sleep(3*time.Minute + time.Second)
		want(t, out, "warning not saved (repeated 12 times in 5m0s) map[error:no space]")
		log.WithError(errors.New("no space")).Warn("not saved") // still within a window, twice as long
		time.Sleep(10 * time.Minute)
		want(t, out, "warning not saved (repeated once in 10m0s) map[error:no space]")
		time.Sleep(21 * time.Minute) // nothing in a whole window: forgotten
		log.WithError(errors.New("no space")).Warn("not saved")
		want(t, out, "warning not saved map[error:no space]")
	})
}

// What is said for a day takes a handful of lines.
func TestWindowsGrowToAnHour(t *testing.T) {
	t.Parallel()
	folding(t, func(log *logrus.Logger, out *test.Hook, _ func()) {
		log.Info("again")
		time.Sleep(30 * time.Second) // so that no line comes at the very end of a window
		for range 24 * 60 {
			log.Info("again")
			time.Sleep(time.Minute)
		}
		if n := len(out.AllEntries()); n < 24 || n > 30 {
			t.Errorf("%d lines in a day", n)
		}
		if last := out.LastEntry().Message; last != "again (repeated 60 times in 1h0m0s)" {
			t.Errorf("the last line is %q", last)
		}
	})
}

func TestOtherLinesPass(t *testing.T) {
	t.Parallel()
	folding(t, func(log *logrus.Logger, out *test.Hook, _ func()) {
		log.WithField("console", "Den").Info("added")
		log.WithField("console", "Attic").Info("added")
		log.WithField("console", "Den").Warn("added")
		log.Debug("a detail")
		log.Debug("a detail")
		want(t, out, "info added map[console:Den]", "info added map[console:Attic]", "warning added map[console:Den]",
			"debug a detail map[]", "debug a detail map[]")
	})
}

func TestCloseTellsTheCounts(t *testing.T) {
	t.Parallel()
	folding(t, func(log *logrus.Logger, out *test.Hook, end func()) {
		log.Info("one")
		log.Info("one")
		log.Info("two")
		time.Sleep(time.Minute)
		out.Reset()
		end()
		want(t, out, "info one (repeated once in 1m0s) map[]")
		log.Info("two")
		want(t, out, "info two map[]")
	})
}

// However many different lines there are, few are remembered, and no count is lost.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	folding(t, func(log *logrus.Logger, out *test.Hook, _ func()) {
		log.Info("first")
		time.Sleep(time.Second)
		log.Info("first")
		for n := range 256 {
			log.Infof("line %d", n)
		}
		if got := lines(out); !slices.Contains(got, "info first (repeated once in 1s) map[]") || len(got) != 258 {
			t.Errorf("%d lines", len(got))
		}
		out.Reset()
		log.Info("first")
		want(t, out, "info first map[]")
	})
}

func TestLevelIsThatOfTheOtherLogger(t *testing.T) {
	t.Parallel()
	to, out := test.NewNullLogger()
	to.SetLevel(logrus.WarnLevel)
	log, end := logfold.New(to)
	defer end()
	log.Info("news")
	log.Warn("trouble")
	want(t, out, "warning trouble map[]")
}
