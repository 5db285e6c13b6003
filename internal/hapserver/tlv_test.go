package hapserver

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func filled(n int) []byte { return bytes.Repeat([]byte{0xAB}, n) }

func fragment(typ byte, n int) []byte { return append([]byte{typ, byte(n)}, filled(n)...) }

// tlvCases have one wire form each, so the same table serves parsing, writing
// and the fuzz seeds.
func tlvCases() map[string]struct {
	wire  []byte
	items tlv
} {
	cat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	return map[string]struct {
		wire  []byte
		items tlv
	}{
		"nothing":         {nil, nil},
		"M1":              {[]byte{0, 1, 0, 6, 1, 1}, tlv{{tlvMethod, []byte{0}}, {tlvState, []byte{1}}}},
		"empty value":     {[]byte{5, 0}, tlv{{5, []byte{}}}},
		"254":             {fragment(3, 254), tlv{{3, filled(254)}}},
		"255":             {fragment(3, 255), tlv{{3, filled(255)}}},
		"256":             {cat(fragment(3, 255), fragment(3, 1)), tlv{{3, filled(256)}}},
		"510":             {cat(fragment(3, 255), fragment(3, 255)), tlv{{3, filled(510)}}},
		"public key":      {cat([]byte{6, 1, 2}, fragment(3, 255), fragment(3, 129)), tlv{{6, []byte{2}}, {3, filled(384)}}},
		"255, then other": {cat(fragment(3, 255), fragment(4, 1)), tlv{{3, filled(255)}, {4, filled(1)}}},
		"255 twice":       {cat(fragment(3, 255), []byte{3, 0}, fragment(3, 255)), tlv{{3, filled(255)}, {3, filled(255)}}},
		"list": {[]byte{1, 1, 'a', 0xFF, 0, 1, 1, 'b'},
			tlv{{1, []byte("a")}, {tlvSeparator, []byte{}}, {1, []byte("b")}}},
		"two separators": {[]byte{0xFF, 0, 0xFF, 0}, tlv{{tlvSeparator, []byte{}}, {tlvSeparator, []byte{}}}},
		"equal types":    {[]byte{1, 1, 'a', 1, 1, 'b'}, tlv{{1, []byte("a")}, {1, []byte("b")}}},
	}
}

func TestTLV(t *testing.T) {
	t.Parallel()
	for name, c := range tlvCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseTLV(c.wire)
			if err != nil || !reflect.DeepEqual(got, c.items) {
				t.Errorf("parsed %v, %v; want %v", got, err, c.items)
			}
			if wire := c.items.encode(); !bytes.Equal(wire, c.wire) {
				t.Errorf("wrote %x, want %x", wire, c.wire)
			}
		})
	}
}

func TestTLVRefuses(t *testing.T) {
	t.Parallel()
	for name, wire := range map[string][]byte{
		"type only":           {6},
		"value missing":       {6, 1},
		"value cut":           {3, 4, 1, 2, 3},
		"second item cut":     {6, 1, 1, 3},
		"fragment cut":        append(fragment(3, 255), 3, 255, 0),
		"too many items":      bytes.Repeat([]byte{1, 0}, tlvMaxItems+1),
		"too many separators": bytes.Repeat([]byte{0xFF, 0}, tlvMaxItems+1),
	} {
		if got, err := parseTLV(wire); !errors.Is(err, errTLV) || got != nil {
			t.Errorf("%s: got %d items and %v, want errTLV", name, len(got), err)
		}
	}
	if got, err := parseTLV(bytes.Repeat([]byte{1, 0}, tlvMaxItems)); err != nil || len(got) != tlvMaxItems {
		t.Errorf("at the limit: %d items, %v", len(got), err)
	}
}

func TestTLVGet(t *testing.T) {
	t.Parallel()
	var items tlv
	items.addByte(tlvState, 3)
	items.add(tlvProof, []byte{1, 2})
	items.add(tlvFlags, nil)
	items.addByte(tlvState, 9)
	if v, ok := items.byteAt(tlvState); !ok || v != 3 {
		t.Errorf("state = %d, %v: want the first, 3", v, ok)
	}
	if v := items.get(tlvProof); !bytes.Equal(v, []byte{1, 2}) {
		t.Errorf("proof = %x", v)
	}
	for _, typ := range []byte{tlvProof, tlvFlags, tlvSalt} {
		if v, ok := items.byteAt(typ); ok {
			t.Errorf("type %d read as the byte %d", typ, v)
		}
	}
	if items.get(tlvSalt) != nil {
		t.Error("found an item that is not there")
	}
}

// The parser must not keep the caller's buffer: a request body's buffer is used
// again.
func TestTLVCopies(t *testing.T) {
	t.Parallel()
	wire := append(fragment(3, 255), fragment(3, 7)...)
	items, err := parseTLV(wire)
	if err != nil {
		t.Fatal(err)
	}
	clear(wire)
	if v := items.get(3); !bytes.Equal(v, filled(262)) {
		t.Error("the value changed with the buffer")
	}
}

// Whatever parses is written so that it parses the same again, in no more bytes
// than it took, and no byte of a value is lost.
func FuzzTLV(f *testing.F) {
	for _, c := range tlvCases() {
		f.Add(c.wire)
	}
	f.Add([]byte{3})
	f.Add(append(fragment(3, 255), 3, 0, 3, 0))
	f.Fuzz(func(t *testing.T, wire []byte) {
		items, err := parseTLV(wire)
		if err != nil {
			if items != nil {
				t.Fatal("items beside an error")
			}
			return
		}
		again := items.encode()
		if len(again) > len(wire) {
			t.Fatalf("%d bytes became %d", len(wire), len(again))
		}
		back, err := parseTLV(again)
		if err != nil || !reflect.DeepEqual(back, items) {
			t.Fatalf("%x\nparsed to %v\nwritten as %x\nparsed to %v, %v", wire, items, again, back, err)
		}
	})
}

// Any list of items survives writing and parsing.
func FuzzTLVItems(f *testing.F) {
	f.Add([]byte("a"), 255, byte(3), byte(3))
	f.Add([]byte(nil), 0, byte(0xFF), byte(0xFF))
	f.Add([]byte("xyz"), 510, byte(1), byte(2))
	f.Fuzz(func(t *testing.T, v []byte, n int, one, two byte) {
		long := filled(min(max(n, 0), 2000))
		v = append([]byte{}, v[:min(len(v), 2000)]...)
		want := tlv{{one, long}, {two, v}, {two, long}, {one, v}}
		got, err := parseTLV(want.encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v became %v, %v", want, got, err)
		}
	})
}
