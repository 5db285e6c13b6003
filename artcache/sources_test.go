package artcache_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/artcache"
)

// bomb is a "billion laughs" document.
const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><titlepatch titleid="CUSA00135">&b;</titlepatch>`

// hugeUnknown names the fault that has to be read up to the limit.
const hugeUnknown = "huge without a length"

// A fault is a bad answer and the error that it is to be.
type fault struct {
	name    string
	want    error
	handler http.HandlerFunc
}

func faults() []fault {
	big := bytes.Repeat([]byte{' '}, 11<<20)
	return []fault{
		{"missing", artcache.ErrNotFound, http.NotFound},
		{"forbidden", artcache.ErrNotFound, status(http.StatusForbidden)},
		{"huge", artcache.ErrMalformed, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(overLimit(r)))
			_, _ = w.Write(big[:overLimit(r)])
		}},
		{hugeUnknown, artcache.ErrMalformed, func(w http.ResponseWriter, r *http.Request) {
			for range overLimit(r) >> 16 {
				_, _ = w.Write(big[:1<<16])
			}
		}},
		{"malformed", artcache.ErrMalformed, body([]byte(`{"names": [<`))},
		{"wrong type", artcache.ErrMalformed, body([]byte("<html><body>Sign in to the hotel network</body></html>"))},
		{"wrong JSON type", artcache.ErrMalformed, body([]byte(`{"npTitleId":7,"names":{},"pieces":1,"title_name":[]}`))},
		{"no content", artcache.ErrMalformed, status(http.StatusNoContent)},
		{"unasked not modified", artcache.ErrMalformed, status(http.StatusNotModified)},
		{"bomb", artcache.ErrMalformed, body([]byte(bomb))},
		{"deep", artcache.ErrMalformed, body([]byte(strings.Repeat("<a>", 50_000)))},
		{"deep JSON", artcache.ErrMalformed, body([]byte(strings.Repeat("[", 50_000)))},
		{"redirect away", artcache.ErrMalformed, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:9/secret", http.StatusFound)
		}},
		{"redirect to a file", artcache.ErrMalformed, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}},
		{"redirect for ever", artcache.ErrMalformed, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}},
		{"out of order", artcache.ErrUnavailable, status(http.StatusServiceUnavailable)},
		{"cut short", artcache.ErrUnavailable, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("<"))
		}},
	}
}

// TestFaults holds every source against every bad answer, on loopback: an error
// each, and no second request.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range faults() {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			for _, src := range sources(t) {
				s := newServed()
				s.handle(src.address, fault.handler)
				o := s.server(t)
				if fault.name == hugeUnknown { // 10 MB through a socket may take 10 s on a busy machine
					o = s.memory(t)
				}
				c := open(t, o)
				if _, err := src.call(t.Context(), c); !errors.Is(err, fault.want) {
					t.Errorf("%s: %v, want %v", src.name, err, fault.want)
				}
				before := s.count(src.address)
				if before == 0 {
					t.Errorf("%s: was not asked", src.name)
				}
				if _, err := src.call(t.Context(), c); !errors.Is(err, fault.want) {
					t.Errorf("%s: second time: %v, want %v", src.name, err, fault.want)
				}
				if again := s.count(src.address) - before; again != 0 {
					t.Errorf("%s: asked %d more times", src.name, again)
				}
				_ = c.Close()
			}
		})
	}
}

// overLimit is more than 10 MB for an image, more than 1 MB for a document.
func overLimit(r *http.Request) int {
	if strings.HasSuffix(r.URL.Path, "/image") {
		return 11 << 20
	}
	return 2 << 20
}

func body(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// TestSources: each source answers, is asked once, revalidated when its time
// has come, and a changed body is taken over.
func TestSources(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		t.Run(src.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServed()
				now, tag := src.body, `"one"`
				s.handle(src.address, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("ETag", tag)
					w.Header().Set("Last-Modified", "Tue, 27 Nov 2018 12:19:04 GMT")
					if r.Header.Get("If-None-Match") == tag {
						w.WriteHeader(http.StatusNotModified)
						return
					}
					_, _ = w.Write(now)
				})
				c := open(t, s.memory(t))
				first := mustCall(t, c, src)
				if again := mustCall(t, c, src); s.count(src.address) != 1 || !reflect.DeepEqual(first, again) {
					t.Fatalf("asked %d times for one body", s.count(src.address))
				}
				time.Sleep(31 * 24 * time.Hour)
				if same := mustCall(t, c, src); !reflect.DeepEqual(first, same) || s.count(src.address) != 2 {
					t.Fatalf("not revalidated: asked %d times", s.count(src.address))
				}
				if r := lastOf(s, src.address); r.Header.Get("If-None-Match") != tag || r.Header.Get("If-Modified-Since") == "" {
					t.Errorf("asked without validators: %v", r.Header)
				}
				time.Sleep(31 * 24 * time.Hour)
				now, tag = src.changed, `"two"`
				if other := mustCall(t, c, src); reflect.DeepEqual(first, other) {
					t.Error("the change was missed")
				}
				_ = c.Close()
			})
		})
	}
}

func lastOf(s *served, address string) *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last *http.Request
	for _, r := range s.asked {
		if pathOf(address) == r.URL.Path {
			last = r
		}
	}
	return last
}

func mustCall(t *testing.T, c *artcache.Cache, src source) any {
	t.Helper()
	v, err := src.call(t.Context(), c)
	if err != nil {
		t.Fatalf("%s: %v", src.name, err)
	}
	return v
}

// TestSlow: a source that never answers costs ten seconds, then its host is left
// alone, for longer and longer; a stale copy is served meanwhile.
func TestSlow(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		t.Run(src.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServed()
				s.handle(src.address, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				c := open(t, s.memory(t))
				start := time.Now()
				if _, err := src.call(t.Context(), c); !errors.Is(err, artcache.ErrUnavailable) {
					t.Fatal(err)
				}
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("took %v", took)
				}
				asked := s.count(src.address)
				if _, err := src.call(t.Context(), c); !errors.Is(err, artcache.ErrUnavailable) || s.count(src.address) != asked {
					t.Errorf("asked at once again: %v", err)
				}
				time.Sleep(31 * time.Second)
				s.page(src.address, src.body)
				good := mustCall(t, c, src)
				time.Sleep(31 * 24 * time.Hour)
				s.handle(src.address, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				if stale := mustCall(t, c, src); !reflect.DeepEqual(good, stale) {
					t.Error("the stale copy was not served")
				}
				_ = c.Close()
			})
		})
	}
}

// TestNegative: nothing is asked again for a day, a good copy outlives a 404.
func TestNegative(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		address := updatesAddress("CUSA00135")
		o := s.memory(t)
		c := open(t, o)
		ask := func() error { _, err := c.Updates(t.Context(), "CUSA00135"); return err }
		for range 3 {
			if err := ask(); !errors.Is(err, artcache.ErrNotFound) {
				t.Fatal(err)
			}
		}
		_ = c.Close()
		c = open(t, o) // the memory of it is on disk
		time.Sleep(23 * time.Hour)
		if err := ask(); !errors.Is(err, artcache.ErrNotFound) || s.count(address) != 1 {
			t.Fatalf("asked %d times within a day: %v", s.count(address), err)
		}
		time.Sleep(2 * time.Hour)
		s.page(address, fixture(t, "CUSA00135-ver.xml"))
		if err := ask(); err != nil || s.count(address) != 2 {
			t.Fatalf("asked %d times after a day: %v", s.count(address), err)
		}
		time.Sleep(7 * time.Hour)
		s.handle(address, http.NotFound)
		if err := ask(); err != nil {
			t.Errorf("a 404 took the good copy away: %v", err)
		}
		if err := ask(); err != nil || s.count(address) != 3 {
			t.Errorf("asked %d times, want 3: %v", s.count(address), err)
		}
		_ = c.Close()
	})
}

// TestNoUpdates: an empty body is how the source says that there are none.
func TestNoUpdates(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(updatesAddress(rdr2), nil)
	c := open(t, s.server(t))
	if _, err := c.Updates(t.Context(), rdr2); !errors.Is(err, artcache.ErrNotFound) {
		t.Error(err)
	}
}

// TestOtherTitle: an answer about another title is not taken.
func TestOtherTitle(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(metadataAddress("CUSA00001"), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
	s.page(updatesAddress("CUSA00001"), fixture(t, "CUSA00135-ver.xml"))
	c := open(t, s.server(t))
	if _, err := c.Info(t.Context(), "CUSA00001"); !errors.Is(err, artcache.ErrMalformed) {
		t.Error(err)
	}
	if _, err := c.Updates(t.Context(), "CUSA00001"); !errors.Is(err, artcache.ErrMalformed) {
		t.Error(err)
	}
}

// TestCancel: a caller who gives up leaves at once; the others get the answer.
func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		release := make(chan struct{})
		data := fixture(t, "tmdb2_CUSA03041_rdr2.json")
		s.handle(metadataAddress(rdr2), func(w http.ResponseWriter, _ *http.Request) {
			<-release
			_, _ = w.Write(data)
		})
		c := open(t, s.memory(t))
		impatient, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		for _, ctx := range []context.Context{impatient, t.Context()} {
			go func() {
				_, err := c.Info(ctx, rdr2)
				errs <- err
			}()
		}
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("the one who gave up got %v", err)
		}
		close(release)
		if err := <-errs; err != nil {
			t.Errorf("the other got %v", err)
		}
		if n := s.count(metadataAddress(rdr2)); n != 1 {
			t.Errorf("asked %d times", n)
		}
		_ = c.Close()
	})
}

// TestClose ends a fetch under way, and later calls.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		s.handle(metadataAddress(rdr2), func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		c := open(t, s.memory(t))
		errs := make(chan error, 1)
		go func() {
			_, err := c.Info(context.Background(), rdr2)
			errs <- err
		}()
		synctest.Wait()
		start := time.Now()
		_ = c.Close()
		if err := <-errs; !errors.Is(err, artcache.ErrClosed) || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, err := c.Updates(t.Context(), rdr2); !errors.Is(err, artcache.ErrClosed) {
			t.Error(err)
		}
	})
}
