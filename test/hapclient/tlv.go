package hapclient

import "errors"

// Types of pairing items (docs/homekit.md §6).
const (
	itemMethod      = 0x00
	itemIdentifier  = 0x01
	itemSalt        = 0x02
	itemPublicKey   = 0x03
	itemProof       = 0x04
	itemSealed      = 0x05
	itemState       = 0x06
	itemError       = 0x07
	itemSignature   = 0x0A
	itemPermissions = 0x0B
)

// message is a pairing message in TLV8.
type message []byte

// with adds an item, in fragments of at most 255 bytes.
func (m message) with(kind byte, value ...byte) message {
	for len(value) > 255 {
		m = append(append(m, kind, 255), value[:255]...)
		value = value[255:]
	}
	return append(append(m, kind, byte(len(value))), value...)
}

// items parses a pairing message. Fragments of an item are joined.
func items(b []byte) (map[byte][]byte, error) {
	list := map[byte][]byte{}
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, errors.New("a pairing message is cut off")
		}
		list[b[0]] = append(list[b[0]], b[2:2+int(b[1])]...)
		b = b[2+int(b[1]):]
	}
	return list, nil
}
