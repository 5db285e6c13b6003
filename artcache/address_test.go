package artcache_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
)

// TestHashes holds the hashes against the vectors of docs/protocol.md §8.
func TestHashes(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		hash     func(string) string
		id, want string
	}{
		{artcache.MetadataHash, "CUSA00001", "C32A667A087A40C2AD1889435907AA4B0D9DBA1F"},
		{artcache.MetadataHash, "CUSA00080", "4ED0D1374CB128AC8E277C9A3145505220D6D93A"},
		{artcache.MetadataHash, "CUSA00129", "44DB6A4F9C773AF95F0D697E14652EABC80BAEFB"},
		{artcache.MetadataHash, "CUSA03041", "35D1E631175ECA6FBC7027DD73B4C09A886DE8D2"}, // SOURCES of the fixture
		{artcache.UpdatesHash, "CUSA00001", "1123f23c1f00810a5e43fcb409ada7823bc5ad21b357817e314b6c4832cf6f9f"},
		{artcache.UpdatesHash, "CUSA00135", "9228795a710cf58e86af98f8496dc2db2ec104abd199812ba9780b8b691327a9"},
	} {
		if got := v.hash(v.id); got != v.want {
			t.Errorf("%s: %s, want %s", v.id, got, v.want)
		}
	}
}

// TestAddresses builds and parses the example addresses of docs/protocol.md §8.
func TestAddresses(t *testing.T) {
	t.Parallel()
	const base = "http://gs2.ww.prod.dl.playstation.net/gs2/"
	a := artcache.PackageAddress{
		TitleID: "CUSA00135", Set: 21, Hash: "06da3b33d65c72bc25dac70c5d3c5669addbe50a94e87cc644e5b9471101303f",
		ContentID: "EP1018-CUSA00135_00-BATMANARKHAMKNHT", AppVersion: "0118", Version: "0100",
	}
	stem := base + "ppkgo/prod/CUSA00135_00/21/f_06da3b33d65c72bc25dac70c5d3c5669addbe50a94e87cc644e5b9471101303f/f/"
	for f, want := range map[artcache.File]string{
		artcache.DescriptionFile: stem + "EP1018-CUSA00135_00-BATMANARKHAMKNHT-A0118-V0100.json",
		artcache.PackageFile:     stem + "EP1018-CUSA00135_00-BATMANARKHAMKNHT-A0118-V0100.pkg",
		artcache.DeltaFile:       stem + "EP1018-CUSA00135_00-BATMANARKHAMKNHT-A0118-V0100-DP.pkg",
		artcache.ChunkFile(2):    stem + "EP1018-CUSA00135_00-BATMANARKHAMKNHT-A0118-V0100_2.pkg",
	} {
		got, file, err := artcache.ParsePackageAddress(want)
		if err != nil || got != a || file != f || a.File(f) != want {
			t.Errorf("%s: %+v %q %v", want, got, file, err)
		}
	}
	if got, f, err := artcache.ParsePackageAddress(playgo); err != nil || f != artcache.PlayGoFile || got.Hash != a.Hash {
		t.Errorf("PlayGo: %+v %q %v", got, f, err)
	}
	b := artcache.AddonAddress{
		TitleID: "CUSA00135", Set: 312, Hash: "c94f67a31c1380b702bf7afd2ec4e12ba15228414d0b7fb9c10e278cc8a28513",
		ContentID: "EP1018-CUSA00135_00-ETH0000000000079",
	}
	for _, f := range []artcache.File{artcache.DescriptionFile, artcache.PackageFile, artcache.DigestFile} {
		want := strings.TrimSuffix(addon, ".json") + string(f)
		if got, file, err := artcache.ParseAddonAddress(want); err != nil || got != b || file != f || b.File(f) != want {
			t.Errorf("%s: %+v %q %v", want, got, file, err)
		}
	}
	icon := artcache.IconAddress{Country: "fr", Language: "fr", ContentID: "EP4389-CUSA08652_00-CAR0050000000000", Width: 240, Height: 240}
	if got, err := artcache.ParseIconAddress(carIcon); err != nil || got != icon || icon.String() != carIcon {
		t.Errorf("%s: %+v %v", carIcon, got, err)
	}
	box := artcache.ContainerAddress{Country: "us", Language: "en", TitleID: "CUSA00129"}
	if got, err := artcache.ParseContainerAddress(netflix + "/"); err != nil || got != box || box.String() != netflix {
		t.Errorf("%s: %+v %v", netflix, got, err)
	}
	if got := artcache.SystemUpdatesAddress("eu"); got != "http://feu01.ps4.update.playstation.net/update/ps4/list/eu/ps4-updatelist.xml" {
		t.Error(got)
	}
}

