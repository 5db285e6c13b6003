package accessory

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

var errOrder = errors.New("not a display order")

// encodeOrder writes identifiers as the value of DisplayOrder (docs/homekit.md §3):
//
//	01 04 <uint32 little endian>   an entry
//	00 00                          between two entries
func encodeOrder(ids []uint32) string {
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, 0, 0)
		}
		b = binary.LittleEndian.AppendUint32(append(b, 1, 4), id)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// decodeOrder reads at most limit identifiers; a separator at the end is taken as well.
func decodeOrder(value string, limit int) ([]uint32, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || len(b) > 8*limit {
		return nil, errOrder
	}
	var ids []uint32
	for len(b) > 0 {
		if len(b) < 6 || b[0] != 1 || b[1] != 4 {
			return nil, errOrder
		}
		ids = append(ids, binary.LittleEndian.Uint32(b[2:6]))
		if b = b[6:]; len(b) == 0 {
			break
		}
		if !bytes.HasPrefix(b, []byte{0, 0}) {
			return nil, errOrder
		}
		b = b[2:]
	}
	return ids, nil
}
