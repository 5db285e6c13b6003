package accessory

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
)

// inputsAt returns inputs with those identifiers, in that order.
func inputsAt(identifiers ...int) *inputs {
	in := &inputs{titles: map[string]*SavedTitle{}}
	if len(identifiers) > 0 {
		in.slots = make([]string, slices.Max(identifiers))
	}
	for _, k := range identifiers {
		id := fmt.Sprintf("Title %d", k)
		in.titles[id] = &SavedTitle{Name: id}
		in.take(id, k)
		in.order = append(in.order, id)
	}
	return in
}

func TestOrderVectors(t *testing.T) {
	t.Parallel()
	for want, identifiers := range map[string][]int{
		"":                                 nil,
		"AQQBAAAAAAABBAIAAAAAAAEEAwAAAA==": {1, 2, 3}, // docs/homekit.md §3
		"AQQAAQAAAAABBAABAQA=":             {256, 65792},
	} {
		in := inputsAt(identifiers...)
		if got := in.encodeOrder(); got != want {
			t.Errorf("%v: %s, want %s", identifiers, got, want)
		}
		if got, ok := in.decodeOrder(want); !ok || !slices.Equal(got, in.order) {
			t.Errorf("%s: %v %v", want, got, ok)
		}
	}
}

func TestOrderRefused(t *testing.T) {
	t.Parallel()
	in := inputsAt(1, 2)
	for name, b := range map[string][]byte{
		"another type":     {2, 4, 1, 0, 0, 0},
		"another length":   {1, 3, 1, 0, 0},
		"cut":              {1, 4, 1, 0, 0},
		"no separator":     {1, 4, 1, 0, 0, 0, 1, 4, 2, 0, 0, 0},
		"half separator":   {1, 4, 1, 0, 0, 0, 0},
		"separator first":  {0, 0, 1, 4, 1, 0, 0, 0},
		"separator twice":  {1, 4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 4, 2, 0, 0, 0},
		"too many":         {1, 4, 1, 0, 0, 0, 0, 0, 1, 4, 2, 0, 0, 0, 0, 0, 1, 4, 3, 0, 0, 0},
		"twice":            {1, 4, 1, 0, 0, 0, 0, 0, 1, 4, 1, 0, 0, 0},
		"no such input":    {1, 4, 0, 0, 0, 0},
		"high byte counts": {1, 4, 1, 0, 0, 1},
		"highest":          {1, 4, 255, 255, 255, 255},
	} {
		if ids, ok := in.decodeOrder(base64.StdEncoding.EncodeToString(b)); ok {
			t.Errorf("%s: %v", name, ids)
		}
	}
	if _, ok := in.decodeOrder("AQQBAAAA%"); ok {
		t.Error("bad base64 was taken")
	}
}

// FuzzOrder checks that an order that was accepted is the one that is shown; the
// inputs that it leaves out follow.
func FuzzOrder(f *testing.F) {
	for _, seed := range []string{"", "AQQBAAAAAAABBAIAAAAAAAEEAwAAAA==", "AQQBAAAAAAA=", "AQT/////", "AAAA", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		in := inputsAt(1, 2, 3, 4, 5)
		ids, ok := in.decodeOrder(value)
		if !ok {
			return
		}
		in.order = ids
		again, ok := in.decodeOrder(in.encodeOrder())
		if !ok || len(again) != 5 || !slices.Equal(again[:len(ids)], ids) {
			t.Errorf("%v became %v: %v", ids, again, ok)
		}
	})
}
