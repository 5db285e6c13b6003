package ps4_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
)

var findTitleIDCases = map[string]struct {
	text string
	want string
	err  error
}{
	"title id":               {"CUSA01703", "CUSA01703", nil},
	"with a suffix":          {" cusa01703_00\n", "CUSA01703", nil},
	"spine of a case":        {"CUSA-03974", "CUSA03974", nil},
	"spine with a space":     {"CUSA 03974", "CUSA03974", nil},
	"system title":           {"NPXS20001", "NPXS20001", nil},
	"content id":             {"EP4544-CUSA01703_00-WEBMAF000000PLEX", "CUSA01703", nil},
	"content id, lower case": {"ut0007-cusa00129_00-netflixpollux001", "CUSA00129", nil},
	"product address":        {"https://store.playstation.com/en-us/product/UP4381-CUSA01015_00-YOUTUBESCEA00000", "CUSA01015", nil},
	"with a query":           {"store.playstation.com/de-de/product/EP9000-CUSA00207_00-BLOODBORNE0000EU?smcid=x", "CUSA00207", nil},
	"old address":            {"https://store.playstation.com/#!/en-gb/games/grand-theft-auto-v/cid=EP1004-CUSA00411_00-GTAVDIGITALDOWNL", "CUSA00411", nil},
	"title container":        {"https://store.playstation.com/store/api/chihiro/00_09_000/titlecontainer/us/en/999/CUSA00129_00/image", "CUSA00129", nil},
	"public list":            {"https://serialstation.com/titles/CUSA/00129", "CUSA00129", nil},

	"concept address":   {"https://store.playstation.com/en-us/concept/228748", "", ps4.ErrConceptAddress},
	"concept in German": {"store.playstation.com/de-de/Concept/10000237/", "", ps4.ErrConceptAddress},
	"PS5 product":       {"https://store.playstation.com/en-us/product/UP9000-PPSA01284_00-DEMONSSOULS00000", "", ps4.ErrPS5Title},
	"PS5 title id":      {"PPSA01284_00", "", ps4.ErrPS5Title},
	"name":              {"Bloodborne", "", ps4.ErrNoTitleID},
	"name with numbers": {"FIFA 12345 for two players", "", ps4.ErrNoTitleID},
	"empty":             {"", "", ps4.ErrNoTitleID},
	"too many digits":   {"CUSA001299", "", ps4.ErrNoTitleID},
	"longer word":       {"XCUSA00129", "", ps4.ErrNoTitleID},
	"other address":     {"https://example.com/games/bloodborne", "", ps4.ErrNoTitleID},
	"not ASCII":         {"CUSÄ00129", "", ps4.ErrNoTitleID},
	"huge":              {strings.Repeat("x", 5000) + "/CUSA00129", "", ps4.ErrNoTitleID},
}

func TestFindTitleID(t *testing.T) {
	t.Parallel()
	for name, c := range findTitleIDCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, err := ps4.FindTitleID(c.text)
			if id != c.want || !errors.Is(err, c.err) {
				t.Errorf("FindTitleID(%.80q) = %q, %v; want %q, %v", c.text, id, err, c.want, c.err)
			}
			var e ps4.Error
			if err != nil && (!errors.As(err, &e) || e.Hint() == "" || len(err.Error()) > 200) {
				t.Errorf("the error has no hint, or is long: %v", err)
			}
		})
	}
}

// An id that FindTitleID finds is valid, and found again in every other form.
func FuzzFindTitleID(f *testing.F) {
	for _, c := range findTitleIDCases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ps4.FindTitleID(text)
		if err != nil {
			return
		}
		for _, form := range []string{id, id + "_00", id[:4] + "-" + id[4:], "EP0000-" + id + "_00-0000000000000000", "https://a.example/b/UP0000-" + id + "_00-ABCDEFGHIJKLMNOP?c"} {
			if again, err := ps4.FindTitleID(form); again != id || err != nil {
				t.Errorf("FindTitleID(%q) = %q, %v; want %q, which is in %q", form, again, err, id, text)
			}
		}
		if again, err := ps4.ParseTitleID(id); again != id || err != nil {
			t.Errorf("ParseTitleID(%q) = %q, %v", id, again, err)
		}
	})
}
