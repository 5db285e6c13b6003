package artcache_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
)

func TestStats(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
	s.handle(updatesAddress(rdr2), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	c := open(t, s.server(t))
	for range 3 {
		if _, err := c.Info(t.Context(), rdr2); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := c.Name(rdr2); !ok {
		t.Error("no name")
	}
	if _, err := c.Updates(t.Context(), "CUSA00001"); !errors.Is(err, artcache.ErrNotFound) {
		t.Error(err)
	}
	if _, err := c.Updates(t.Context(), rdr2); !errors.Is(err, artcache.ErrUnavailable) {
		t.Error(err)
	}
	want := artcache.Stats{Hits: 3, Misses: 3, Fetched: 1, Absent: 1, Failed: 1}
	if got := c.Stats(); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}
