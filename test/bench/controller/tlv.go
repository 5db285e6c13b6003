package controller

import (
	"errors"
	"maps"
	"slices"
)

// Types of the items of pairing messages.
const (
	tlvMethod    = 0
	tlvID        = 1
	tlvSalt      = 2
	tlvPublicKey = 3
	tlvProof     = 4
	tlvEncrypted = 5
	tlvState     = 6
	tlvError     = 7
	tlvSignature = 10
)

// tlv is a pairing message. No type comes twice in one; package tlv8 of hap cannot
// leave an item out, so this is not its work.
//
//	| type, 1 | length, 1 | value |     a value over 255 bytes goes on in the next item
type tlv map[byte][]byte

func (t tlv) encode() []byte {
	var out []byte
	for _, kind := range slices.Sorted(maps.Keys(t)) {
		for part := range slices.Chunk(t[kind], 255) {
			out = append(append(out, kind, byte(len(part))), part...)
		}
	}
	return out
}

func parseTLV(b []byte) (tlv, error) {
	t := tlv{}
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, errors.New("controller: a pairing message is cut off")
		}
		t[b[0]] = append(t[b[0]], b[2:2+int(b[1])]...)
		b = b[2+int(b[1]):]
	}
	return t, nil
}
