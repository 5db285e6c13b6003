package artcache_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ps4kit/ps4kit/artcache"
)

func TestParseMetadata(t *testing.T) {
	t.Parallel()
	info, err := artcache.Parse[artcache.Info](fixture(t, "tmdb2_CUSA03041_rdr2.json"))
	if err != nil {
		t.Fatal(err)
	}
	if info.ID != rdr2 || len(info.Names) != 13 || info.Icons[0].URL != rdr2Icon || info.Icons[0].Type != "512x512" ||
		info.ContentID != "UP1004-CUSA03041_00-REDEMPTION000002" || info.Category != "gd" || info.ParentalLevel != 9 ||
		!strings.HasSuffix(info.Background, "/i/pic0.png") || info.Revision != 15 {
		t.Errorf("%+v", info)
	}
	playroom, err := artcache.Parse[artcache.Info](fixture(t, "tmdb2_CUSA00001_playroom_partial.json"))
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string]string{"en": "THE PLAYROOM", "ja": "プレイルーム", "de": "THE PLAYROOM"} {
		if got := playroom.Name(language, "us"); got != want {
			t.Errorf("%s: %q, want %q", language, got, want)
		}
	}
}

func TestNameInLanguage(t *testing.T) {
	t.Parallel()
	info := artcache.Info{Names: []artcache.Name{
		{Text: "main"}, {Text: "Brazil", Language: "pt-BR"}, {Text: "Portugal", Language: "pt"},
		{Text: "English", Language: "en"}, {Text: "Mexico", Language: "es-MX"},
	}}
	for _, tt := range []struct{ language, country, want string }{
		{"pt", "br", "Brazil"}, {"pt-BR", "us", "Brazil"}, {"pt", "pt", "Portugal"}, {"es", "es", "Mexico"},
		{"fr", "fr", "English"}, {"en", "us", "English"},
	} {
		if got := info.Name(tt.language, tt.country); got != tt.want {
			t.Errorf("%s/%s: %q, want %q", tt.language, tt.country, got, tt.want)
		}
	}
	only := artcache.Info{Names: []artcache.Name{{Text: "日本", Language: "ja"}}}
	if got := only.Name("en", "us"); got != "日本" {
		t.Errorf("%q", got)
	}
}

func TestParseUpdates(t *testing.T) {
	t.Parallel()
	u, err := artcache.Parse[artcache.Updates](fixture(t, "CUSA00135-ver.xml"))
	if err != nil {
		t.Fatal(err)
	}
	p := u.Latest()
	if u.TitleID != "CUSA00135" || len(u.Packages) != 2 || p.Version != "01.18" || p.Size != 7_340_032_000 ||
		p.RequiredSystem != "5.02" || p.Title != "BATMAN™: ARKHAM KNIGHT" || p.Manifest != patch {
		t.Errorf("%+v", u)
	}
	if a, err := artcache.ParseAddress(p.Delta.URL); err != nil || a.File != "-DP.pkg" {
		t.Errorf("delta %q: %v", p.Delta.URL, err)
	}
	if u.Packages[0].RequiredSystem != "2.03" {
		t.Error("required system")
	}
	odd, err := artcache.Parse[artcache.Updates]([]byte(`<titlepatch titleid="CUSA00135"><tag><package system_ver="x"/></tag></titlepatch>`))
	if err != nil || odd.Packages[0].RequiredSystem != "x" {
		t.Errorf("%+v, %v", odd, err)
	}
	if (&artcache.Updates{}).Latest() != nil {
		t.Error("a latest of none")
	}
}

func TestParseLists(t *testing.T) {
	t.Parallel()
	l, err := artcache.Parse[artcache.ServiceList](fixture(t, "servicelist.xml"))
	if err != nil || len(l.Services) != 6 || l.Platform != "ps4" {
		t.Fatalf("%+v, %v", l, err)
	}
	for _, tt := range []struct {
		at      int
		country string
		want    bool
	}{{0, "de", true}, {4, "jp", true}, {4, "us", false}, {5, "de", false}, {5, "JP", true}} {
		if got := l.Services[tt.at].Allowed(tt.country); got != tt.want {
			t.Errorf("%s in %s: %v", l.Services[tt.at].Name, tt.country, got)
		}
	}
	launch, err := artcache.Parse[artcache.LaunchList](fixture(t, "applaunchlink.xml"))
	if err != nil || launch.MinSystemVersion != "01.700.000" || len(launch.BlackList) != 0 {
		t.Errorf("%+v, %v", launch, err)
	}
	launch, err = artcache.Parse[artcache.LaunchList]([]byte(`<applaunchlink><title_black_list><title id="CUSA00001"/><x>CUSA00002_00</x><y>no</y></title_black_list></applaunchlink>`))
	if err != nil || !reflect.DeepEqual(launch.BlackList, []string{"CUSA00001", "CUSA00002"}) {
		t.Errorf("%+v, %v", launch, err)
	}
	s, err := artcache.Parse[artcache.SystemUpdates](fixture(t, "ps4-updatelist.xml"))
	if err != nil {
		t.Fatal(err)
	}
	r := s.Regions[0]
	if r.ID != "us" || r.System.Label != "9.50" || r.System.Images[0].Size != 400_000_000 ||
		!strings.HasSuffix(r.Recovery[0].Images[0].URL, "/y/PS4UPDATE.PUP?dest=us") {
		t.Errorf("%+v", r)
	}
}

