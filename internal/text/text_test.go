package text_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ps4kit/ps4kit/internal/text"
)

const family = "\U0001f468\u200d\U0001f469\u200d\U0001f467" // man, woman and girl, joined

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                      "",
		" Den ":                                 "Den",
		"Küche":                                 "Küche",
		"\u202eneD\u202c":                       "neD",
		"a\u2066b\u2067c\u2068d\u2069":          "abcd",
		"\u061ca\u200e\u200f\u202a\u202b\u202d": "a",
		"a\u200b\u200c\u2060\ufeff\u00adb":      "ab",
		"a\u3164\u115f\U000e0041b":              "ab",
		"a\nb\r\tc\u2028d\u2029e":               "a b  c d e",
		"a\x1b[31mb\u0085c":                     "a [31mb c",
		"a\xffb":                                "a\uFFFDb",
		family:                                  family,
		"\U0001f3f3\ufe0f\u200d\U0001f308":      "\U0001f3f3\ufe0f\u200d\U0001f308", // rainbow flag
		"\U0001f469\U0001f3fd\u200d\U0001f680":  "\U0001f469\U0001f3fd\u200d\U0001f680",
		"a\u200db":                              "ab",
		"\u200d\U0001f469\u200d":                "\U0001f469",
		"\U0001f469\u200d\u200d\U0001f467":      "\U0001f469\U0001f467",
	} {
		if got := text.Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Den\n":                             "Den",
		strings.Repeat("ä", 200):            strings.Repeat("ä", 128),
		strings.Repeat("a", 255) + " b":     strings.Repeat("a", 255),
		strings.Repeat("a", 255) + "\u20ac": strings.Repeat("a", 255),
	} {
		if got := text.Name(in); got != want {
			t.Errorf("Name(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		s    string
		n    int
		want string
	}{
		{"abc", 4, "abc"}, {"abcd", 4, "abcd"}, {"abcde", 4, "abcd"},
		{"abcé", 4, "abc"}, {"a😀", 4, "a"}, {"😀", 4, "😀"}, {"😀", 3, ""},
	}
	for _, test := range tests {
		if got := text.Truncate(test.s, test.n); got != test.want {
			t.Errorf("%q cut to %d: %q, want %q", test.s, test.n, got, test.want)
		}
	}
}

func TestVisibleKeepsLines(t *testing.T) {
	t.Parallel()
	if got := text.Visible("a\n\tb\u202e\n"); got != "a\n\tb\n" {
		t.Errorf("%q", got)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("\u202eneD\u2069")
	f.Add(family)
	f.Add("a\xff\u200d\U0001f469\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		got := text.Line(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool {
			return r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
		}) {
			t.Errorf("Line(%q) = %q", s, got)
		}
		if again := text.Line(got); again != got {
			t.Errorf("Line(%q) = %q, and then %q", s, got, again)
		}
	})
}
