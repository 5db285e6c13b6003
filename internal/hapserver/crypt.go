package hapserver

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// deriveKey is HKDF-SHA-512, as HAP derives each of its 32-byte keys.
func deriveKey(secret []byte, salt, info string) ([]byte, error) {
	return hkdf.Key(sha512.New, secret, []byte(salt), info, chacha20poly1305.KeySize)
}

// namedNonce is the nonce of a pairing message, such as "PS-Msg05": 4 zero bytes and its 8 letters.
func namedNonce(name string) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSize)
	copy(nonce[4:], name)
	return nonce
}

// countedNonce is the nonce of a frame: 4 zero bytes and its number.
func countedNonce(n uint64) []byte {
	return binary.LittleEndian.AppendUint64(make([]byte, 4, chacha20poly1305.NonceSize), n)
}

// sealMessage encrypts a pairing message.
func sealMessage(key []byte, name string, plain []byte) ([]byte, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, namedNonce(name), plain, nil), nil
}

// openMessage decrypts a pairing message and reads its items.
func openMessage(key []byte, name string, sealed []byte) (tlv, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, namedNonce(name), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return parseTLV(plain)
}

// sessionCiphers are the two directions of a verified connection.
type sessionCiphers struct{ fromController, toController cipher.AEAD }

// newSessionCiphers derives them from the secret of pair-verify. The names of the keys are the controller's view.
func newSessionCiphers(shared []byte) (*sessionCiphers, error) {
	write, err := sessionCipher(shared, "Control-Write-Encryption-Key")
	if err != nil {
		return nil, err
	}
	read, err := sessionCipher(shared, "Control-Read-Encryption-Key")
	if err != nil {
		return nil, err
	}
	return &sessionCiphers{fromController: write, toController: read}, nil
}

func sessionCipher(shared []byte, info string) (cipher.AEAD, error) {
	key, err := deriveKey(shared, "Control-Salt", info)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.New(key)
}
