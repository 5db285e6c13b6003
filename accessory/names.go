package accessory

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// cleanName turns a title's or a console's name into one that HomeKit takes (docs/homekit.md §4): letters, digits, spaces and
// apostrophes only, starting and ending with a letter or digit, at most 63 bytes. Nothing may be left.
func cleanName(name string) string {
	name = marks.Replace(norm.NFC.String(name))
	var b strings.Builder
	for _, r := range name {
		switch {
		case plain(r):
			b.WriteRune(r)
		case isEmoji(r):
		case unicode.IsNumber(r): // Ⅱ, ², ½
			b.WriteString(strings.Map(plainOrSpace, norm.NFKC.String(string(r))))
		default:
			b.WriteByte(' ')
		}
	}
	// Pieces that were apart may compose now.
	return trimName(norm.NFC.String(strings.Join(strings.Fields(b.String()), " ")), maxGivenName)
}

// marks are typographic apostrophes, and marks that are dropped, as signs and as people type them.
var marks = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "‛", "'", "′", "'", "`", "'", "´", "'",
	"™", "", "®", "", "©", "", "(TM)", "", "(tm)", "", "(R)", "", "(r)", "", "(C)", "", "(c)", "")

func plain(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'')
}

func plainOrSpace(r rune) rune {
	if plain(r) {
		return r
	}
	return ' '
}

// isEmoji knows the blocks of pictures and what joins and colours them.
func isEmoji(r rune) bool {
	switch {
	case r == 0x200D || r == 0x20E3 || r >= 0xFE00 && r <= 0xFE0F: // joiner, key cap, variation selectors
	case r >= 0x2300 && r <= 0x23FF || r >= 0x25A0 && r <= 0x27BF || r >= 0x2B00 && r <= 0x2BFF: // technical, shapes, dingbats
	case r >= 0x1F000 && r <= 0x1FAFF || r >= 0xE0020 && r <= 0xE007F: // pictures, flags
	default:
		return false
	}
	return true
}

// trimName cuts a name to limit bytes at a rune, and what may not stand at its ends.
func trimName(name string, limit int) string {
	edge := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	return strings.TrimFunc(cut(name, limit), edge)
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// uniqueName makes a name different from all that are taken, whatever their case, by a number at its end, and takes it.
func uniqueName(name string, limit int, taken map[string]bool) string {
	unique := name
	for n := 2; taken[strings.ToLower(unique)]; n++ {
		suffix := fmt.Sprintf(" %d", n)
		unique = strings.TrimRight(cut(name, limit-len(suffix)), " ") + suffix
	}
	taken[strings.ToLower(unique)] = true
	return unique
}

// checkName says whether a name that somebody chose can be kept.
func checkName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return ErrName
	}
	return nil
}

var inputSource = regexp.MustCompile(`^Input Source( [0-9]+)?$`)

// ignoredName says that a written name is none: iOS writes "" and "Input Source N" by itself (docs/homekit.md §4).
func ignoredName(name string) bool {
	return checkName(name) != nil || inputSource.MatchString(strings.TrimSpace(name))
}
