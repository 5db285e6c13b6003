package accessory

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ps4kit/ps4kit/internal/text"
)

// insideName holds what a name may contain besides letters and digits, though
// not at its ends. It is what HAP-NodeJS accepts after 1.2.0 (docs/homekit.md
// §4).
const insideName = " '&!._:;()/,-"

// cleanName turns the name of a title or a console into one that Home accepts
// (docs/homekit.md §4). The result may be empty.
func cleanName(name string) string {
	name = lookalikes.Replace(plainForms(norm.NFC.String(name)))
	var b strings.Builder
	spaced, dropped := false, false // what came since the last rune written
	for _, r := range name {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			spaced = true
		case unicode.In(r, unicode.M, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, pictures):
			// It vanishes without separating its neighbours. Unicode counts some of
			// these as letters.
		case !inName(r):
			dropped = true
		default:
			if spaced && !dropped || dropped && !closesUp(r, spaced) {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
			spaced, dropped = false, false
		}
	}
	clean := trimName(norm.NFC.String(b.String()), maxGivenName)
	if strings.Count(clean, "(") != strings.Count(clean, ")") { // one of a pair was at the end
		clean = trimName(strings.Join(strings.FieldsFunc(clean, func(r rune) bool { return r == '(' || r == ')' || r == ' ' }), " "), maxGivenName)
	}
	if clean != name {
		return cleanName(clean) // what was dropped may have hidden an R in parentheses
	}
	return clean
}

// lookalikes replaces what people type for characters that are not on their
// keyboard, and the other way around.
var lookalikes = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "‛", "'", "′", "'", "`", "'", "´", "'",
	"‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "―", "-", "−", "-", "⁄", "/",
	"(TM)", "™", "(tm)", "™", "(R)", "®", "(r)", "®", "(C)", "©", "(c)", "©")

// plainForms replaces numbers such as Ⅱ, ² and ½ and wide punctuation such as ：
// with what they stand for.
func plainForms(name string) string {
	var b strings.Builder
	for _, r := range name {
		if !inName(r) && (unicode.IsNumber(r) || unicode.IsPunct(r)) {
			b.WriteString(norm.NFKC.String(string(r)))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func inName(r rune) bool {
	return letterOrDigit(r) || strings.ContainsRune(insideName, r)
}

func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// pictures holds emoji, and the blocks of symbols that emoji come from.
var pictures = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x2300, Hi: 0x23FF, Stride: 1}, // technical symbols
		{Lo: 0x25A0, Hi: 0x27BF, Stride: 1}, // shapes, dingbats
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // blank Braille pattern
		{Lo: 0x2B00, Hi: 0x2BFF, Stride: 1}, // arrows
	},
	R32: []unicode.Range32{{Lo: 0x1F000, Hi: 0x1FAFF, Stride: 1}},
}

// closesUp reports whether no space goes before r where a symbol such as ™ was
// dropped. spaced tells whether the symbol stood beside a space.
func closesUp(r rune, spaced bool) bool {
	return strings.ContainsRune("!.:;),", r) || !spaced && strings.ContainsRune("'-/_", r)
}

// trimName cuts name to limit bytes without breaking a rune, and removes what
// may not stand at its ends.
func trimName(name string, limit int) string {
	return strings.TrimFunc(text.Truncate(name, limit), func(r rune) bool { return !letterOrDigit(r) })
}

// uniqueName appends a number to name if taken already has it, in any case, and
// adds the result to taken.
func uniqueName(name string, limit int, taken map[string]bool) string {
	unique := name
	for n := 2; taken[strings.ToLower(unique)]; n++ {
		suffix := fmt.Sprintf(" %d", n)
		unique = strings.TrimRight(text.Truncate(name, limit-len(suffix)), " ") + suffix
	}
	taken[strings.ToLower(unique)] = true
	return unique
}

// userName returns a name that a user chose, without invisible characters, or
// [ErrName] if it can't be stored.
func userName(name string) (string, error) {
	name = text.Visible(name)
	if strings.TrimSpace(name) == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrName
	}
	return name, nil
}

