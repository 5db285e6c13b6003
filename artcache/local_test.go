package artcache_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ps4kit/ps4kit/artcache"
)

// TestLoopback: no request leaves the machine, but a copy on it is asked, and a
// redirect does not lead out.
func TestLoopback(t *testing.T) {
	t.Parallel()
	s := newServed()
	s.page(metadataAddress(rdr2), fixture(t, "tmdb2_CUSA03041_rdr2.json"))
	s.handle(updatesAddress(rdr2), func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://store.playstation.com/", http.StatusFound)
	})
	o := s.server(t)
	o.Loopback = true
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.Hostname() != "127.0.0.1" {
			t.Errorf("asked %s", r.URL)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	o.Bases.Chihiro, o.Bases.Store = "", "https://192.0.2.1"
	c := open(t, o)
	if info, err := c.Info(t.Context(), rdr2); err != nil || info.ID != rdr2 {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := c.Container(t.Context(), "CUSA00129", us); !errors.Is(err, artcache.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := c.Updates(t.Context(), rdr2); !errors.Is(err, artcache.ErrMalformed) {
		t.Error(err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // the standard library's
}

// TestRealBases: naming the real hosts, as the default configuration does, is as
// naming none; plain http in the place of https is a wish of its own.
func TestRealBases(t *testing.T) {
	t.Parallel()
	named := artcache.Bases{
		TMDB: "https://tmdb.np.dl.playstation.net", Updates: "https://gs-sec.ww.np.dl.playstation.net",
		Packages: "http://gs2.ww.prod.dl.playstation.net", Lists: "https://ps4-eb.ww.np.dl.playstation.net",
		Store: "https://commerce1.api.np.km.playstation.net", Chihiro: "https://store.playstation.com",
	}
	plain := named
	plain.TMDB = "http://tmdb.np.dl.playstation.net"
	for _, src := range sources(t) {
		t.Run(src.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := func(b artcache.Bases) string {
					var all []string
					c := open(t, &artcache.Options{Dir: t.TempDir(), Bases: b, Transport: transport(func(r *http.Request) (*http.Response, error) {
						all = append(all, r.URL.String())
						return nil, errRefused
					})})
					_, _ = src.call(t.Context(), c)
					_ = c.Close()
					return fmt.Sprint(all)
				}
				want := asked(artcache.Bases{})
				if !strings.Contains(want, "https://") {
					t.Fatalf("asked %s", want)
				}
				if got := asked(named); got != want {
					t.Errorf("asked\n%s, want\n%s", got, want)
				}
				if got := asked(plain); strings.Contains(got, "https://tmdb") {
					t.Errorf("asked %s", got)
				}
			})
		})
	}
}
