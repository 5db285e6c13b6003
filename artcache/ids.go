package artcache

import (
	"fmt"
	"strings"
)

// ParseTitleID returns the title id in upper case and without a trailing
// "_00": "cusa00129_00" is CUSA00129. Anything but four letters and five digits
// is ErrTitleID, so that an id is always safe in a path and in an address.
func ParseTitleID(s string) (string, error) {
	id := strings.TrimSuffix(s, "_00")
	if len(id) == 9 { // ToUpper makes ASCII of longer letters too
		id = strings.ToUpper(id)
	}
	if !isTitleID(id) {
		return "", fmt.Errorf("%w: %.32q", ErrTitleID, s)
	}
	return id, nil
}

func isTitleID(s string) bool {
	return len(s) == 9 && all(s[:4], isUpper) && all(s[4:], isDigit)
}

// isContentID reports whether s looks like EP1018-CUSA00135_00-BATMANARKHAMKNHT.
func isContentID(s string) bool {
	return len(s) == 36 &&
		all(s[:2], isUpper) && all(s[2:6], isDigit) && s[6] == '-' &&
		isTitleID(s[7:16]) && s[16] == '_' && all(s[17:19], isDigit) && s[19] == '-' &&
		all(s[20:], func(b byte) bool { return isUpper(b) || isDigit(b) })
}

// isCode reports whether s is a country or language code: two small letters.
func isCode(s string) bool {
	return len(s) == 2 && all(s, func(b byte) bool { return 'a' <= b && b <= 'z' })
}

func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }
func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
