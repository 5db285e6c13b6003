package artcache

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the limit in bytes of one string from a document.
const maxText = 512

// clean makes a string from a document safe to print on a terminal or a page:
// valid UTF-8, one line, no control or direction characters, at most maxText
// bytes. Trademark signs stay: they belong to the real name.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == 0xfffe, r == 0xffff:
			return -1
		}
		return r
	}, s)
	return cut(strings.Join(strings.Fields(s), " "), maxText)
}

// cut shortens s to at most n bytes, at a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}

// cleanAll applies clean to each of the strings.
func cleanAll(texts ...*string) {
	for _, t := range texts {
		*t = clean(*t)
	}
}
