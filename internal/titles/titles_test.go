package titles_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/titles"
	"github.com/ps4kit/ps4kit/ps4"
)

type want struct {
	titles []api.ImportTitle
	bad    []int // lines
}

func named(pairs ...string) (list []api.ImportTitle) {
	for pair := range slices.Chunk(pairs, 2) {
		list = append(list, api.ImportTitle{ID: pair[0], Name: pair[1]})
	}
	return list
}

var played = time.Date(2024, 5, 1, 20, 15, 30, 0, time.UTC)

var readCases = map[string]struct {
	file string
	want want
}{
	"CSV":                   {"CUSA00129,Netflix\nCUSA00207,\"Bloodborne, the game\"\r\n", want{named("CUSA00129", "Netflix", "CUSA00207", "Bloodborne, the game"), nil}},
	"CSV with a header":     {"\ufeffName;Title ID\nNetflix;cusa00129_00\n", want{named("CUSA00129", "Netflix"), nil}},
	"header without a name": {"id,played\nCUSA00129,yes\n", want{named("CUSA00129", ""), nil}},
	"tabs":                  {"CUSA00129\tNetflix\n", want{named("CUSA00129", "Netflix"), nil}},
	"ids only":              {"# mine\n\nCUSA00129\nEP4544-CUSA01703_00-WEBMAF000000PLEX\n", want{named("CUSA00129", "", "CUSA01703", ""), nil}},
	"bad lines":             {"CUSA00129,Netflix\nFortnite\nCUSA00207,\"Blood\nPPSA01284,Demon's Souls\n,\nCUSA01703,Plex", want{named("CUSA00129", "Netflix", "CUSA01703", "Plex"), []int{2, 3, 4, 5}}},
	"twice":                 {"CUSA00129,Netflix\ncusa00129,Again\n", want{named("CUSA00129", "Netflix"), nil}},
	"control characters":    {"CUSA00129,Net\x1b[31mflix\x00\n", want{named("CUSA00129", "Net [31mflix"), nil}},
	"long name":             {"CUSA00129," + strings.Repeat("ä", 200) + "\n", want{named("CUSA00129", strings.Repeat("ä", 128)), nil}},
	"pyps4-2ndscreen":       {"{\n \"CUSA03047\": \"I am Bread\",\n \"CUSA13643\": \"Tetris\\u00ae Effect\"\n}", want{named("CUSA03047", "I am Bread", "CUSA13643", "Tetris® Effect"), nil}},
	"Home Assistant": {`{
    "CUSA00122": {
        "locked": false,
        "media_content_type": "app",
        "media_image_url": "https://store.playstation.com/x/image",
        "media_title": "BBC iPlayer"
    },
    "CUSA01703": {
        "locked": true,
        "media_content_type": null,
        "media_image_url": null,
        "media_title": "Plex"
    }
}`, want{[]api.ImportTitle{{ID: "CUSA00122", Name: "BBC iPlayer", ImageURL: "https://store.playstation.com/x/image"}, {ID: "CUSA01703", Name: "Plex"}}, nil}},
	"long address": {`{"CUSA00129": {"media_title": "Netflix", "media_image_url": "https://` + strings.Repeat("x", 2000) + `"}}`, want{named("CUSA00129", "Netflix"), nil}},
	"titles list": {`[{"id":"HOME","name":"Home Screen"},{"id":"CUSA00129","name":"Netflix","last_played":"2024-05-01T20:15:30Z","identifier":3}]`,
		want{[]api.ImportTitle{{ID: "CUSA00129", Name: "Netflix", LastPlayed: played}}, []int{1}}},
	"Excel's UTF-16":       {utf16le("Name\tTitle ID\r\nGröße – 2\tCUSA00129\r\n"), want{named("CUSA00129", "Größe – 2"), nil}},
	"big-endian UTF-16":    {"\xfe\xff\x00C\x00U\x00S\x00A\x000\x000\x001\x002\x009", want{named("CUSA00129", ""), nil}},
	"JSON in UTF-16":       {utf16le(`{"CUSA00129": "Größe"}`), want{named("CUSA00129", "Größe"), nil}},
	"Windows-1252":         {"CUSA00129,Gr\xf6\xdfe \x96 2\n", want{named("CUSA00129", "Größe – 2"), nil}},
	"lines of an old Mac":  {"CUSA00129,Netflix\rCUSA01703,Plex\rx\r", want{named("CUSA00129", "Netflix", "CUSA01703", "Plex"), []int{3}}},
	"Excel's sep=":         {"sep=;\r\nid;name\r\nCUSA00129;Netflix\r\n", want{named("CUSA00129", "Netflix"), nil}},
	"comma in a name":      {"CUSA00129;Bread, butter\nCUSA01703;Plex\n", want{named("CUSA00129", "Bread, butter", "CUSA01703", "Plex"), nil}},
	"quoted separator":     {"\"Name, in Home\";id\nPlex;CUSA01703\n", want{named("CUSA01703", ""), nil}},
	"separator later":      {"CUSA00129\nCUSA01703;Plex\n", want{named("CUSA00129", "", "CUSA01703", "Plex"), nil}},
	"invisible characters": {"CUSA00129,\u202eNet\u200bflix\u202c\n", want{named("CUSA00129", "Netflix"), nil}},
	"array of ids":         {`["CUSA00129", "https://store.playstation.com/en-us/product/UP4381-CUSA01015_00-YOUTUBESCEA00000"]`, want{[]api.ImportTitle{{ID: "CUSA00129"}, {ID: "CUSA01015"}}, nil}},
	"JSON with bad lines":  {"{\n\"CUSA00129\": \"Netflix\",\n\n\"nonsense\": \"x\",\n\"CUSA00207\": 7,\n\"CUSA01703\": \"Plex\"}", want{named("CUSA00129", "Netflix", "CUSA01703", "Plex"), []int{4, 5}}},
	"JSON that is cut off": {"{\n\"CUSA00129\": \"Netflix\",\n\"CUSA01703\": \"Pl", want{named("CUSA00129", "Netflix"), []int{3}}},
}

