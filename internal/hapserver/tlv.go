package hapserver

import (
	"errors"
	"fmt"
)

// tlv is the items of a pairing message, in TLV8: a type byte, a length byte
// and up to 255 bytes of value. A longer value is split into fragments of 255
// bytes under the same type, and a shorter last one.
//
// Unlike a codec for structs, this one keeps the order of items and the
// separators of lists, which pairing messages need.
type tlv []tlvItem

type tlvItem struct {
	Type  byte
	Value []byte
}

// Types of pairing items.
const (
	tlvMethod        = 0x00
	tlvIdentifier    = 0x01
	tlvSalt          = 0x02
	tlvPublicKey     = 0x03
	tlvProof         = 0x04
	tlvEncryptedData = 0x05
	tlvState         = 0x06
	tlvError         = 0x07
	tlvSignature     = 0x0A
	tlvPermissions   = 0x0B
	tlvFlags         = 0x13
	tlvSeparator     = 0xFF
)

// The largest message of a controller, M5, has about 200 bytes in 2 items.
const (
	tlvFragment = 255
	tlvMaxItems = 1024
)

var errTLV = errors.New("malformed TLV8")

// parseTLV parses items up to the end of b. Values are copies. All errors wrap
// errTLV.
func parseTLV(b []byte) (tlv, error) {
	var t tlv
	full := false // the last fragment is full: one of the same type continues it
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, fmt.Errorf("%w: truncated item", errTLV)
		}
		typ, v := b[0], b[2:2+int(b[1])]
		b = b[2+len(v):]
		if full && t[len(t)-1].Type == typ {
			t[len(t)-1].Value = append(t[len(t)-1].Value, v...)
		} else if len(t) == tlvMaxItems {
			return nil, fmt.Errorf("%w: more than %d items", errTLV, tlvMaxItems)
		} else {
			t = append(t, tlvItem{typ, append([]byte{}, v...)}) // never nil
		}
		full = len(v) == tlvFragment
	}
	return t, nil
}

// get returns the value of the first item of a type, or nil if there is none.
func (t tlv) get(typ byte) []byte {
	for _, it := range t {
		if it.Type == typ {
			return it.Value
		}
	}
	return nil
}

// byteAt returns the first item of a type if its value is one byte.
func (t tlv) byteAt(typ byte) (byte, bool) {
	v := t.get(typ)
	if len(v) != 1 {
		return 0, false
	}
	return v[0], true
}

func (t tlv) encode() []byte {
	var out []byte
	for i, it := range t {
		v := it.Value
		for len(v) > tlvFragment {
			out = append(append(out, it.Type, tlvFragment), v[:tlvFragment]...)
			v = v[tlvFragment:]
		}
		out = append(append(out, it.Type, byte(len(v))), v...)
		if len(v) == tlvFragment && i+1 < len(t) && t[i+1].Type == it.Type {
			out = append(out, it.Type, 0) // or the next item would continue this one
		}
	}
	return out
}
