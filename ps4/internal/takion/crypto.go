package takion

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"math/big"
	"math/bits"
)

// HandshakeKeyLen is the length of the key in the launch specification.
const HandshakeKeyLen = 16

// A Handshake is one side of the key agreement: an ephemeral key of secp256k1,
// and the handshake key, which the client sends encrypted in BIG.
type Handshake struct {
	key     []byte
	private *big.Int
	public  []byte
}

// NewHandshake returns a Handshake with a new ephemeral key.
func NewHandshake(handshakeKey []byte) *Handshake { return newHandshake(handshakeKey, privateKey()) }

func newHandshake(handshakeKey []byte, private *big.Int) *Handshake {
	return &Handshake{key: handshakeKey, private: private, public: publicKey(private)}
}

// Public returns the public key, 65 bytes, and its signature.
func (h *Handshake) Public() (public, signature []byte) { return h.public, h.sign(h.public) }

func (h *Handshake) sign(public []byte) []byte {
	mac := hmac.New(sha256.New, h.key)
	mac.Write(public)
	return mac.Sum(nil)
}

// Keys checks the public key of the other side and returns the keys of both
// directions.
func (h *Handshake) Keys(public, signature []byte) (fromClient, fromConsole *Key, err error) {
	if !hmac.Equal(signature, h.sign(public)) {
		return nil, nil, protocolError("the signature of the public key is wrong")
	}
	secret, err := sharedSecret(h.private, public)
	if err != nil {
		return nil, nil, err
	}
	return newKey(h.key, secret, clientIndex), newKey(h.key, secret, consoleIndex), nil
}

// Indexes of the directions.
const (
	clientIndex  = 2
	consoleIndex = 3
)

// A Key seals and signs the packets of one direction.
type Key struct {
	block  cipher.Block
	iv     counter
	first  [16]byte // the GMAC key of window 0
	window uint64   // of gcm
	gcm    cipher.AEAD
}

// counter is a 128-bit number, little endian on the wire.
type counter struct{ low, high uint64 }

func (c counter) plus(n uint64) counter {
	low, carry := bits.Add64(c.low, n, 0)
	return counter{low, c.high + carry}
}

func (c counter) bytes() (b [16]byte) {
	binary.LittleEndian.PutUint64(b[:], c.low)
	binary.LittleEndian.PutUint64(b[8:], c.high)
	return b
}

func newKey(handshakeKey, secret []byte, index byte) *Key {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte{1, index, 0})
	mac.Write(handshakeKey)
	mac.Write([]byte{1, 0})
	h := mac.Sum(nil)
	k := &Key{
		block: newBlock(h[:16]),
		iv:    counter{binary.LittleEndian.Uint64(h[16:]), binary.LittleEndian.Uint64(h[24:])},
		first: fold(h),
	}
	k.gcm = newGMAC(k.first)
	return k
}

func newBlock(key []byte) cipher.Block {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	return block
}

func newGMAC(key [16]byte) cipher.AEAD {
	gcm, err := cipher.NewGCMWithNonceSize(newBlock(key[:]), aes.BlockSize)
	if err != nil {
		panic(err) // the size is allowed
	}
	return gcm
}

// fold returns the halves of the hash of data, XORed.
func fold(data []byte) (key [16]byte) {
	sum := sha256.Sum256(data)
	subtle.XORBytes(key[:], sum[:16], sum[16:])
	return key
}

// spent is the offset of a payload's key stream from the packet's position.
const spent = aes.BlockSize

// Advance returns the position after a packet with a payload of n bytes, so that
// no part of the key stream is used twice.
func Advance(position uint64, n int) uint64 {
	return position + spent + uint64((n+aes.BlockSize-1)/aes.BlockSize*aes.BlockSize) //nolint:gosec // a length
}

// Seal encrypts or decrypts the payload of a packet with a position, in place.
func (k *Key) Seal(payload []byte, position uint64) {
	position += spent
	block, skip := position/aes.BlockSize, int(position%aes.BlockSize)
	var stream [aes.BlockSize]byte
	for len(payload) > 0 {
		plain := k.iv.plus(block).bytes()
		k.block.Encrypt(stream[:], plain[:])
		n := subtle.XORBytes(payload, payload, stream[skip:])
		payload, skip = payload[n:], 0
		block++
	}
}

// gmacWindow is how many positions share a GMAC key, and gmacStep what the IV
// grows by from one to the next.
const (
	gmacWindow = 45000
	gmacStep   = 44910
	tagLen     = 4
)

// tag returns the GMAC of data.
func (k *Key) tag(data []byte, position uint64) uint32 {
	w := uint64(0)
	if position > 0 {
		w = (position - 1) / gmacWindow
	}
	if w != k.window {
		key := k.first
		if w > 0 {
			iv := k.iv.plus(w * gmacStep).bytes()
			key = fold(append(k.first[:], iv[:]...))
		}
		k.window, k.gcm = w, newGMAC(key)
	}
	nonce := k.iv.plus(position / aes.BlockSize).bytes()
	var sum [aes.BlockSize]byte
	return binary.BigEndian.Uint32(k.gcm.Seal(sum[:0], nonce[:], nil, data))
}

// signature says where the tag and the position of a type of packets are.
type signature struct {
	tag, position int
	bare          bool // the position is zero while the tag is computed
}

var signatures = map[PacketType]signature{
	TypeControl:         {5, 9, true},
	TypeFeedbackHistory: {8, 4, false},
	TypeFeedbackState:   {8, 4, false},
	TypeCongestion:      {7, 11, true},
}

// Sign sets the position and the tag of a packet.
func (k *Key) Sign(packet []byte, position uint64) {
	s := signatures[TypeOf(packet)]
	binary.BigEndian.PutUint32(packet[s.position:], uint32(position)) //nolint:gosec // the low word
	binary.BigEndian.PutUint32(packet[s.tag:], k.expected(packet, s, position))
}

// Verify reports whether the tag of a packet is right for its position, which it
// returns in full: the one closest to the highest that was verified before.
func (k *Key) Verify(packet []byte, highest uint64) (position uint64, valid bool) {
	if len(packet) == 0 {
		return 0, false
	}
	s, signed := signatures[TypeOf(packet)]
	if !signed || len(packet) < max(s.tag, s.position)+tagLen {
		return 0, false
	}
	position = extend(binary.BigEndian.Uint32(packet[s.position:]), highest)
	return position, binary.BigEndian.Uint32(packet[s.tag:]) == k.expected(packet, s, position)
}

// expected returns the tag that a packet should have.
func (k *Key) expected(packet []byte, s signature, position uint64) uint32 {
	data := bytes.Clone(packet)
	clear(data[s.tag : s.tag+tagLen])
	if s.bare {
		clear(data[s.position : s.position+4])
	}
	return k.tag(data, position)
}

// extend returns the number with this low word that is closest to near.
func extend(low uint32, near uint64) uint64 {
	distance := int64(int32(low - uint32(near))) //nolint:gosec // on purpose
	if distance < 0 && near < uint64(-distance) {
		return uint64(low)
	}
	return near + uint64(distance) //nolint:gosec // as above
}
