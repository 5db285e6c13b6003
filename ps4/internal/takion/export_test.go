package takion

import (
	"encoding/binary"
	"math/big"
)

// HandshakeWith returns a handshake with a given private key.
func HandshakeWith(key, private []byte) *Handshake {
	return newHandshake(key, new(big.Int).SetBytes(private))
}

// Shared returns the shared secret.
func (h *Handshake) Shared(public []byte) ([]byte, error) { return sharedSecret(h.private, public) }

// NewKey returns the key of a direction.
func NewKey(handshakeKey, secret []byte, index byte) *Key { return newKey(handshakeKey, secret, index) }

// Plus returns an IV plus n.
func Plus(iv [16]byte, n uint64) [16]byte {
	return counter{binary.LittleEndian.Uint64(iv[:]), binary.LittleEndian.Uint64(iv[8:])}.plus(n).bytes()
}

// Parts returns the IV and the first GMAC key.
func (k *Key) Parts() (iv, gmac [16]byte) { return k.iv.bytes(), k.first }

// Tag returns the GMAC of data.
func (k *Key) Tag(data []byte, position uint64) []byte {
	return binary.BigEndian.AppendUint32(nil, k.tag(data, position))
}

// Extend returns the number with this low word that is closest to near.
func Extend(low uint32, near uint64) uint64 { return extend(low, near) }

// JSON returns the launch specification in the clear.
func (s LaunchSpec) JSON() []byte { return s.json() }

// Held returns how much of an incomplete message is kept.
func (i *Inbox) Held() int { return len(i.message) }
