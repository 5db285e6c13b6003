package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
)

const release = `{"tag_name":"v1.2.0","html_url":"https://example.org/v1.2.0","draft":false,"prerelease":false}`

// TestAsk serves copies of the release, and compares them with version 1.1.0.
func TestAsk(t *testing.T) {
	t.Parallel()
	with := func(old, new string) string { return strings.Replace(release, old, new, 1) }
	for name, tt := range map[string]struct {
		status int
		body   string
		want   api.Release // newer than this program
		failed bool
	}{
		"newer":           {200, release, api.Release{Version: "v1.2.0", URL: "https://example.org/v1.2.0"}, false},
		"without a v":     {200, with("v1.2.0", "1.2.0"), api.Release{Version: "v1.2.0", URL: "https://example.org/v1.2.0"}, false},
		"same":            {200, with("v1.2.0", "v1.1.0"), api.Release{}, false},
		"older":           {200, with("v1.2.0", "v1.0.9"), api.Release{}, false},
		"pre-release":     {200, with(`prerelease":false`, `prerelease":true`), api.Release{}, true},
		"release cand.":   {200, with("v1.2.0", "v1.2.0-rc.1"), api.Release{}, true},
		"draft":           {200, with(`draft":false`, `draft":true`), api.Release{}, true},
		"script":          {200, with("https://example.org/v1.2.0", "javascript:alert(1)"), api.Release{Version: "v1.2.0"}, false},
		"not a version":   {200, with("v1.2.0", "nightly"), api.Release{}, true},
		"garbage":         {200, "<html>", api.Release{}, true},
		"empty":           {200, "", api.Release{}, true},
		"another type":    {200, `{"tag_name":12}`, api.Release{}, true},
		"endless":         {200, `{"tag_name":"` + strings.Repeat("1", maxRelease), api.Release{}, true},
		"too many":        {429, release, api.Release{}, true},
		"moved elsewhere": {301, release, api.Release{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got http.Header
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r.Header
				w.Header().Set("Location", "/again")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			defer server.Close()
			latest := &atomic.Pointer[config.Config]{}
			latest.Store(config.Default())
			u := &updates{env: env{latest: latest}, version: "v1.1.0"}
			found, err := u.ask(t.Context(), server.URL+"/latest")
			if (err != nil) != tt.failed {
				t.Errorf("failed: %v", err)
			}
			u.found.Store(&found)
			if newer := u.newer(); newer == nil && tt.want != (api.Release{}) || newer != nil && *newer != tt.want {
				t.Errorf("newer is %v", newer)
			}
			if len(got) != 1 || got.Get("User-Agent") != "ps4kit" {
				t.Errorf("sent %v", got)
			}
		})
	}
	if _, err := (&updates{}).ask(t.Context(), "http://127.0.0.1:1/"); err == nil {
		t.Error("no error without a network")
	}
}

func TestReleaseOf(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v1.2.0": "v1.2.0", "1.2.0": "v1.2.0", "v1.2.0-5-gabc1234": "v1.2.0", "v1.2.0-5-gabc1234-dirty": "v1.2.0",
		"v1.2.0-dirty": "v1.2.0", "v1.2.0-rc.1": "v1.2.0-rc.1", "abc1234": "", "1234567": "", "unknown": "", "": "",
	} {
		if got := releaseOf(version); got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOnceADay counts the requests of several days, with restarts, failures, and
// the check turned off and on. Nothing but debug lines is logged.
func TestOnceADay(t *testing.T) {
	t.Parallel()
	store := newFiles(t).store
	log, lines := logrus.New(), &counter{}
	log.SetOutput(io.Discard)
	log.SetLevel(logrus.DebugLevel)
	log.AddHook(lines)
	off, err := config.Default().WithPage(map[string]string{"updates.check": "false"})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		var fail atomic.Bool
		var latest atomic.Pointer[config.Config]
		latest.Store(config.Default())
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.String() != config.ReleasesURL {
				t.Errorf("asked %s", r.URL)
			}
			if requests.Add(1); fail.Load() {
				return nil, errors.New("no network")
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(release))}, nil
		})}
		var u *updates
		expect := func(what string, wait time.Duration, want int32, notice bool) {
			t.Helper()
			u = &updates{env: env{latest: &latest, files: files{store, log}, log: log, events: &api.Events{}}, version: "v1.1.0", client: client}
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { u.run(ctx) })
			time.Sleep(wait) // in a synctest bubble: no real time
			synctest.Wait()
			if got := requests.Load(); got != want || (u.newer() != nil) != notice {
				t.Errorf("%s: %d requests, want %d; the notice is %v", what, got, want, u.newer())
			}
			cancel()
			running.Wait()
		}
		expect("at once", checkDelay-time.Second, 0, false)
		expect("soon", checkDelay, 1, true)
		expect("after a restart", 23*time.Hour, 1, true)
		fail.Store(true)
		expect("on the second day, without a network", 24*time.Hour, 2, true)
		expect("on the third and the fourth", 48*time.Hour, 4, true)
		latest.Store(off)
		expect("turned off", 48*time.Hour, 4, false)
		latest.Store(config.Default())
		expect("turned on", time.Hour, 5, true)
	})
	if slices.ContainsFunc(lines.levels, func(l logrus.Level) bool { return l != logrus.DebugLevel }) || len(lines.levels) == 0 {
		t.Errorf("logged %v", lines.levels)
	}
}

type counter struct{ levels []logrus.Level }

func (*counter) Levels() []logrus.Level { return logrus.AllLevels }

func (c *counter) Fire(e *logrus.Entry) error {
	c.levels = append(c.levels, e.Level)
	return nil
}
