package hapserver

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// logRecorder keeps the lines of a log.
type logRecorder struct {
	mu    sync.Mutex
	lines []string
}

func (l *logRecorder) record(level, format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, level+": "+fmt.Sprintf(format, args...))
}

func (l *logRecorder) Debugf(format string, args ...any) { l.record("debug", format, args) }
func (l *logRecorder) Infof(format string, args ...any)  { l.record("info", format, args) }
func (l *logRecorder) Warnf(format string, args ...any)  { l.record("warn", format, args) }
func (l *logRecorder) Errorf(format string, args ...any) { l.record("error", format, args) }

// visible returns the lines above debug.
func (l *logRecorder) visible() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.lines), func(line string) bool { return strings.HasPrefix(line, "debug: ") })
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	log := &logRecorder{}
	rec := newRecord("")
	rec.SetupFailures = maxSetupFailures - 2
	f := newFixture(t, &memoryStore{rec: &rec}, func(o *Options) { o.Log = log }).start(t)
	check := func(what string, want ...string) {
		t.Helper()
		got := log.visible()
		if len(got) != len(want) {
			t.Fatalf("%s: %d lines, want %d\n%s", what, len(got), len(want), strings.Join(got, "\n"))
		}
		for i, line := range got {
			if !regexp.MustCompile("^" + want[i]).MatchString(line) {
				t.Errorf("%s: line %q, want %q", what, line, want[i])
			}
			if strings.Contains(line, testCode) {
				t.Errorf("%s: line %q contains the setup code", what, line)
			}
		}
		log.mu.Lock()
		defer log.mu.Unlock()
		log.lines = nil
	}

	stranger := f.stranger(t)
	stranger.must(t, http.MethodGet, "/accessories", nil)
	if _, err := stranger.exchange("/pair-setup", message(3), 4); !isPairError(err, tlvErrUnknown) {
		t.Error(err)
	}
	if _, err := stranger.exchange("/pair-verify", message(1), 2); !isPairError(err, tlvErrUnknown) {
		t.Error(err)
	}
	check("nonsense")

	for range 2 {
		if _, err := f.stranger(t).proof("111-22-333"); !isPairError(err, tlvErrAuthentication) {
			t.Error(err)
		}
	}
	check("wrong codes", "warn: wrong setup code from 127.0.0.1, 99 of 100", "warn: .*100 of 100", "warn: pairing is locked after 100")
	if err := f.Unpair(); err != nil {
		t.Fatal(err)
	}
	check("reset", "info: removed all pairings")

	f.store.fail(errDisk)
	if err := f.stranger(t).pair(testCode, f.Info().DeviceID); !isPairError(err, tlvErrUnknown) {
		t.Error(err)
	}
	check("full disk", "error: cannot change pairings: .*no space left")
	f.store.fail(nil)
	admin := f.stranger(t)
	if err := admin.pair(testCode, f.Info().DeviceID); err != nil {
		t.Fatal(err)
	}
	check("pairing", "info: paired with controller")
	if err := admin.verify(f.records.load()); err != nil {
		t.Fatal(err)
	}
	guest := newController("guest").pairing(false)
	if err := admin.pairings(methodAddPairing, &guest); err != nil {
		t.Error(err)
	}
	if err := admin.pairings(methodRemovePairing, &guest); err != nil {
		t.Error(err)
	}
	check("guest", `info: added controller "guest", admin: false`, `info: removed controller "guest"; 1 are paired`)
}