// nameWrite is a write to the ConfiguredName of an input.
type nameWrite struct {
	at       time.Time
	input    int    // identifier
	title    string // title id; empty for a free slot
	name     string // as written
	given    string // name of the input when the user chose none
	replaced string // name chosen by the user before; empty for none
}

// burstGap is the longest time between two writes of one burst. iOS needs well
// under a second; a user who types names needs longer than this.
const burstGap = 5 * time.Second

// automaticName reports whether iOS wrote the name by itself, which it does at
// pairing, and returns the recent writes (oldest first) that belong to the same
// burst, latest first. Such a name has the shape of a stem and a number:
//
//   - "Input Source 3", in the languages of iOS, with or without a number
//   - a name of the television and a number: "PS4-889 2"
//   - a stem that other inputs were just given with other numbers, whatever it
//     is; a stem that is part of the input's given name is the user's, such as
//     "FIFA 23" for "EA SPORTS FIFA 23"
//
// Case, spaces and punctuation don't matter (docs/homekit.md §4).
func automaticName(w nameWrite, recent []nameWrite, television ...string) (automatic bool, burst []nameWrite) {
	stem, number := splitName(w.name)
	if stem == "" {
		return false, nil
	}
	is := func(s string) bool { return foldName(s) == stem }
	automatic = slices.ContainsFunc(inputSource, is) || number != "" && slices.ContainsFunc(television, is)
	if !automatic && w.keepsGiven(stem) {
		return false, nil
	}
	at := w.at
	for _, r := range slices.Backward(recent) {
		if at.Sub(r.at) > burstGap {
			break
		}
		at = r.at
		s, n := splitName(r.name)
		if foldName(r.name) == stem { // "PS4-889" before "PS4-889 2"
			s, n = stem, ""
		}
		if s == stem && !r.keepsGiven(stem) {
			burst = append(burst, r)
			automatic = automatic || r.input != w.input && n != number
		}
	}
	if !automatic {
		return false, nil
	}
	return true, burst
}

// keepsGiven reports whether the stem is part of the input's given name.
func (w *nameWrite) keepsGiven(stem string) bool { return strings.Contains(foldName(w.given), stem) }

// splitName splits a name into its folded stem and the number at its end. Both
// may be empty.
func splitName(name string) (stem, number string) {
	name = strings.TrimRightFunc(norm.NFKC.String(name), func(r rune) bool { return !wordRune(r) })
	rest := strings.TrimRightFunc(name, unicode.IsDigit)
	return foldName(rest), name[len(rest):]
}

// foldName removes everything from a name but letters, marks and digits, and
// makes it lower case.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if !wordRune(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(name))
}

func wordRune(r rune) bool { return letterOrDigit(r) || unicode.Is(unicode.M, r) }

// inputSource holds what iOS calls an input in its languages. It need not be
// complete: a burst in another language is recognized by its shape.
var inputSource = []string{
	"Input Source", "Eingangsquelle", "Eingabequelle", "Source d'entrée", "Fuente de entrada", "Sorgente di ingresso", "Sorgente ingresso",
	"Invoerbron", "Ingangsbron", "Fonte de entrada", "Origem de entrada", "Ingångskälla", "Inmatningskälla", "Indgangskilde", "Inputkilde",
	"Inngangskilde", "Inndatakilde", "Tulolähde", "Syöttölähde", "Źródło wejściowe", "Źródło sygnału", "Vstupní zdroj", "Zdroj vstupu",
	"Vstupný zdroj", "Bemeneti forrás", "Sursă de intrare", "Giriş Kaynağı", "Ulazni izvor", "Izvor ulaza", "Font d'entrada", "Πηγή εισόδου",
	"Источник входа", "Источник ввода", "Источник сигнала", "Джерело входу", "Джерело вводу", "מקור קלט", "مصدر الإدخال", "入力ソース",
	"输入源", "输入来源", "輸入源", "輸入來源", "입력 소스", "แหล่งสัญญาณเข้า", "แหล่งอินพุต", "Nguồn đầu vào", "Nguồn vào", "Sumber Input", "Sumber Masukan",
}
