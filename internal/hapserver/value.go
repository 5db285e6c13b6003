package hapserver

import (
	"cmp"
	"encoding/base64"
	"math"
	"reflect"
	"slices"

	"github.com/brutella/hap/characteristic"
)

// defaultMaxLen limits strings, in bytes, unless the characteristic has a limit
// of its own.
const defaultMaxLen = 64

// checkValue converts a value to the Go type of the characteristic's format
// (bool, int, or string, for TLV8 in base64) and checks it against the
// characteristic's limits. The value comes from JSON or from the program. It
// accepts the same spellings as HAP-NodeJS, since controllers rely on them: true
// and false for the numbers 1 and 0, 1 and 0 for booleans, and 1.0 or 1e0 for
// the integer 1. Unlike HAP-NodeJS it refuses 1.5 for every integer.
func checkValue(c *characteristic.C, v any) (_ any, ok bool) {
	text, isText := v.(string)
	n, isInteger := integer(v)
	switch c.Format {
	case characteristic.FormatString:
		return text, isText && len(text) <= cmp.Or(c.MaxLen, defaultMaxLen)
	case characteristic.FormatTLV8:
		_, err := base64.StdEncoding.Strict().DecodeString(text)
		return text, isText && err == nil && (c.MaxLen == 0 || len(text) <= c.MaxLen)
	case characteristic.FormatBool:
		return n == 1, isInteger && (n == 0 || n == 1)
	default:
		return n, isInteger && allowed(c, n)
	}
}

// integer returns a number without a fraction, or 1 for true and 0 for false.
func integer(v any) (n int, ok bool) {
	switch rv := reflect.ValueOf(v); {
	case rv.CanInt():
		return int(rv.Int()), true
	case rv.CanUint():
		n = int(rv.Uint()) // negative if it is too large
		return n, n >= 0
	case rv.CanFloat():
		n = int(rv.Float())
		return n, float64(n) == rv.Float()
	case rv.Kind() == reflect.Bool && rv.Bool():
		return 1, true
	default:
		return 0, rv.Kind() == reflect.Bool
	}
}

// allowed reports whether an integer is within the limits of its format and of
// its characteristic.
func allowed(c *characteristic.C, n int) bool {
	lo, hi := 0, math.MaxUint8
	switch c.Format {
	case characteristic.FormatUInt16:
		hi = math.MaxUint16
	case characteristic.FormatUInt32:
		hi = min(math.MaxUint32, math.MaxInt) // on a 32-bit machine, hap's int ends there
	case characteristic.FormatInt32:
		lo, hi = math.MinInt32, math.MaxInt32
	}
	lowest, hasMin := integer(c.MinVal)
	highest, hasMax := integer(c.MaxVal)
	step, _ := integer(c.StepVal)
	switch {
	case n < lo || n > hi, hasMin && n < lowest, hasMax && n > highest:
		return false
	case step > 1 && (n-lowest)%step != 0:
		return false
	case len(c.ValidVals) > 0 && !slices.Contains(c.ValidVals, n):
		return false
	}
	return len(c.ValidRange) != 2 || c.ValidRange[0] <= n && n <= c.ValidRange[1]
}
