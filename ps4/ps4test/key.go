package ps4test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"
)

// processKey makes the key pair that consoles without one of their own share:
// making one takes too long to do it for each of many consoles.
var processKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("ps4test: making a key: %v", err)) // only when the system has no randomness
	}
	return key
})

// PublicKey returns the key that clients must seal their session keys with, for
// ps4.Options.ServerKey.
func (c *Console) PublicKey() *rsa.PublicKey { return &c.key().PublicKey }

// PublicKeyPEM returns PublicKey as PEM in PKIX form, as peers and the option
// --console-key read it.
func (c *Console) PublicKeyPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(c.PublicKey())
	if err != nil {
		panic(fmt.Sprintf("ps4test: %v", err)) // impossible: an RSA key
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
