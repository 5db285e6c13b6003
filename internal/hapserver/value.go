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

	"github.com/brutella/hap/characteristic"
)

var errValue = errors.New("value does not fit the characteristic")

// defaultMaxLen is the longest string in bytes, unless the characteristic has
// MaxLen.
const defaultMaxLen = 64

// kind is the Go type of a stored value.
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

// intRange returns the range of an integer format. hap stores an int, so on a
// 32-bit machine a uint32 ends at 2^31-1.
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

// parseValue parses the value of a write. It returns errValue for a value of
// another type or outside the characteristic's limits.
func parseValue(c *characteristic.C, raw json.RawMessage) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, errValue
	}
	return checkValue(c, v)
}

// goValue converts a Go value to the form of parsed JSON.
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

// checkValue converts a JSON value to the Go type of the format, if it is
// within the characteristic's limits.
func checkValue(c *characteristic.C, v any) (any, error) {
	switch x := v.(type) {
	case bool:
		if kindOf(c.Format) == kindBool {
			return x, nil
		}
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
	case kindBool: // controllers may send 0 and 1
		if s == "0" || s == "1" {
			return s == "1", nil
		}
	case kindFloat:
		if f, err := strconv.ParseFloat(s, 64); err == nil && allowed(c, f) {
			return f, nil
		}
	case kindInt:
		lo, hi := intRange(c.Format)
		n, err := strconv.ParseInt(s, 10, 64)
		if err == nil && n >= lo && n <= hi && allowed(c, float64(n)) && listed(c, int(n)) {
			return int(n), nil
		}
	case kindUint64:
		if n, err := strconv.ParseUint(s, 10, 64); err == nil && allowed(c, float64(n)) {
			return n, nil
		}
	}
	return nil, errValue
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

// number converts a limit, which in hap may have any numeric type.
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
