package hapserver

import (
	"errors"
	"fmt"
)

// TLV8 is how pairing messages are written: a type byte, a length byte and a value of at most 255 bytes. A longer value is cut
// into fragments of 255 bytes that follow each other under the same type, the last one shorter.
//
// This codec keeps the order of the items and the separators of a list, which the pairing messages need and which
// a codec for structs hides.
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
	tlvRetryDelay    = 0x08
	tlvCertificate   = 0x09
	tlvSignature     = 0x0A
	tlvPermissions   = 0x0B
	tlvFragmentData  = 0x0C
	tlvFragmentLast  = 0x0D
	tlvFlags         = 0x13
	tlvSeparator     = 0xFF
)

// Values of a tlvError item.
const (
	tlvErrUnknown        = 1
	tlvErrAuthentication = 2
	tlvErrBackoff        = 3
	tlvErrMaxPeers       = 4
	tlvErrMaxTries       = 5
	tlvErrUnavailable    = 6
	tlvErrBusy           = 7
)

// What parseTLV takes at most. The largest request of a controller, M5, has about 200 bytes in 2 items.
const (
	tlvFragment = 255
	tlvMaxBytes = 64 << 10
	tlvMaxItems = 1024
)

var errTLV = errors.New("malformed TLV8")

// parseTLV reads items up to the end of b. A fragment continues the one before it when that has the same type and is full
// (255 bytes). The values are copies of b's bytes. Every error is an errTLV.
func parseTLV(b []byte) (tlv, error) {
	if len(b) > tlvMaxBytes {
		return nil, fmt.Errorf("%w: %d bytes", errTLV, len(b))
	}
	var t tlv
	full := false // the fragment before was full: an equal type continues it
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, fmt.Errorf("%w: an item is cut off", errTLV)
		}
		typ, v := b[0], b[2:2+int(b[1])]
		b = b[2+len(v):]
		if full && t[len(t)-1].Type == typ {
			t[len(t)-1].Value = append(t[len(t)-1].Value, v...)
		} else if len(t) == tlvMaxItems {
			return nil, fmt.Errorf("%w: more than %d items", errTLV, tlvMaxItems)
		} else {
			t.add(typ, append([]byte{}, v...))
		}
		full = len(v) == tlvFragment
	}
	return t, nil
}

// get returns the value of the first item of a type.
func (t tlv) get(typ byte) ([]byte, bool) {
	for _, it := range t {
		if it.Type == typ {
			return it.Value, true
		}
	}
	return nil, false
}

// byteAt returns the first item of a type as the one-byte integer it has to be; false when there is none or it has another length.
func (t tlv) byteAt(typ byte) (byte, bool) {
	v, ok := t.get(typ)
	if !ok || len(v) != 1 {
		return 0, false
	}
	return v[0], true
}

// add appends an item. The value is not copied.
func (t *tlv) add(typ byte, v []byte) { *t = append(*t, tlvItem{Type: typ, Value: v}) }

// addByte appends an item that holds a one-byte integer.
func (t *tlv) addByte(typ, v byte) { t.add(typ, []byte{v}) }

// encode writes the items, values over 255 bytes in fragments.
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
			out = append(out, it.Type, 0) // ends the value, or the next item would continue it
		}
	}
	return out
}
