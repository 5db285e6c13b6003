package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
)

const (
	rdr2  = "CUSA03041"
	other = "CUSA00080"
)

// sony is a copy of the title metadata on loopback: every title is called "Real™" and
// its id.
type sony struct {
	url   string
	cover []byte       // of every title, nil for none
	hold  sync.RWMutex // locked: answers wait

	mu    sync.Mutex
	asked map[string]int // by title id
}

func newSony(t *testing.T) *sony {
	t.Helper()
	body, err := os.ReadFile("../../artcache/testdata/tmdb2_CUSA03041_rdr2.json")
	if err != nil {
		t.Fatal(err)
	}
	s := &sony{asked: map[string]int{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, name, _ := strings.Cut(r.URL.Path, "/tmdb2/")
		id, _, found := strings.Cut(name, "_")
		s.mu.Lock()
		s.asked[id]++
		s.mu.Unlock()
		if s.cover != nil && strings.Contains(r.URL.Path, "/image") {
			_, _ = w.Write(s.cover)
			return
		}
		s.hold.RLock()
		defer s.hold.RUnlock()
		if !found {
			http.NotFound(w, r)
			return
		}
		answer := bytes.ReplaceAll(body, []byte("Red Dead Redemption 2"), []byte("Real™ "+id))
		_, _ = w.Write(bytes.ReplaceAll(answer, []byte(rdr2), []byte(id)))
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *sony) count(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[id]
}

// configured is a configuration that asks this copy alone.
func (s *sony) configured(yaml, more string) string {
	art := "art: {"
	for _, key := range []string{"tmdb", "updates", "packages", "lists", "store", "chihiro"} {
		art += fmt.Sprintf("%s_url: %q, ", key, s.url)
	}
	return strings.Replace(yaml, "art: {enabled: false}", art+more+"}", 1)
}

// nameOf returns what an input is called, "" when there is none.
func nameOf(t *testing.T, b *api.Client, id string) string {
	t.Helper()
	list, err := api.Titles.Do(t.Context(), b, api.HostRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range list {
		if in.ID == id {
			return in.Name
		}
	}
	return ""
}

func TestLearnedTitleGetsItsRealName(t *testing.T) {
	t.Parallel()
	s := newSony(t)
	console, yaml := den(t)
	r := serve(t, shortDir(t), s.configured(yaml, ""), 0)
	console.SetRunning(rdr2)
	waitUntil(t, "the title gets its real name", func() bool { return nameOf(t, r.api, rdr2) == "Real "+rdr2 })
	r.stop()

	// It is known at once after a restart, and to a command that runs alone, which asks nothing.
	asked := s.count(rdr2)
	again := serve(t, r.state, s.configured(yaml, ""), 0)
	if name := nameOf(t, again.api, rdr2); name != "Real "+rdr2 {
		t.Errorf("after a restart: %q", name)
	}
	again.stop()
	store := open(t, r.state)
	t.Cleanup(func() { _ = store.Close() })
	l := local(t, store, s.configured(yaml, ""), app.Override{ConsoleKey: console.PublicKey()})
	if err := api.AddTitle.Do(t.Context(), l.Client, api.AddTitleRequest{ID: other}); err != nil {
		t.Fatal(err)
	}
	if name := nameOf(t, l.Client, rdr2); name != "Real "+rdr2 {
		t.Errorf("without a server: %q", name)
	}
	if name := nameOf(t, l.Client, other); name != other {
		t.Errorf("without a server: %q", name)
	}
	if s.count(rdr2) != asked || s.count(other) != 0 {
		t.Errorf("asked %d and %d times more", s.count(rdr2)-asked, s.count(other))
	}
}

func TestNameThatSomebodyGaveStays(t *testing.T) {
	t.Parallel()
	s := newSony(t)
	console, yaml := den(t)
	r := serve(t, shortDir(t), s.configured(yaml+"    titles: [{id: CUSA00129, name: Mine}]\n", ""), 0)
	s.hold.Lock()
	console.SetRunning(rdr2)
	waitUntil(t, "the title is asked about", func() bool { return s.count(rdr2) == 1 && nameOf(t, r.api, rdr2) != "" })
	if err := api.ChangeTitle.Do(t.Context(), r.api, api.ChangeTitleRequest{ID: rdr2, Name: new("Cowboys™")}); err != nil {
		t.Fatal(err)
	}
	s.hold.Unlock()
	console.SetRunning("CUSA00129")
	if err := api.AddTitle.Do(t.Context(), r.api, api.AddTitleRequest{ID: other}); err != nil { // asked about after the one above
		t.Fatal(err)
	}
	waitUntil(t, "another title gets its real name", func() bool { return nameOf(t, r.api, other) == "Real "+other })
	if name := nameOf(t, r.api, rdr2); name != "Cowboys™" {
		t.Errorf("the name that was written has become %q", name)
	}
	if name := nameOf(t, r.api, "CUSA00129"); name != "Mine" {
		t.Errorf("the configured name has become %q", name)
	}
	if err := api.ChangeTitle.Do(t.Context(), r.api, api.ChangeTitleRequest{ID: rdr2, Name: new("")}); err != nil {
		t.Fatal(err)
	}
	if name := nameOf(t, r.api, rdr2); name != "Real "+rdr2 {
		t.Errorf("its own name is %q", name)
	}
}

func TestNothingIsAskedWithoutArt(t *testing.T) {
	t.Parallel()
	s := newSony(t)
	console, yaml := den(t)
	r := serve(t, shortDir(t), s.configured(yaml, "enabled: false"), 0)
	console.SetRunning(rdr2)
	waitUntil(t, "the title has an input", func() bool { return nameOf(t, r.api, rdr2) != "" })
	r.stop()
	if s.count(rdr2) != 0 {
		t.Error("asked although art.enabled is false")
	}
}

func TestServerRunsWithoutItsArtDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSony(t)
	_, yaml := den(t)
	r := serve(t, shortDir(t), s.configured(yaml, "dir: "+filepath.Join(file, "art")), 0)
	if len(r.list) != 1 || !strings.Contains(r.log.String(), "art.dir") {
		t.Errorf("%d consoles; the log does not say why there are no names:\n%s", len(r.list), r.log)
	}
}

// Simulated consoles learn from a copy on this machine, and from nowhere else.
func TestSimulatedConsolesAskLoopback(t *testing.T) {
	t.Parallel()
	s := newSony(t)
	r := serve(t, shortDir(t), s.configured(loopback, ""), 1)
	if err := api.AddTitle.Do(t.Context(), r.api, api.AddTitleRequest{ID: rdr2}); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the title gets its real name", func() bool { return nameOf(t, r.api, rdr2) == "Real "+rdr2 })
}

func TestArtOptions(t *testing.T) {
	t.Parallel()
	yaml := loopback[:strings.Index(loopback, "art:")]
	o := app.ArtOptions(load(t, yaml), "/state")
	if o.Dir != "/state/art" || o.MaxBytes != 256<<20 || o.Country != "us" || o.Language != "" || o.Disabled {
		t.Errorf("%+v", o)
	}
	if o.Bases.TMDB == "" || o.Bases.Chihiro == "" {
		t.Errorf("%+v", o.Bases)
	}
	o.Dir = t.TempDir()
	c, err := artcache.Open(&o)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	o = app.ArtOptions(load(t, yaml+"art: {dir: /there, enabled: false, country: de, language: de, max_mb: 1}"), "/state")
	if o.Dir != "/there" || o.MaxBytes != 1<<20 || o.Country != "de" || o.Language != "de" || !o.Disabled {
		t.Errorf("%+v", o)
	}
}
