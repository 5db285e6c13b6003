package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ps4kit/ps4kit/artcache"
	"github.com/ps4kit/ps4kit/internal/api"
)

// Addresses that the documents in artcache/testdata give, or that only those can.
const (
	rdr2Icon = "http://gs2-sec.ww.prod.dl.playstation.net/gs2-sec/appkgo/prod/CUSA03041_00/15/i_2efe1b71a037233f60cec3b41a18d69c02bcff5fd0c895c212d44f37883dbaf8/i/icon0.png"
	patchDir = "http://gs2.ww.prod.dl.playstation.net/gs2/ppkgo/prod/CUSA00135_00/21/f_06da3b33d65c72bc25dac70c5d3c5669addbe50a94e87cc644e5b9471101303f/f/"
	addonDir = "http://gs2.ww.prod.dl.playstation.net/gs2/acpkgo/prod/CUSA00135_00/312/f_c94f67a31c1380b702bf7afd2ec4e12ba15228414d0b7fb9c10e278cc8a28513/f/"
)

// artVariables are where a script's ps4kit asks for names and covers.
var artVariables = []string{ // never changed
	"PS4KIT_ART_TMDB_URL", "PS4KIT_ART_UPDATES_URL", "PS4KIT_ART_PACKAGES_URL",
	"PS4KIT_ART_LISTS_URL", "PS4KIT_ART_STORE_URL", "PS4KIT_ART_CHIHIRO_URL",
}

// sources is a copy of the servers that title verbs ask.
type sources struct {
	pages map[string][]byte // by path
	rest  []byte            // what the rest is answered with; nil: 404

	mu    sync.Mutex
	asked int
}

func (s *sources) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	body := s.pages[r.URL.Path]
	if body == nil {
		body = s.rest
	}
	if body == nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(body)
}

// sources [garbage|down] turns art on, asking a copy of the servers with the bodies of
// artcache/testdata; one that answers everything with garbage; or none at all. $ADDON
// is the address of additional content. "sources asked N" compares the number of
// requests that there were.
func cmdSources(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: sources [garbage|down|asked N]")
	}
	r := rigOf(ts)
	if len(args) == 2 && args[0] == "asked" {
		r.sources.mu.Lock()
		defer r.sources.mu.Unlock()
		if got := fmt.Sprint(r.sources.asked); got != args[1] {
			ts.Fatalf("asked %s times, want %s", got, args[1])
		}
		return
	}
	r.sources = &sources{pages: servedPages(ts)}
	if len(args) == 1 && args[0] == "garbage" {
		r.sources = &sources{rest: []byte("<html>Sign in to the hotel's network</html>")}
	}
	srv := httptest.NewServer(r.sources)
	if len(args) == 1 && args[0] == "down" {
		srv.Close()
	}
	ts.Defer(srv.Close)
	for _, name := range artVariables {
		ts.Setenv(name, srv.URL)
	}
	ts.Setenv("PS4KIT_ART_ENABLED", "true")
	ts.Setenv("ADDON", addonDir+"EP1018-CUSA00135_00-ETH0000000000079.json")
}

func servedPages(ts *testscript.TestScript) map[string][]byte {
	pages := map[string][]byte{}
	for address, file := range map[string]string{
		artcache.Address{Kind: artcache.Metadata, TitleID: "CUSA03041"}.String():                                      "tmdb2_CUSA03041_rdr2.json",
		artcache.Address{Kind: artcache.UpdateXML, TitleID: "CUSA00135"}.String():                                     "CUSA00135-ver.xml",
		patchDir + "EP1018-CUSA00135_00-BATMANARKHAMKNHT-A0118-V0100.json":                                            "packages.json",
		patchDir + "playgo-manifest.xml":                                                                              "playgo-manifest.xml",
		addonDir + "EP1018-CUSA00135_00-ETH0000000000079.json":                                                        "packages.json",
		artcache.Address{Kind: artcache.Services}.String():                                                            "servicelist.xml",
		artcache.Address{Kind: artcache.Launch}.String():                                                              "applaunchlink.xml",
		artcache.Address{Kind: artcache.SystemList, Country: "us"}.String():                                           "ps4-updatelist.xml",
		artcache.Address{Kind: artcache.TitleContainer, Country: "us", Language: "en", TitleID: "CUSA00129"}.String(): "chihiro_titlecontainer_CUSA00129_netflix.json",
		artcache.Address{Kind: artcache.TitleContainer, Country: "de", Language: "de", TitleID: "CUSA03041"}.String(): "chihiro_titlecontainer_CUSA00129_netflix.json",
	} {
		body, err := os.ReadFile(filepath.Join("..", "..", "artcache", "testdata", file))
		ts.Check(err)
		pages[pathOf(ts, address)] = body
	}
	us := pages[pathOf(ts, artcache.Address{Kind: artcache.SystemList, Country: "us"}.String())]
	pages[pathOf(ts, artcache.Address{Kind: artcache.SystemList, Country: "eu"}.String())] = bytes.ReplaceAll(us, []byte(`region id="us"`), []byte(`region id="eu"`))
	pages[pathOf(ts, rdr2Icon)] = redCover(512, 512)
	return pages
}

func pathOf(ts *testscript.TestScript, address string) string {
	u, err := url.Parse(address)
	ts.Check(err)
	return u.Path
}

// redCover is red above and green below, as PNG.
func redCover(width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{R: 200, A: 255})
			if y >= height/2 {
				img.Set(x, y, color.RGBA{G: 200, A: 255})
			}
		}
	}
	var out strings.Builder
	_ = png.Encode(&out, img) // a strings.Builder takes everything
	return []byte(out.String())
}

// learned NAME TITLE_ID WANT waits until ps4kit calls an input so.
func cmdLearned(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: learned NAME TITLE_ID WANT")
	}
	for end := time.Now().Add(sawLimit); time.Now().Before(end); {
		var list []api.Title
		o := runVerb(ts, []string{"titles", "--name", args[0], "-o", "json"})
		if o.Code != 0 {
			ts.Fatalf("exit code %d: %s", o.Code, o.Stderr)
		}
		ts.Check(json.Unmarshal(o.Stdout, &list))
		if slices.ContainsFunc(list, func(t api.Title) bool { return t.ID == args[1] && t.Name == args[2] }) {
			return
		}
	}
	ts.Fatalf("%s has no input %s called %s", args[0], args[1], args[2])
}
