package hapserver

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/brutella/hap/characteristic"
)

var errValue = errors.New("value does not fit the characteristic")

// defaultMaxLen limits strings, in bytes, unless the characteristic has a limit
// of its own.
const defaultMaxLen = 64

// kind is the Go type that holds a value.
type kind int

const (
	kindUnknown kind = iota
	kindBool
	kindString
	kindBase64 // string
	kindFloat  // float64
	kindInt    // int
	kindUint64 // uint64
)

func kindOf(format string) kind {
	switch format {
	case characteristic.FormatBool:
		return kindBool
	case characteristic.FormatString:
		return kindString
	case characteristic.FormatData, characteristic.FormatTLV8:
		return kindBase64
	case characteristic.FormatFloat:
		return kindFloat
	case characteristic.FormatUInt8, characteristic.FormatUInt16, characteristic.FormatUInt32, characteristic.FormatInt32:
		return kindInt
	case characteristic.FormatUInt64:
		return kindUint64
	}
	return kindUnknown
}

// intRange returns the range of an integer format. hap stores integers as int,
// so on a 32-bit machine a uint32 ends at 2^31-1.
func intRange(format string) (lo, hi int64) {
	switch format {
	case characteristic.FormatUInt8:
		return 0, math.MaxUint8
	case characteristic.FormatUInt16:
		return 0, math.MaxUint16
	case characteristic.FormatUInt32:
		return 0, min(math.MaxUint32, math.MaxInt)
	}
	return math.MinInt32, math.MaxInt32
}

// parseValue parses and checks the value of a write. It accepts the same
// spellings as HAP-NodeJS, since controllers rely on them: true and false for
// the numbers 1 and 0, 1 and 0 for booleans, and 1.0 or 1e0 for the integer 1.
// Unlike HAP-NodeJS it refuses 1.5 for every integer. Every error is errValue.
func parseValue(c *characteristic.C, raw json.RawMessage) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, errValue
	}
	return checkValue(c, v)
}

// goValue converts a value set by the program to the types of parsed JSON.
func goValue(v any) any {
	switch rv := reflect.ValueOf(v); {
	case rv.Kind() == reflect.Bool:
		return rv.Bool()
	case rv.Kind() == reflect.String:
		return rv.String()
	case rv.CanInt():
		return json.Number(strconv.FormatInt(rv.Int(), 10))
	case rv.CanUint():
		return json.Number(strconv.FormatUint(rv.Uint(), 10))
	case rv.CanFloat():
		return json.Number(strconv.FormatFloat(rv.Float(), 'g', -1, 64))
	}
	return nil
}

// checkValue converts a JSON value to the Go type of the characteristic's
// format and checks it against the characteristic's limits.
func checkValue(c *characteristic.C, v any) (any, error) {
	switch x := v.(type) {
	case bool:
		if x {
			return checkNumber(c, "1")
		}
		return checkNumber(c, "0")
	case string:
		return checkText(c, x)
	case json.Number:
		return checkNumber(c, string(x))
	}
	return nil, errValue
}

func checkText(c *characteristic.C, s string) (any, error) {
	switch kindOf(c.Format) {
	case kindString:
		if limit := c.MaxLen; len(s) <= limit || limit == 0 && len(s) <= defaultMaxLen {
			return s, nil
		}
	case kindBase64:
		if _, err := base64.StdEncoding.Strict().DecodeString(s); err == nil && (c.MaxLen == 0 || len(s) <= c.MaxLen) {
			return s, nil
		}
	}
	return nil, errValue
}

func checkNumber(c *characteristic.C, s string) (any, error) {
	switch kindOf(c.Format) {
	case kindBool:
		s = integer(s)
		return s == "1", errUnless(s == "0" || s == "1")
	case kindFloat:
		f, err := strconv.ParseFloat(s, 64)
		return f, errUnless(err == nil && allowed(c, f))
	case kindInt:
		n, err := strconv.ParseInt(integer(s), 10, 64)
		lo, hi := intRange(c.Format)
		return int(n), errUnless(err == nil && n >= lo && n <= hi && allowed(c, float64(n)) && listed(c, int(n)))
	case kindUint64:
		n, err := strconv.ParseUint(integer(s), 10, 64)
		return n, errUnless(err == nil && allowed(c, float64(n)))
	}
	return nil, errValue
}

// integer rewrites a JSON number such as 1.0 or 1e2 without a fraction or an
// exponent. It returns the number unchanged if it has a fraction, or if it is
// above 2^53, where a float64 no longer holds every integer.
func integer(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return s
	}
	return strconv.FormatInt(int64(f), 10)
}

func errUnless(ok bool) error {
	if ok {
		return nil
	}
	return errValue
}

// allowed checks range and step. It compares integers above 2^53 as the nearest
// float.
func allowed(c *characteristic.C, f float64) bool {
	lo, hasLo := number(c.MinVal)
	hi, hasHi := number(c.MaxVal)
	if math.IsNaN(f) || math.IsInf(f, 0) || hasLo && f < lo || hasHi && f > hi {
		return false
	}
	if step, ok := number(c.StepVal); ok && step > 0 {
		steps := (f - lo) / step
		return math.Abs(steps-math.Round(steps)) < 1e-6
	}
	return true
}

// listed checks the valid values and the range of valid values.
func listed(c *characteristic.C, n int) bool {
	if len(c.ValidVals) > 0 && !slices.Contains(c.ValidVals, n) {
		return false
	}
	return len(c.ValidRange) != 2 || c.ValidRange[0] <= n && n <= c.ValidRange[1]
}

// number returns a limit, which hap stores in any numeric type.
func number(v any) (float64, bool) {
	switch rv := reflect.ValueOf(v); {
	case rv.CanInt():
		return float64(rv.Int()), true
	case rv.CanUint():
		return float64(rv.Uint()), true
	case rv.CanFloat():
		return rv.Float(), true
	}
	return 0, false
}
