package state

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// simulatorKeyBits is the size of a console's key: the handshake has room for no other (docs/protocol.md §4).
const simulatorKeyBits = 2048

// SimulatorKey returns the private key of this installation's simulated consoles (simulator.pem, PKCS #8, 0600). It is made
// when it is first asked for, which takes a small computer a second or more.
func (s *Store) SimulatorKey() (*rsa.PrivateKey, error) {
	file := &File[*rsa.PrivateKey]{
		store: s, name: "simulator.pem", secret: true,
		codec: codec[*rsa.PrivateKey]{encode: encodeKey, decode: decodeKey},
	}
	return file.LoadOr(func() (*rsa.PrivateKey, error) {
		return rsa.GenerateKey(rand.Reader, simulatorKeyBits)
	})
}

func encodeKey(key *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func decodeKey(data []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() != simulatorKeyBits {
		return nil, errors.New("it is not an RSA key of 2048 bits")
	}
	return key, nil
}
