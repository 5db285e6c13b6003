package artcache_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
)

// served is a copy of the sources. It is an http.Handler for a real server, and
// a RoundTripper for tests with a simulated clock, which take no sockets.
type served struct {
	mu     sync.Mutex
	pages  map[string]http.HandlerFunc // by path
	asked  []*http.Request
	active int
	peak   int
}

func newServed() *served { return &served{pages: map[string]http.HandlerFunc{}} }

// page serves a body under the path of an address.
func (s *served) page(address string, body []byte) {
	s.handle(address, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (s *served) handle(address string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[pathOf(address)] = h
}

func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	s.active++
	s.peak = max(s.peak, s.active)
	h := s.pages[r.URL.Path]
	s.mu.Unlock()
	if h == nil {
		h = http.NotFound
	}
	h(w, r)
	s.mu.Lock()
	s.active--
	s.mu.Unlock()
}

func (s *served) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// count returns how many requests there were for the path of an address; for
// all when it is empty.
func (s *served) count(address string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.asked {
		if address == "" || pathOf(address) == r.URL.Path {
			n++
		}
	}
	return n
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u.Path
}

// last returns the last request.
func (s *served) last() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[len(s.asked)-1]
}

// server serves on loopback and returns options that ask there alone.
func (s *served) server(t testing.TB) *artcache.Options {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	u := srv.URL
	return &artcache.Options{Dir: t.TempDir(), Logf: t.Logf, Bases: artcache.Bases{
		TMDB: u, Updates: u, Packages: u, Lists: u, Store: u, Chihiro: u, Images: u,
	}}
}

// memory returns options that ask s through its RoundTripper.
func (s *served) memory(t testing.TB) *artcache.Options {
	t.Helper()
	return &artcache.Options{Dir: t.TempDir(), Transport: s, Logf: t.Logf}
}

func open(t testing.TB, o *artcache.Options) *artcache.Cache {
	t.Helper()
	c, err := artcache.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// picture returns a PNG of one colour.
func picture(w, h int, c color.Color) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

var ( // never changed
	us   = artcache.Region{Language: "en", Country: "us"}
	blue = color.RGBA{B: 200, A: 255}
	red  = color.RGBA{R: 200, A: 255}
)

// Addresses of the fixtures.
const (
	rdr2     = "CUSA03041"
	rdr2Icon = "http://gs2-sec.ww.prod.dl.playstation.net/gs2-sec/appkgo/prod/CUSA03041_00/15/i_2efe1b71a037233f60cec3b41a18d69c02bcff5fd0c895c212d44f37883dbaf8/i/icon0.png"
	patch    = "http://gs2.ww.prod.dl.playstation.net/gs2/ppkgo/prod/CUSA00135_00/21/f_06da3b33d65c72bc25dac70c5d3c5669addbe50a94e87cc644e5b9471101303f/f/EP1018-CUSA00135_00-BATMANARKHAMKNHT-A0118-V0100.json"
	playgo   = "http://gs2.ww.prod.dl.playstation.net/gs2/ppkgo/prod/CUSA00135_00/21/f_06da3b33d65c72bc25dac70c5d3c5669addbe50a94e87cc644e5b9471101303f/f/playgo-manifest.xml"
	addon    = "http://gs2.ww.prod.dl.playstation.net/gs2/acpkgo/prod/CUSA00135_00/312/f_c94f67a31c1380b702bf7afd2ec4e12ba15228414d0b7fb9c10e278cc8a28513/f/EP1018-CUSA00135_00-ETH0000000000079.json"
	carIcon  = "https://commerce1.api.np.km.playstation.net/store/api/ps4/00_09_000/container/FR/fr/19/EP4389-CUSA08652_00-CAR0050000000000/image?w=240&h=240"
	netflix  = "https://store.playstation.com/store/api/chihiro/00_09_000/titlecontainer/us/en/999/CUSA00129_00"
)

func metadataAddress(id string) string {
	return artcache.Address{Kind: artcache.Metadata, TitleID: id}.String()
}

func updatesAddress(id string) string {
	return artcache.Address{Kind: artcache.UpdateXML, TitleID: id}.String()
}

func systemAddress(region string) string {
	return artcache.Address{Kind: artcache.SystemList, Country: region}.String()
}

const (
	servicesAddress = "https://ps4-eb.ww.np.dl.playstation.net/ps4-eb/servicelist/servicelist.xml"
	launchAddress   = "https://ps4-eb.ww.np.dl.playstation.net/ps4-eb/applaunchlink/applaunchlink.xml"
)

// A source is one of the sources with a real body, another body, and a call.
type source struct {
	name    string
	address string
	body    []byte
	changed []byte
	call    func(context.Context, *artcache.Cache) (any, error)
}

func sources(t testing.TB) []source {
	doc := func(name, address, file, old, now string, call func(context.Context, *artcache.Cache) (any, error)) source {
		body := fixture(t, file)
		changed := bytes.ReplaceAll(body, []byte(old), []byte(now))
		if bytes.Equal(body, changed) {
			t.Fatalf("%s: %q is not in the body", name, old)
		}
		return source{name, address, body, changed, call}
	}
	type ctx = context.Context
	type cache = *artcache.Cache
	return []source{
		doc("metadata", metadataAddress(rdr2), "tmdb2_CUSA03041_rdr2.json", "Red Dead", "Blue Dead",
			func(ctx ctx, c cache) (any, error) { return c.Info(ctx, rdr2) }),
		doc("updates", updatesAddress("CUSA00135"), "CUSA00135-ver.xml", "01.18", "01.19",
			func(ctx ctx, c cache) (any, error) { return c.Updates(ctx, "CUSA00135") }),
		doc("packages", patch, "packages.json", "h1", "h2",
			func(ctx ctx, c cache) (any, error) { return c.Packages(ctx, patch) }),
		doc("addon", addon, "packages.json", "h1", "h2",
			func(ctx ctx, c cache) (any, error) { return c.Addon(ctx, addon) }),
		doc("playgo", playgo, "playgo-manifest.xml", "Story", "Other",
			func(ctx ctx, c cache) (any, error) { return c.PlayGo(ctx, patch) }),
		doc("container", netflix, "chihiro_titlecontainer_CUSA00129_netflix.json", "Netflix", "Webflix",
			func(ctx ctx, c cache) (any, error) { return c.Container(ctx, "CUSA00129", us) }),
		doc("services", servicesAddress, "servicelist.xml", "SNS001", "SNS009",
			func(ctx ctx, c cache) (any, error) { return c.ServiceList(ctx) }),
		doc("launch", launchAddress, "applaunchlink.xml", "01.700.000", "02.000.000",
			func(ctx ctx, c cache) (any, error) { return c.LaunchList(ctx) }),
		doc("system", systemAddress("us"), "ps4-updatelist.xml", "9.50", "9.60",
			func(ctx ctx, c cache) (any, error) { return c.SystemUpdates(ctx, "us") }),
		{"container image", netflix + "/image", picture(30, 30, blue), picture(30, 30, red),
			func(ctx ctx, c cache) (any, error) { return c.Cover(ctx, "CUSA00129", artcache.Full) }},
	}
}
