// Package text makes text that strangers chose safe to show on a page, on a
// terminal and in a log. Names are cleaned where they enter the program: replies
// of consoles, titles' metadata, config.yaml, the API and Home.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const joiner = '\u200d' // zero-width joiner

// Line returns s as Clean does, without the spaces around it.
func Line(s string) string { return strings.TrimSpace(Clean(s)) }

// Clean returns s as one line of valid UTF-8: control characters and line
// separators become spaces, invisible characters are removed as by Visible, and
// invalid bytes become U+FFFD.
func Clean(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return s // printable ASCII, as most names are
	}
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return Visible(s)
}

// maxName is the longest name, in bytes.
const maxName = 256

// Name returns s as Line does, cut to 256 bytes.
func Name(s string) string {
	return Line(Truncate(Line(s), maxName)) // a space or a joiner may be at its end now
}

// Truncate returns at most n bytes of s, cut between runes.
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Visible removes the characters that can change how the text around them is
// shown without being seen: those that set its direction (U+061C, U+202A to
// U+202E, U+2066 to U+2069) or have no width (U+200B, U+2060, U+FEFF and all
// others of the category Cf). It keeps a zero-width joiner that joins two emoji.
func Visible(s string) string {
	if !strings.ContainsFunc(s, invisible) {
		return s
	}
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		if !invisible(r) || r == joiner && i > 0 && i+1 < len(runes) && pictorial(runes[i-1]) && unicode.Is(unicode.So, runes[i+1]) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func invisible(r rune) bool {
	return r > unicode.MaxASCII && unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}

// pictorial reports whether r is an emoji, or modifies the one before it.
func pictorial(r rune) bool {
	return unicode.Is(unicode.So, r) || r == '\ufe0f' || '\U0001f3fb' <= r && r <= '\U0001f3ff'
}
