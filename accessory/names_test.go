package accessory

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nameCases feed the table and the fuzz seeds (docs/homekit.md §4).
var nameCases = []struct{ in, want string }{
	{"Netflix", "Netflix"},
	{"Call of Duty®: Black Ops 4", "Call of Duty Black Ops 4"},
	{"Call of Duty(R): Black Ops 4", "Call of Duty Black Ops 4"},
	{"Marvel’s Spider-Man", "Marvel's Spider Man"},
	{"DRAGON QUEST HEROES™ II", "DRAGON QUEST HEROES II"},
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
		edge := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
		for i, r := range name {
			atEdge := i == 0 || i+utf8.RuneLen(r) == len(name)
			if !edge(r) && (atEdge || r != ' ' && r != '\'') {
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

func TestIgnoredName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"": true, "  ": true, "Input Source": true, "Input Source 3": true, "Input Source 17": true,
		strings.Repeat("x", 65): true, "a\x00b": true, "\xff": true,
		"Input Source X": false, "Netflix": false, "input": false, strings.Repeat("x", 64): false, "Kids’ games 🎮": false,
	} {
		if got := ignoredName(name); got != want {
			t.Errorf("ignoredName(%q) = %v", name, got)
		}
	}
}