// utf16le returns text as Excel saves "Unicode text".
func utf16le(text string) string {
	file := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		file = binary.LittleEndian.AppendUint16(file, unit)
	}
	return string(file)
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range readCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, bad, err := titles.Read(strings.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			var lines []int
			for _, b := range bad {
				lines = append(lines, b.Line)
				if b.Err == "" {
					t.Errorf("line %d has no reason", b.Line)
				}
			}
			if !reflect.DeepEqual(got, c.want.titles) || !slices.Equal(lines, c.want.bad) {
				t.Errorf("got %+v\nand bad lines %v (%v)\nwant %+v\nand %v", got, lines, bad, c.want.titles, c.want.bad)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"empty": "", "text": "hello", "empty object": "{}", "empty array": "[]", "binary": "\x00\x01\x02", "brace": "{",
		"names only": "Netflix\nYouTube\n", "PS5 only": "PPSA01284", "large": strings.Repeat("CUSA00129,Netflix\n", 300_000),
	} {
		if got, _, err := titles.Read(strings.NewReader(file)); got != nil || !errors.Is(err, titles.ErrFile) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, titles.ErrFile)
		}
	}
	if _, _, err := titles.Read(strings.NewReader("# mine\nPPSA01284\n")); !strings.Contains(err.Error(), "line 2: this is a PS5 title") {
		t.Errorf("PS5 only: %v", err)
	}
	if _, _, err := titles.Read(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("reader that fails: %v", err)
	}
}

func TestReadStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	for i := range 6000 {
		_, _ = fmt.Fprintf(&file, "CUSA%05d,Game\n", i)
	}
	got, bad, err := titles.Read(strings.NewReader(file.String()))
	if err != nil || len(got) != 5000 || len(bad) != 1 || bad[0].Line != 5001 {
		t.Errorf("got %d titles, bad lines %v, %v", len(got), bad, err)
	}
	for name, line := range map[string]string{"CSV": "x\n", "quotes": "\"\n", "JSON": "1,\n"} {
		file := "CUSA00129\n" + strings.Repeat(line, 100_000)
		if name == "JSON" {
			file = "[\"CUSA00129\",\n" + strings.Repeat(line, 100_000) + "1]"
		}
		got, bad, err := titles.Read(strings.NewReader(file))
		if err != nil || len(got) != 1 || len(bad) != 1000 || bad[999].Line != 1001 {
			t.Errorf("%s: got %v, %d bad lines, %v", name, got, len(bad), err)
		}
	}
}

// Every title that Read returns is valid, and is read again from JSON and CSV.
func FuzzRead(f *testing.F) {
	for _, c := range readCases {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		got, bad, err := titles.Read(strings.NewReader(file))
		if err != nil {
			return
		}
		for _, b := range bad {
			if b.Line < 1 || b.Line > strings.Count(file, "\n")+strings.Count(file, "\r")+1 {
				t.Errorf("line %d of %q", b.Line, file)
			}
		}
		object := map[string]string{}
		for _, title := range got {
			if id, err := ps4.ParseTitleID(title.ID); err != nil || id != title.ID {
				t.Errorf("id %q", title.ID)
			}
			if len(title.Name) > 256 || strings.ContainsFunc(title.Name, unicode.IsControl) {
				t.Errorf("name %q", title.Name)
			}
			object[title.ID] = title.Name
		}
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		again, bad, err := titles.Read(strings.NewReader(string(text)))
		if err != nil || len(bad) != 0 || len(again) != len(got) {
			t.Fatalf("%s: %+v, %v, %v; want %+v", text, again, bad, err, got)
		}
		for _, title := range again {
			if title.Name != object[title.ID] {
				t.Errorf("%s has the name %q, want %q", title.ID, title.Name, object[title.ID])
			}
		}
	})
}

func TestApps(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, app := range titles.Apps() {
		for _, country := range []string{"us", "de", "jp"} {
			id := app.ID(country)
			if _, err := ps4.ParseTitleID(id); id != "" && err != nil {
				t.Errorf("%s in %s: %v", app.Name, country, err)
			}
			if other := seen[id]; id != "" && other != "" && other != app.Name {
				t.Errorf("%s is the id of %s and %s", id, app.Name, other)
			}
			seen[id] = app.Name
		}
	}
	for _, c := range []struct{ name, country, want string }{
		{"netflix", "us", "CUSA00129"}, {"NETFLIX", "de", "CUSA00127"}, {"Netflix", "JP", "CUSA02988"}, {"Netflix", "kr", ""},
		{"amazon prime video", "gb", "CUSA00126"}, {"prime-video", "ca", "CUSA00130"}, {"bbc-iplayer", "gb", "CUSA00122"},
		{"Hulu", "de", ""}, {"you tube", "au", "CUSA01116"}, {"netflix", "usa", ""}, {"netflix", "", ""},
		{"netflix", "uk", "CUSA00127"}, {"netflix", "ZA", "CUSA00127"}, {"netflix", "xx", ""}, {"netflix", "gr ", ""}, {"netflix", "e ", ""},
	} {
		found, err := titles.Find(c.name, c.country)
		if id := found.ID; id != c.want || (found.Name == "") != (id == "") || c.want == "" && !errors.Is(err, titles.ErrNoID) {
			t.Errorf("%s in %s: %+v, %v; want %q", c.name, c.country, found, err, c.want)
		}
	}
	if got, err := titles.Find("Bloodborne", "us"); !errors.Is(err, ps4.ErrNoTitleID) {
		t.Errorf("Bloodborne is %+v, %v", got, err)
	}
	for text, want := range map[string]api.ImportTitle{
		"cusa00207_00": {ID: "CUSA00207"},
		"cusa00127_00": {ID: "CUSA00127", Name: "Netflix"}, // in another region
	} {
		if got, err := titles.Find(text, "us"); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
		}
	}
}
