package accessory

import (
	"encoding/base64"
	"math"
	"slices"
	"testing"
)

func TestOrderVectors(t *testing.T) {
	t.Parallel()
	for want, ids := range map[string][]uint32{
		"":                                 nil,
		"AQQBAAAAAAABBAIAAAAAAAEEAwAAAA==": {1, 2, 3}, // docs/homekit.md §3
		"AQQAAQAAAAABBAABAQA=":             {256, 65792},
		"AQT/////":                         {math.MaxUint32},
	} {
		if got := encodeOrder(ids); got != want {
			t.Errorf("%v: %s, want %s", ids, got, want)
		}
		if got, err := decodeOrder(want, 90); err != nil || !slices.Equal(got, ids) {
			t.Errorf("%s: %v %v", want, got, err)
		}
	}
}

func TestOrderRefused(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"another type":    {2, 4, 1, 0, 0, 0},
		"another length":  {1, 3, 1, 0, 0},
		"cut":             {1, 4, 1, 0, 0},
		"no separator":    {1, 4, 1, 0, 0, 0, 1, 4, 2, 0, 0, 0},
		"half separator":  {1, 4, 1, 0, 0, 0, 0},
		"separator first": {0, 0, 1, 4, 1, 0, 0, 0},
		"too many":        {1, 4, 1, 0, 0, 0, 0, 0, 1, 4, 2, 0, 0, 0, 0, 0, 1, 4, 3, 0, 0, 0},
	} {
		if ids, err := decodeOrder(base64.StdEncoding.EncodeToString(b), 2); err == nil {
			t.Errorf("%s: %v", name, ids)
		}
	}
	if _, err := decodeOrder("AQQBAAAA%", 2); err == nil {
		t.Error("bad base64 was taken")
	}
}

func FuzzOrder(f *testing.F) {
	for _, seed := range []string{"", "AQQBAAAAAAABBAIAAAAAAAEEAwAAAA==", "AQQBAAAAAAA=", "AQT/////", "AAAA", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		ids, err := decodeOrder(value, 90)
		if err != nil {
			return
		}
		if len(ids) > 90 {
			t.Errorf("%d identifiers", len(ids))
		}
		again, err := decodeOrder(encodeOrder(ids), 90)
		if err != nil || !slices.Equal(again, ids) {
			t.Errorf("%v became %v: %v", ids, again, err)
		}
	})
}