func TestParseOthers(t *testing.T) {
	t.Parallel()
	p, err := artcache.Parse[artcache.Product](fixture(t, "chihiro_titlecontainer_CUSA00129_netflix.json"))
	if err != nil || p.Name != "Netflix" || p.ContentType[0].Key != "APP" || p.ContentID != "UT0007-CUSA00129_00-NETFLIXPOLLUX001" {
		t.Errorf("%+v, %v", p, err)
	}
	s, err := artcache.Parse[artcache.PackageSet](fixture(t, "packages.json"))
	if err != nil || s.Size != 100 || len(s.Pieces) != 2 || s.Pieces[1].Offset != 60 {
		t.Errorf("%+v, %v", s, err)
	}
	g, err := artcache.Parse[artcache.PlayGo](fixture(t, "playgo-manifest.xml"))
	if err != nil || len(g.Chunks) != 2 || g.Scenarios[0].Initial != 1 || g.Scenarios[0].Label != "Story" {
		t.Errorf("%+v, %v", g, err)
	}
	for _, bad := range []string{
		`{"originalFileSize":10,"numberOfSplitFiles":2,"pieces":[{}]}`,
		`{"originalFileSize":10,"numberOfSplitFiles":1,"pieces":[{"fileOffset":5,"fileSize":6}]}`,
		`{"originalFileSize":10,"numberOfSplitFiles":1,"pieces":[{"fileOffset":-1,"fileSize":1}]}`,
		`{"originalFileSize":10,"numberOfSplitFiles":1,"pieces":[{"fileOffset":9223372036854775807,"fileSize":9223372036854775807}]}`,
	} {
		if s, err := artcache.Parse[artcache.PackageSet]([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, s)
		}
	}
}

// TestHostileText: escape sequences and direction marks do not reach a terminal.
func TestHostileText(t *testing.T) {
	t.Parallel()
	info, err := artcache.Parse[artcache.Info]([]byte(`{"npTitleId":"CUSA00001_00","names":[{"name":"\u001b[2J \u202eEvil\r\nTM\u2122 ` + strings.Repeat("é", 600) + `"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	name := info.Names[0].Text
	if !strings.HasPrefix(name, "[2J Evil TM™ é") || len(name) > 512 || !printable(name) {
		t.Errorf("%q", name)
	}
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d'
	})
}

// FuzzDocuments: no parser panics, and what it returns is safe to print.
func FuzzDocuments(f *testing.F) {
	for _, name := range []string{
		"tmdb2_CUSA03041_rdr2.json", "tmdb2_CUSA00001_playroom_partial.json", "chihiro_titlecontainer_CUSA00129_netflix.json",
		"servicelist.xml", "applaunchlink.xml", "CUSA00135-ver.xml", "packages.json", "playgo-manifest.xml", "ps4-updatelist.xml",
	} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte(bomb))
	f.Add([]byte(`<applaunchlink><title_black_list><a b="CUSA00001"/></title_black_list></applaunchlink>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkParser(t, data, artcache.Parse[artcache.Info])
		checkParser(t, data, artcache.Parse[artcache.Product])
		checkParser(t, data, artcache.Parse[artcache.PackageSet])
		checkParser(t, data, artcache.Parse[artcache.Updates])
		checkParser(t, data, artcache.Parse[artcache.PlayGo])
		checkParser(t, data, artcache.Parse[artcache.ServiceList])
		checkParser(t, data, artcache.Parse[artcache.LaunchList])
		checkParser(t, data, artcache.Parse[artcache.SystemUpdates])
	})
}

// checkParser parses a document. Its JSON form, which the title verbs print, has
// every string that it holds.
func checkParser[T any](t *testing.T, data []byte, parse func([]byte) (*T, error)) {
	t.Helper()
	doc, err := parse(data)
	if err != nil {
		if !errors.Is(err, artcache.ErrMalformed) && !errors.Is(err, artcache.ErrNotFound) {
			t.Errorf("%T: %v", doc, err)
		}
		return
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var strings any
	if err := json.Unmarshal(text, &strings); err != nil || !allPrintable(strings) {
		t.Errorf("%T: not safe to print: %s (%v)", doc, text, err)
	}
}

func allPrintable(v any) bool {
	switch v := v.(type) {
	case string:
		return printable(v) && len(v) <= 512
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !allPrintable(v) })
	case map[string]any:
		for _, part := range v {
			if !allPrintable(part) {
				return false
			}
		}
	}
	return true
}
