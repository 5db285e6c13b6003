package artcache_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ps4kit/ps4kit/artcache"
)

// transport is a RoundTripper made of a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var errRefused = errors.New("connection refused") // never changed

// TestScheme: https first; plain http only for hosts that have nothing else.
func TestScheme(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		t.Run(src.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServed()
				s.page(src.address, src.body)
				var schemes []string
				o := s.memory(t)
				o.Transport = transport(func(r *http.Request) (*http.Response, error) {
					if pathOf(src.address) == r.URL.Path {
						schemes = append(schemes, r.URL.Scheme)
					}
					if r.URL.Scheme == "https" {
						return nil, errRefused
					}
					return s.RoundTrip(r)
				})
				c := open(t, o)
				_, err := src.call(t.Context(), c)
				plain := strings.HasPrefix(src.address, "http:") && src.name != "metadata" // known over https
				if plain != (err == nil) || (!plain && !errors.Is(err, artcache.ErrUnavailable)) {
					t.Errorf("plain %v: %v", plain, err)
				}
				want := "[https]"
				if plain {
					want = "[https http]"
				}
				if got := fmt.Sprint(schemes); got != want {
					t.Errorf("asked by %v, want %v", got, want)
				}
				_ = c.Close()
			})
		})
	}
}

// TestNoPlainWhileDown: a network that is down does not teach plain http.
func TestNoPlainWhileDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		s.page(updatesAddress("CUSA00135"), fixture(t, "CUSA00135-ver.xml"))
		down := true
		o := s.memory(t)
		o.Transport = transport(func(r *http.Request) (*http.Response, error) {
			if down {
				return nil, errRefused
			}
			return s.RoundTrip(r)
		})
		c := open(t, o)
		if _, err := c.Updates(t.Context(), "CUSA00135"); !errors.Is(err, artcache.ErrUnavailable) {
			t.Fatal(err)
		}
		down = false
		time.Sleep(time.Minute)
		if _, err := c.Updates(t.Context(), "CUSA00135"); err != nil || s.last().URL.Scheme != "https" {
			t.Errorf("%v", err)
		}
		_ = c.Close()
	})
}

// TestAgents: the console's endpoints hear the console's own client.
func TestAgents(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		s := newServed()
		s.page(src.address, src.body)
		c := open(t, s.server(t))
		if _, err := src.call(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		store := strings.Contains(src.address, "//store.") || strings.Contains(src.address, "//commerce1.")
		agent := lastOf(s, src.address).UserAgent()
		if store != (agent == "ps4kit") || store == strings.HasPrefix(agent, "PS4TitleMetadata/1.00 libhttp/1.50") {
			t.Errorf("%s heard %q", src.name, agent)
		}
	}
}

// TestRedirects: within the configured hosts only, and never down to plain http
// where https is known.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for to, ok := range map[string]bool{
		"https://tmdb.np.dl.playstation.net/else":            true,
		"https://gs2.ww.prod.dl.playstation.net/else":        true,
		"http://gs2.ww.prod.dl.playstation.net/else":         true,
		"http://tmdb.np.dl.playstation.net/else":             false,
		"https://tmdb.np.dl.playstation.net:8443/else":       false,
		"https://user@tmdb.np.dl.playstation.net/else":       false,
		"https://tmdb.np.dl.playstation.net.evil.test/else":  false,
		"https://fxx01.ps4.update.playstation.net.evil/else": false,
		"http://169.254.169.254/else":                        false,
		"ftp://tmdb.np.dl.playstation.net/else":              false,
	} {
		s := newServed()
		s.handle(metadataAddress(rdr2), func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
		s.page("https://x/else", fixture(t, "tmdb2_CUSA03041_rdr2.json"))
		c := open(t, s.memory(t))
		_, err := c.Info(t.Context(), rdr2)
		if ok != (err == nil) || ok != (s.count("https://x/else") == 1) {
			t.Errorf("%s: %v, asked %d times", to, err, s.count("https://x/else"))
		}
	}
}

// TestErrorsSayWhy: an error names its cause, not the address with its hash, and
// not the pause that the cause led to.
func TestErrorsSayWhy(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]http.HandlerFunc{
		"bad answer: too many redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		},
		"bad answer: redirect to a host that is not configured": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:9/", http.StatusFound)
		},
		"source does not answer: EOF": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		s := newServed()
		s.handle(metadataAddress("CUSA00129"), h)
		s.handle(netflix+"/image", h)
		c := open(t, s.server(t))
		if _, err := c.Cover(t.Context(), "CUSA00129", artcache.Full); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestStrangeLinks: a document cannot send us to a host of its own.
func TestStrangeLinks(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"http://127.0.0.1:8990/logout", "file:///etc/passwd", "//evil.test/x", "", ":", "http://tmdb.np.dl.playstation.net:80/x"} {
		s := newServed()
		s.page(metadataAddress(rdr2), bytes.ReplaceAll(fixture(t, "tmdb2_CUSA03041_rdr2.json"), []byte(rdr2Icon), []byte(link)))
		c := open(t, s.memory(t))
		if _, err := c.Cover(t.Context(), rdr2, artcache.Full); !errors.Is(err, artcache.ErrNotFound) && !errors.Is(err, artcache.ErrMalformed) {
			t.Errorf("%q: %v", link, err)
		}
		for _, r := range s.asked {
			if !strings.HasSuffix(r.URL.Host, ".playstation.com") && !strings.HasSuffix(r.URL.Host, ".playstation.net") || r.URL.Port() != "" {
				t.Errorf("%q: asked %s", link, r.URL)
			}
		}
	}
}

