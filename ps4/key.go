package ps4

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// consoleKey is the public key of every PS4 (docs/protocol.md §4).
const consoleKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxfAO/MDk5ovZpp7xlG9J
JKc4Sg4ztAz+BbOt6Gbhub02tF9bryklpTIyzM0v817pwQ3TCoigpxEcWdTykhDL
cGhAbcp6E7Xh8aHEsqgtQ/c+wY1zIl3fU//uddlB1XuipXthDv6emXsyyU/tJWqc
zy9HCJncLJeYo7MJvf2TE9nnlVm1x4flmD0k1zrvb3MONqoZbKb/TQVuVhBv7SM+
U5PSi3diXIx1Nnj4vQ8clRNUJ5X1tT9XfVmKQS1J513XNZ0uYHYRDzQYujpLWucu
ob7v50wCpUm3iKP1fYCixMP6xFm0jPYz1YQaMV35VkYwc40qgk3av0PDS+1G0dCm
swIDAQAB
-----END PUBLIC KEY-----`

// ConsoleKey returns the RSA public key of real consoles, which has 2048 bits
// (docs/protocol.md §4). It is the default of Options.ServerKey.
func ConsoleKey() *rsa.PublicKey {
	key, err := ParseServerKey([]byte(consoleKey))
	if err != nil {
		panic("ps4: the console key is damaged: " + err.Error())
	}
	return key
}

// ParseServerKey parses the public key of a simulated console, for
// Options.ServerKey. It accepts PEM with a PKIX "PUBLIC KEY" or a PKCS #1 "RSA
// PUBLIC KEY" of 2048 bits. Its errors have no sentinel.
func ParseServerKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	var key any
	var err error
	if block.Type == "RSA PUBLIC KEY" {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	} else {
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, err
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok || k.N.BitLen() != 2048 { // its ciphertext fills a field of the handshake
		return nil, errors.New("a console key is an RSA public key of 2048 bits")
	}
	return k, nil
}
