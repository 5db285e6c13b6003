package accessory

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nameCases feed the table and the fuzz seeds (docs/homekit.md §4).
var nameCases = []struct{ in, want string }{
	{"Netflix", "Netflix"},
	{"PS4-001", "PS4-001"},
	{"Call of Duty®: Black Ops 4", "Call of Duty: Black Ops 4"},
	{"Call of Duty(R): Black Ops 4", "Call of Duty: Black Ops 4"},
	{"Marvel’s Spider-Man", "Marvel's Spider-Man"},
	{"Marvel's Spider-Man®", "Marvel's Spider-Man"},
	{"DRAGON QUEST HEROES™ II", "DRAGON QUEST HEROES II"},
	{"Horizon Zero Dawn™Complete", "Horizon Zero Dawn Complete"},
	{"Horizon Zero Dawn™ Complete Edition™", "Horizon Zero Dawn Complete Edition"},
	{"LEGO®Worlds", "LEGO Worlds"},
	{"LEGO(r)(tm)Worlds", "LEGO Worlds"},
	{"Uncharted™: The Lost Legacy", "Uncharted: The Lost Legacy"},
	{"Uncharted ™ : The Lost Legacy", "Uncharted: The Lost Legacy"},
	{"Uncharted – The Lost Legacy", "Uncharted - The Lost Legacy"},
	{"Ratchet™& Clank®, Inc.", "Ratchet & Clank, Inc"},
	{"PlayStation®’s Rock ’n’ Roll™ 'n' More", "PlayStation's Rock 'n' Roll 'n' More"},
	{"Spider®-Man™ - Remastered", "Spider-Man - Remastered"},
	{"Titre : sous-titre", "Titre : sous-titre"},
	{".hack//G.U. Last Recode", "hack//G.U. Last Recode"},
	{"WipEout_Omega; A/B & C!, D.E: (F) G", "WipEout_Omega; A/B & C!, D.E: (F) G"},
	{"Overcooked! 2", "Overcooked! 2"},
	{"Overcooked!", "Overcooked"},
	{"Front Door (Zone 1)", "Front Door Zone 1"},
	{"Persona 5 (Demo)!", "Persona 5 Demo"},
	{"(A) B", "A B"},
	{"龍が如く０：誓いの場所（体験版）", "龍が如く０:誓いの場所 体験版"},
	{"A\u200bB\u200c\u200d\u2060\ufeff C", "AB C"},
	{"\u202eevil\u202c \u2066x\u2069\u200e\u200f\u061c", "evil x"},
	{"soft\u00adhyphen", "softhyphen"},
	{"\u3164\uffa0\u115f\u2800 Blank \u3164", "Blank"},
	{"@#$ 50% *C++* ^x", "50 C x"},
	{"“Quoted”: “Yes”", "Quoted: Yes"},
	{"a½b", "a1/2b"},
	{"R(R(R)R)", "R R R"},
	{"Cafe\u0301", "Café"},
	{"🎮 Party 🎉", "Party"},
	{"A🎮B", "AB"},
	{"  -- Doom --  ", "Doom"},
	{"'quoted'", "quoted"},
	{"Persona Ⅳ", "Persona IV"},
	{"ペルソナ５", "ペルソナ５"},
	{"龍が如く", "龍が如く"},
	{"tab\tand\nnewline\x00", "tab and newline"},
	{"\xff\xfe", ""},
	{"???", ""},
	{"", ""},
	{strings.Repeat("x", 80), strings.Repeat("x", 63)},
	{strings.Repeat("é", 40), strings.Repeat("é", 31)},
	{strings.Repeat("x", 62) + "éé", strings.Repeat("x", 62)},
	{strings.Repeat("x", 62) + "-y", strings.Repeat("x", 62)},
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for _, c := range nameCases {
		if got := cleanName(c.in); got != c.want {
			t.Errorf("cleanName(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, c := range nameCases {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		name := cleanName(in)
		edge := func(r rune) bool {
			return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
		}
		for i, r := range name {
			atEdge := i == 0 || i+utf8.RuneLen(r) == len(name)
			if !edge(r) && (atEdge || !strings.ContainsRune(" '&!._:;()/,-", r)) {
				t.Errorf("%q has %q at %d", name, r, i)
			}
		}
		if len(name) > 63 || !utf8.ValidString(name) || !norm.NFC.IsNormalString(name) || strings.Contains(name, "  ") {
			t.Errorf("%q: %d bytes", name, len(name))
		}
		if again := cleanName(name); again != name {
			t.Errorf("cleaned twice: %q, then %q", name, again)
		}
	})
}

func TestUniqueName(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	long := strings.Repeat("x", 63)
	for _, c := range []struct{ in, want string }{
		{"Doom", "Doom"},
		{"Doom", "Doom 2"},
		{"DOOM", "DOOM 3"},
		{"Doom 2", "Doom 2 2"},
		{long, long},
		{long, long[:61] + " 2"},
	} {
		if got := uniqueName(c.in, maxGivenName, taken); got != c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
	}
}

// TestAutomaticName runs each case as a sequence of writes at times in
// milliseconds. A name with a + is a user's and must stay; after the last
// write, names with a - are taken as automatic and undone.
func TestAutomaticName(t *testing.T) {
	t.Parallel()
	type write struct {
		at, input int
		name      string
	}
	for name, writes := range map[string][]write{
		"English":                 {{0, 3, "-Input Source"}, {9e4, 4, "-Input Source 3"}, {18e4, 5, "-Input Source 17"}},
		"case and spaces":         {{0, 3, "-INPUT  SOURCE 12"}, {9e4, 4, "-input source3"}, {18e4, 5, "-\u00a0Input\u202fSource (4)"}},
		"localized":               {{0, 3, "-Eingangsquelle 2"}, {9e4, 4, "-Source d’entrée 4"}, {18e4, 5, "-入力ソース２"}, {27e4, 6, "-مصدر الإدخال ٣"}},
		"the television":          {{0, 3, "-PS4-889 2"}, {9e4, 4, "-ps4 889  12"}, {18e4, 5, "-Den 2"}},
		"burst":                   {{0, 3, "-Lähde 2"}, {200, 4, "-Lähde 3"}, {400, 5, "-LÄHDE  4"}},
		"burst, the first bare":   {{0, 3, "-Lähde"}, {200, 4, "-Lähde 2"}},
		"burst of the television": {{0, 3, "-PS4-889"}, {200, 4, "-PS4-889 2"}},
		"burst, slowly":           {{0, 3, "-Lähde 2"}, {4900, 4, "-Lähde 3"}, {9800, 5, "-Lähde 4"}},
		"burst among others":      {{0, 3, "-Lähde 2"}, {100, 4, "+Films"}, {200, 5, "-Lähde 4"}},
		"burst, same input twice": {{0, 3, "-Lähde 2"}, {100, 3, "-Lähde 3"}, {200, 4, "-Lähde 5"}},
		"deliberate":              {{0, 3, "+Player 2"}},
		"minutes apart":           {{0, 3, "+Player 2"}, {6e4, 4, "+Player 3"}},
		"a title with a number":   {{0, 7, "+FIFA 23"}},
		"two of a series":         {{0, 7, "+FIFA 23"}, {100, 8, "+FIFA 22"}},
		"second thoughts":         {{0, 3, "+Player 2"}, {900, 3, "+Player 3"}},
		"the same name twice":     {{0, 3, "+Films 2"}, {100, 4, "+Films 2"}},
		"different names":         {{0, 3, "+Films 1"}, {100, 4, "+Music 2"}, {200, 5, "+Games 3"}},
		"nothing but numbers":     {{0, 3, "+1"}, {100, 4, "+2"}},
		"the television alone":    {{0, 3, "+Den"}},
		"close to the television": {{0, 3, "+PS4-8892"}, {9e4, 4, "+Dens 2"}},
		"close to English":        {{0, 3, "+Input Source X"}, {9e4, 4, "+My Input Source 2"}},
		"emoji":                   {{0, 3, "+🎮"}, {100, 4, "+🎮🎮"}},
	} {
		given := map[int]string{3: "Netflix", 4: "Spotify", 7: "EA SPORTS FIFA 23", 8: "EA SPORTS FIFA 22"}
		var recent []nameWrite
		automatic := map[int]bool{} // by index
		for i, w := range writes {
			write := nameWrite{at: time.UnixMilli(int64(w.at)), input: w.input, name: w.name[1:], given: given[w.input]}
			yes, burst := automaticName(write, recent, "Den", "", "PS4-889")
			automatic[i] = yes
			for _, b := range burst {
				automatic[slices.Index(recent, b)] = true
			}
			recent = append(recent, write)
		}
		for i, w := range writes {
			if want := w.name[0] == '-'; automatic[i] != want {
				t.Errorf("%s: %q is automatic: %v, want %v", name, w.name[1:], automatic[i], want)
			}
		}
	}
}

func TestUserName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "", "  ": "", strings.Repeat("x", 65): "", "a\x00b": "", "\xff": "", "\u202e\u200b": "",
		"Netflix": "Netflix", strings.Repeat("x", 64): strings.Repeat("x", 64), "Kids’ games 🎮": "Kids’ games 🎮",
		"Family 👨\u200d👩\u200d👧": "Family 👨\u200d👩\u200d👧", "\u202eneD\u2066\u200b": "neD",
	} {
		if got, err := userName(name); got != want || (err == nil) != (want != "") {
			t.Errorf("userName(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
}