// TestBackOff: pauses double, and a host's Retry-After counts.
func TestBackOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		after := ""
		s.handle(servicesAddress, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		c := open(t, s.memory(t))
		ask := func() int {
			if _, err := c.ServiceList(t.Context()); !errors.Is(err, artcache.ErrUnavailable) {
				t.Fatal(err)
			}
			return s.count("")
		}
		ask()
		for i, pause := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute} {
			time.Sleep(pause - time.Second)
			if n := ask(); n != i+1 {
				t.Fatalf("pause %d was cut short: %d requests", i, n)
			}
			time.Sleep(time.Second)
			if n := ask(); n != i+2 {
				t.Fatalf("pause %d was too long: %d requests", i, n)
			}
		}
		time.Sleep(8 * time.Minute)
		after = "3000"
		n := ask()
		time.Sleep(49 * time.Minute)
		if ask() != n {
			t.Error("Retry-After was not kept")
		}
		time.Sleep(2 * time.Minute)
		if ask() != n+1 {
			t.Error("Retry-After lasted too long")
		}
		_ = c.Close()
	})
}

// TestFewRequests: one request per title however many ask, two at once at most.
func TestFewRequests(t *testing.T) {
	t.Parallel()
	s := newServed()
	const titles, askers = 12, 8
	var ids []string
	gate := make(chan struct{}, titles)
	for i := range titles {
		id := fmt.Sprintf("CUSA%05d", 100+i)
		ids = append(ids, id)
		data := bytes.ReplaceAll(fixture(t, "tmdb2_CUSA03041_rdr2.json"), []byte(rdr2), []byte(id))
		s.handle(metadataAddress(id), func(w http.ResponseWriter, _ *http.Request) {
			gate <- struct{}{}
			_, _ = w.Write(data)
		})
	}
	c := open(t, s.server(t))
	var wg sync.WaitGroup
	for _, id := range ids {
		for range askers {
			wg.Go(func() {
				info, err := c.Info(t.Context(), id)
				if err != nil || info.ID != id {
					t.Errorf("%s: %v", id, err)
				}
			})
		}
	}
	wg.Wait()
	if s.count("") != titles || s.peak > 2 {
		t.Errorf("%d requests for %d titles, %d at once", s.count(""), titles, s.peak)
	}
}

// TestOffline: what is cached is served, even when old; nothing is asked.
func TestOffline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServed()
		s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
		s.page(rdr2Icon, picture(120, 120, blue))
		o := s.memory(t)
		c := open(t, o)
		if _, err := c.Cover(t.Context(), rdr2, artcache.Small); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		asked := s.count("")
		time.Sleep(100 * 24 * time.Hour)
		o.Offline = true
		c = open(t, o)
		if _, err := c.Cover(t.Context(), rdr2, artcache.Medium); err != nil {
			t.Error(err)
		}
		if name, ok := c.Name(rdr2); !ok || name != "Red Dead Redemption 2" {
			t.Errorf("%q", name)
		}
		if _, err := c.Updates(t.Context(), rdr2); !errors.Is(err, artcache.ErrOffline) {
			t.Error(err)
		}
		if _, err := c.Cover(t.Context(), "CUSA00129", artcache.Small); !errors.Is(err, artcache.ErrOffline) {
			t.Error(err)
		}
		synctest.Wait()
		_ = c.Close()
		if s.count("") != asked {
			t.Errorf("asked %d times while offline", s.count("")-asked)
		}
	})
}

// TestDisabled: art.enabled: false asks nothing and reads nothing.
func TestDisabled(t *testing.T) {
	t.Parallel()
	s := newServed()
	o := s.memory(t)
	for _, src := range sources(t) {
		s.page(src.address, src.body)
	}
	c := open(t, o)
	if _, err := c.Info(t.Context(), rdr2); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	asked := s.count("")
	o.Disabled = true
	c = open(t, o)
	for _, src := range sources(t) {
		if _, err := src.call(t.Context(), c); !errors.Is(err, artcache.ErrDisabled) {
			t.Errorf("%s: %v", src.name, err)
		}
	}
	if _, ok := c.Name(rdr2); ok {
		t.Error("a name while disabled")
	}
	if _, ok := c.Cached(t.Context(), rdr2, artcache.Small); ok {
		t.Error("a cover while disabled")
	}
	if _, err := c.Titles(); !errors.Is(err, artcache.ErrDisabled) {
		t.Error(err)
	}
	_ = c.Close()
	if s.count("") != asked {
		t.Error("asked while disabled")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]artcache.Options{
		"country":  {Country: "USA"},
		"language": {Language: "english"},
		"path":     {Country: ".."},
		"scheme":   {Bases: artcache.Bases{TMDB: "ftp://x"}},
		"no host":  {Bases: artcache.Bases{Lists: "http://"}},
		"secret":   {Bases: artcache.Bases{Store: "https://u:p@x"}},
	} {
		o.Dir = t.TempDir()
		if c, err := artcache.Open(&o); err == nil {
			_ = c.Close()
			t.Errorf("%s was accepted", name)
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: a secret in %v", name, err)
		}
	}
}
