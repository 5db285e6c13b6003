package artcache_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/artcache"
)

// TestAddresses builds and parses the example addresses and hashes of
// docs/protocol.md §8, and those of real documents.
func TestAddresses(t *testing.T) {
	t.Parallel()
	patchParts := artcache.Address{
		Kind: artcache.Patch, TitleID: "CUSA00135", Set: "21", Hash: "06da3b33d65c72bc25dac70c5d3c5669addbe50a94e87cc644e5b9471101303f",
		ContentID: "EP1018-CUSA00135_00-BATMANARKHAMKNHT", Version: "A0118-V0100",
	}
	addonParts := artcache.Address{
		Kind: artcache.AddonFile, TitleID: "CUSA00135", Set: "312", Hash: "c94f67a31c1380b702bf7afd2ec4e12ba15228414d0b7fb9c10e278cc8a28513",
		ContentID: "EP1018-CUSA00135_00-ETH0000000000079",
	}
	file := func(a artcache.Address, name string) artcache.Address {
		a.File = name
		return a
	}
	for want, a := range map[string]artcache.Address{
		"http://tmdb.np.dl.playstation.net/tmdb2/CUSA00001_00_C32A667A087A40C2AD1889435907AA4B0D9DBA1F/CUSA00001_00.json":                            {Kind: artcache.Metadata, TitleID: "CUSA00001"},
		"http://tmdb.np.dl.playstation.net/tmdb2/CUSA00080_00_4ED0D1374CB128AC8E277C9A3145505220D6D93A/CUSA00080_00.json":                            {Kind: artcache.Metadata, TitleID: "CUSA00080"},
		"http://tmdb.np.dl.playstation.net/tmdb2/CUSA00129_00_44DB6A4F9C773AF95F0D697E14652EABC80BAEFB/CUSA00129_00.json":                            {Kind: artcache.Metadata, TitleID: "CUSA00129"},
		"http://tmdb.np.dl.playstation.net/tmdb2/CUSA03041_00_35D1E631175ECA6FBC7027DD73B4C09A886DE8D2/CUSA03041_00.json":                            {Kind: artcache.Metadata, TitleID: "CUSA03041"}, // SOURCES of the fixture
		"http://gs-sec.ww.np.dl.playstation.net/plo/np/CUSA00001/1123f23c1f00810a5e43fcb409ada7823bc5ad21b357817e314b6c4832cf6f9f/CUSA00001-ver.xml": {Kind: artcache.UpdateXML, TitleID: "CUSA00001"},
		"http://gs-sec.ww.np.dl.playstation.net/plo/np/CUSA00135/9228795a710cf58e86af98f8496dc2db2ec104abd199812ba9780b8b691327a9/CUSA00135-ver.xml": {Kind: artcache.UpdateXML, TitleID: "CUSA00135"},
		patch: file(patchParts, ".json"),
		strings.ReplaceAll(patch, ".json", ".pkg"):    file(patchParts, ".pkg"),
		strings.ReplaceAll(patch, ".json", "-DP.pkg"): file(patchParts, "-DP.pkg"),
		strings.ReplaceAll(patch, ".json", "_2.pkg"):  file(patchParts, "_2.pkg"),
		playgo: {Kind: artcache.PlayGoManifest, TitleID: "CUSA00135", Set: "21", Hash: patchParts.Hash},
		addon:  file(addonParts, ".json"),
		strings.ReplaceAll(addon, ".json", ".pkg"): file(addonParts, ".pkg"),
		strings.ReplaceAll(addon, ".json", ".sha"): file(addonParts, ".sha"),
		carIcon: {Kind: artcache.ContentIcon, Country: "fr", Language: "fr", ContentID: "EP4389-CUSA08652_00-CAR0050000000000", Query: "w=240&h=240"},
		strings.TrimSuffix(carIcon, "?w=240&h=240"): {Kind: artcache.ContentIcon, Country: "fr", Language: "fr", ContentID: "EP4389-CUSA08652_00-CAR0050000000000"},
		netflix:            {Kind: artcache.TitleContainer, Country: "us", Language: "en", TitleID: "CUSA00129"},
		netflix + "/image": {Kind: artcache.ContainerImage, Country: "us", Language: "en", TitleID: "CUSA00129"},
		servicesAddress:    {Kind: artcache.Services},
		launchAddress:      {Kind: artcache.Launch},
		"http://feu01.ps4.update.playstation.net/update/ps4/list/eu/ps4-updatelist.xml": {Kind: artcache.SystemList, Country: "eu"},
	} {
		if got := a.String(); got != want {
			t.Errorf("%+v: built %s, want %s", a, got, want)
		}
		if got, err := artcache.ParseAddress(want); err != nil || got != a {
			t.Errorf("%s: parsed %+v, %v", want, got, err)
		}
	}
}

// FuzzAddress: an address that parses is built again as it was, but for http and
// https and a trailing slash, and contains no path trick.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		metadataAddress("CUSA00001"), updatesAddress("CUSA00001"), patch, addon, playgo, carIcon, netflix,
		netflix + "/image", servicesAddress, launchAddress, systemAddress("us"), strings.ReplaceAll(patch, "/21/", "/021/"),
		strings.ReplaceAll(patch, "CUSA00135", "../../etc"), strings.ReplaceAll(addon, "f_c9", "f_C9"),
		"https://store.playstation.com@evil.example/" + netflix, strings.ReplaceAll(patch, ".json", "_-1.pkg"), "://", "x://" + netflix,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := artcache.ParseAddress(s)
		if err != nil {
			return
		}
		plain := func(s string) string {
			return strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(s, "/"), "https:"), "http:")
		}
		if plain(a.String()) != plain(s) || strings.Contains(s, "..") || strings.Contains(s, "@") {
			t.Errorf("%q was built as %q", s, a)
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
		if a, err := artcache.ParseAddress(s); !errors.Is(err, artcache.ErrAddress) {
			t.Errorf("%q parsed as %+v", s, a)
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
	if _, err := c.Container(t.Context(), rdr2, artcache.Region{Country: "..", Language: "en"}); !errors.Is(err, artcache.ErrAddress) {
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
