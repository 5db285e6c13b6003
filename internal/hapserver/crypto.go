package hapserver

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// deriveKey returns a key of HAP, by HKDF-SHA-512.
func deriveKey(secret []byte, salt, info string) []byte {
	key, err := hkdf.Key(sha512.New, secret, []byte(salt), info, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // the key is too long
	}
	return key
}

func newAEAD(key []byte) cipher.AEAD {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err) // the key is not 32 bytes
	}
	return aead
}

// namedNonce returns the nonce of a pairing message such as "PS-Msg05".
func namedNonce(name string) []byte { return append(make([]byte, 4), name...) }

// countedNonce returns the nonce of the n-th frame.
func countedNonce(n uint64) []byte {
	return binary.LittleEndian.AppendUint64(make([]byte, 4, chacha20poly1305.NonceSize), n)
}

// sealMessage encrypts a pairing message.
func sealMessage(key []byte, name string, t tlv) []byte {
	return newAEAD(key).Seal(nil, namedNonce(name), t.encode(), nil)
}

// openMessage decrypts a pairing message.
func openMessage(key []byte, name string, sealed []byte) (tlv, error) {
	plain, err := newAEAD(key).Open(nil, namedNonce(name), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parseTLV(plain)
}

// Bytes of a frame, see the package comment.
const (
	frameHeader = 2
	frameMax    = 1024
	frameTag    = 16
)

var errFrame = errors.New("malformed or forged frame")

// frameReader decrypts a stream of frames. It returns errFrame for a frame that
// is too long or not authentic, io.EOF at the end of a frame, and
// io.ErrUnexpectedEOF in it.
type frameReader struct {
	r     io.Reader
	aead  cipher.AEAD
	count uint64
	buf   [frameMax + frameTag]byte
	rest  []byte // decrypted, not yet read
}

func (f *frameReader) Read(p []byte) (int, error) {
	for len(f.rest) == 0 { // skip empty frames
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *frameReader) next() error {
	var header [frameHeader]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		return err
	}
	n := int(binary.LittleEndian.Uint16(header[:]))
	if n > frameMax {
		return errFrame
	}
	sealed := f.buf[:n+frameTag]
	if _, err := io.ReadFull(f.r, sealed); errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	plain, err := f.aead.Open(sealed[:0], countedNonce(f.count), sealed, header[:])
	if err != nil {
		return errFrame
	}
	f.count++
	f.rest = plain
	return nil
}

// frameSealer encrypts messages into frames.
type frameSealer struct {
	aead  cipher.AEAD
	count uint64
}

func (f *frameSealer) seal(message []byte) []byte {
	frames := (len(message) + frameMax - 1) / frameMax
	out := make([]byte, 0, len(message)+frames*(frameHeader+frameTag))
	for len(message) > 0 {
		n := min(len(message), frameMax)
		header := len(out)
		out = binary.LittleEndian.AppendUint16(out, uint16(n))
		out = f.aead.Seal(out, countedNonce(f.count), message[:n], out[header:header+frameHeader])
		f.count++
		message = message[n:]
	}
	return out
}
