package ddp

import (
	"strings"
	"unicode/utf8"

	"github.com/ps4kit/ps4kit/internal/text"
)

// clean returns a header value as one line of valid UTF-8 without invisible
// characters, of at most MaxValue bytes.
func clean(value string) string { return text.Name(decode(value)) }

// decode converts text to UTF-8. It drops an incomplete rune at the end,
// converts other invalid text from Latin-1 if it looks like that, and replaces
// the remaining bytes with U+FFFD.
func decode(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	whole := text[:len(text)-cutRune(text)]
	onlyCut := utf8.ValidString(whole) && !endsInAccent(text)
	if onlyCut || !isLatin1(text) {
		return strings.ToValidUTF8(whole, "\uFFFD")
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

// cutRune returns the length of the incomplete rune at the end of text.
func cutRune(text string) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		tail := text[len(text)-n:]
		if utf8.RuneStart(tail[0]) && !utf8.FullRuneInString(tail) {
			return n
		}
	}
	return 0
}

// isLatin1 reports whether text looks like Latin-1: none of its bytes is a C1
// control character, and none begins a valid UTF-8 sequence of several bytes.
func isLatin1(text string) bool {
	for len(text) > 0 {
		_, size := utf8.DecodeRuneInString(text)
		if size > 1 || 0x80 <= text[0] && text[0] < 0xa0 {
			return false
		}
		text = text[size:]
	}
	return true
}

// endsInAccent reports whether the last byte of text is more likely an accented
// letter in Latin-1 than the start of a UTF-8 sequence: it follows a lower-case
// letter, as in "Caf\xe9". The bytes of â, ã and ð do not count, because they
// start the sequences of ™, kana and emoji.
func endsInAccent(text string) bool {
	n := len(text)
	if n < 2 || text[n-2] < 'a' || text[n-2] > 'z' {
		return false
	}
	return text[n-1] >= 0xe0 && !strings.ContainsRune("âãð", rune(text[n-1]))
}

// upper converts ASCII letters only, which keeps the length.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}