// parseAny parses an address as each kind there is, and builds it again.
func parseAny(s string) (built string, ok bool) {
	if id, err := artcache.ParseMetadataAddress(s); err == nil {
		return artcache.MetadataAddress(id), true
	}
	if id, err := artcache.ParseUpdatesAddress(s); err == nil {
		return artcache.UpdatesAddress(id), true
	}
	if a, f, err := artcache.ParsePackageAddress(s); err == nil {
		return a.File(f), true
	}
	if a, f, err := artcache.ParseAddonAddress(s); err == nil {
		return a.File(f), true
	}
	if a, err := artcache.ParseIconAddress(s); err == nil {
		return a.String(), true
	}
	if a, err := artcache.ParseContainerAddress(s); err == nil {
		return a.String(), true
	}
	r, err := artcache.ParseSystemUpdatesAddress(s)
	return artcache.SystemUpdatesAddress(r), err == nil
}

// FuzzAddress: what parses is built again as it was, but for http and https and
// a trailing slash, and holds no path trick.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		artcache.MetadataAddress("CUSA00001"), artcache.UpdatesAddress("CUSA00001"), patch, addon, playgo, carIcon, netflix,
		netflix + "/image", artcache.SystemUpdatesAddress("us"), strings.ReplaceAll(patch, "/21/", "/021/"),
		strings.ReplaceAll(patch, "CUSA00135", "../../etc"), strings.ReplaceAll(addon, "f_c9", "f_C9"),
		"https://store.playstation.com@evil.example/" + netflix, strings.ReplaceAll(patch, ".json", "_-1.pkg"),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		built, ok := parseAny(s)
		if !ok {
			return
		}
		plain := func(s string) string {
			return strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(s, "/"), "https:"), "http:")
		}
		if plain(built) != plain(s) || strings.Contains(s, "..") || strings.Contains(s, "@") {
			t.Errorf("%q was built as %q", s, built)
		}
	})
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	c := open(t, newServed().server(t))
	for _, s := range []string{
		"", "x", "http://", "file:///etc/passwd", "http://127.0.0.1/gs2/ppkgo/prod/", strings.ReplaceAll(patch, "gs2.ww", "evil.ww"),
		strings.ReplaceAll(patch, "00135_00/", "00135_00/../"), patch + "\n", patch + "?x=1", "http://%zz/",
	} {
		if built, ok := parseAny(s); ok {
			t.Errorf("%q parsed as %q", s, built)
		}
		if _, err := c.Addon(t.Context(), s); !errors.Is(err, artcache.ErrAddress) {
			t.Errorf("Addon %q: %v", s, err)
		}
		if _, err := c.Packages(t.Context(), s); !errors.Is(err, artcache.ErrAddress) {
			t.Errorf("Packages %q: %v", s, err)
		}
	}
	if _, err := c.SystemUpdates(t.Context(), "../"); !errors.Is(err, artcache.ErrAddress) {
		t.Error(err)
	}
	if _, err := c.ContentIcon(t.Context(), "../../etc/passwd", 0, 0); !errors.Is(err, artcache.ErrAddress) {
		t.Error(err)
	}
	if _, err := c.ContentIcon(t.Context(), "EP4389-CUSA08652_00-CAR0050000000000", 9999, 0); !errors.Is(err, artcache.ErrAddress) {
		t.Error(err)
	}
	if _, err := c.ContainerIn(t.Context(), rdr2, artcache.Region{Country: "..", Language: "en"}); !errors.Is(err, artcache.ErrAddress) {
		t.Error(err)
	}
}

func TestTitleID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"CUSA00129": "CUSA00129", "cusa00129": "CUSA00129", "CUSA00129_00": "CUSA00129", "": "", "../../../x": "",
		"CUSA0012": "", "CUSA001290": "", "CUSA0012٣": "", "CUS/00129": "", "CUSA00129\x00": "", "ſUSA00129": "",
	} {
		got, err := artcache.ParseTitleID(in)
		if got != want || (err == nil) != (want != "") || (err != nil && !errors.Is(err, artcache.ErrTitleID)) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// TestRegions holds the table against the reference.
func TestRegions(t *testing.T) {
	t.Parallel()
	var want map[string]string
	if err := json.Unmarshal(fixture(t, "regions.json"), &want); err != nil {
		t.Fatal(err)
	}
	got := artcache.Regions()
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%d regions, want %d", len(got), len(want))
	}
	for _, r := range got {
		if want[r.Name] != r.Language+"/"+r.Country {
			t.Errorf("%+v, want %s", r, want[r.Name])
		}
	}
	for name, country := range map[string]string{
		"united states": "us", "R1": "us", "R2": "gb", "gb": "gb", " Germany ": "de", "at": "at",
		"Colombia": "co", "Columbia": "co", "malaysia": "my", "Netherlands": "nl",
	} {
		if r, err := artcache.FindRegion(name); err != nil || r.Country != country {
			t.Errorf("%q: %+v, %v", name, r, err)
		}
	}
	if r, err := artcache.FindRegion("Atlantis"); err == nil {
		t.Errorf("Atlantis: %+v", r)
	}
}
