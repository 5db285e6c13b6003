// Package hapclient is a HomeKit controller, the iPhone's side of docs/homekit.md §6,
// for programs that put a server to the test or measure it: ps4kit's or another one. It
// takes no answer that the specification does not allow, and shares no code with ps4kit.
package hapclient

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// Controller is an identity that pairs with accessories. It is safe for concurrent use.
type Controller struct {
	ID  string
	key ed25519.PrivateKey
}

// Accessory is what a controller stores of an accessory after pairing.
type Accessory struct {
	ID  string
	Key ed25519.PublicKey
}

// PairError is the error item of a pairing answer.
type PairError byte

func (e PairError) Error() string { return fmt.Sprintf("pairing error %d", byte(e)) }

// New makes a controller with a new key.
func New(id string) *Controller {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return &Controller{ID: id, key: key}
}

// Pair pairs with the accessory of a connection, which stays in the clear. It fails
// with a PairError when the accessory refuses.
func (c *Controller) Pair(conn *Conn, code string) (Accessory, error) {
	m2, err := conn.exchange("/pair-setup", 1, message(nil).with(itemMethod, 0))
	if err != nil {
		return Accessory{}, fmt.Errorf("M1: %w", err)
	}
	p, err := prove(code, m2[itemSalt], m2[itemPublicKey])
	if err != nil {
		return Accessory{}, fmt.Errorf("M2: %w", err)
	}
	m4, err := conn.exchange("/pair-setup", 3, message(nil).with(itemPublicKey, p.public...).with(itemProof, p.m1...))
	if err != nil {
		return Accessory{}, fmt.Errorf("M3: %w", err)
	}
	if !p.accepts(m4[itemProof]) {
		return Accessory{}, errors.New("the accessory does not know the setup code")
	}
	m6, err := conn.exchange("/pair-setup", 5, c.m5(p.key))
	if err != nil {
		return Accessory{}, fmt.Errorf("M5: %w", err)
	}
	theirs, err := open(derive(p.key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info"), "PS-Msg06", m6[itemSealed])
	if err != nil {
		return Accessory{}, err
	}
	id, key := theirs[itemIdentifier], ed25519.PublicKey(theirs[itemPublicKey])
	x := derive(p.key, "Pair-Setup-Accessory-Sign-Salt", "Pair-Setup-Accessory-Sign-Info")
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, slices.Concat(x, id, key), theirs[itemSignature]) {
		return Accessory{}, errors.New("the accessory does not prove its identity")
	}
	return Accessory{ID: string(id), Key: key}, nil
}

// m5 is the last message of pair-setup.
func (c *Controller) m5(key []byte) message {
	x := derive(key, "Pair-Setup-Controller-Sign-Salt", "Pair-Setup-Controller-Sign-Info")
	public := c.public()
	own := message(nil).with(itemIdentifier, []byte(c.ID)...).with(itemPublicKey, public...).
		with(itemSignature, ed25519.Sign(c.key, slices.Concat(x, []byte(c.ID), public))...)
	sealed := seal(derive(key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info"), "PS-Msg05", own)
	return message(nil).with(itemSealed, sealed...)
}

// Verify proves both identities to each other, and encrypts the connection from
// then on.
func (c *Controller) Verify(conn *Conn, a Accessory) error {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("pair-verify: %w", err)
	}
	ours := private.PublicKey().Bytes()
	m2, err := conn.exchange("/pair-verify", 1, message(nil).with(itemPublicKey, ours...))
	if err != nil {
		return fmt.Errorf("pair-verify M1: %w", err)
	}
	theirs := m2[itemPublicKey]
	remote, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return fmt.Errorf("pair-verify M2: %w", err)
	}
	shared, err := private.ECDH(remote)
	if err != nil {
		return fmt.Errorf("pair-verify M2: %w", err)
	}
	key := derive(shared, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info")
	who, err := open(key, "PV-Msg02", m2[itemSealed])
	if err != nil {
		return err
	}
	id := who[itemIdentifier]
	if string(id) != a.ID || !ed25519.Verify(a.Key, slices.Concat(theirs, id, ours), who[itemSignature]) {
		return errors.New("pair-verify: this is another accessory")
	}
	own := message(nil).with(itemIdentifier, []byte(c.ID)...).
		with(itemSignature, ed25519.Sign(c.key, slices.Concat(ours, []byte(c.ID), theirs))...)
	m3 := message(nil).with(itemSealed, seal(key, "PV-Msg03", own)...)
	if _, err := conn.exchange("/pair-verify", 3, m3); err != nil {
		return fmt.Errorf("pair-verify M3: %w", err)
	}
	conn.secure(shared)
	return nil
}

// Add lets an admin's connection pair another controller.
func (c *Controller) Add(conn *Conn, other *Controller) error {
	_, err := conn.exchange("/pairings", 1, message(nil).with(itemMethod, 3).
		with(itemIdentifier, []byte(other.ID)...).with(itemPublicKey, other.public()...).with(itemPermissions, 0))
	return err
}

// Remove lets an admin's connection unpair another controller.
func (c *Controller) Remove(conn *Conn, id string) error {
	_, err := conn.exchange("/pairings", 1, message(nil).with(itemMethod, 4).with(itemIdentifier, []byte(id)...))
	return err
}

func (c *Controller) public() ed25519.PublicKey { return ed25519.PublicKey(c.key[ed25519.SeedSize:]) }

// exchange sends a pairing message with a state, and returns the answer, which
// must have the next state.
func (c *Conn) exchange(path string, state byte, m message) (map[byte][]byte, error) {
	a, err := c.do(http.MethodPost, path, "application/pairing+tlv8", m.with(itemState, state))
	if err != nil {
		return nil, err
	}
	in, err := items(a.Body)
	switch {
	case err != nil:
		return nil, err
	case len(in[itemError]) > 0:
		return nil, PairError(in[itemError][0])
	case a.Status != http.StatusOK:
		return nil, fmt.Errorf("status %d", a.Status)
	case !bytes.Equal(in[itemState], []byte{state + 1}):
		return nil, fmt.Errorf("the answer has state %d instead of %d", in[itemState], state+1)
	}
	return in, nil
}

func derive(secret []byte, salt, info string) []byte {
	key, err := hkdf.Key(sha512.New, secret, []byte(salt), info, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // HKDF gives up to 255 times 64 bytes
	}
	return key
}

func aead(key []byte) cipher.AEAD {
	a, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err) // derive gives keys of the right length
	}
	return a
}

func seal(key []byte, nonce string, plain []byte) []byte {
	return aead(key).Seal(nil, append(make([]byte, 4), nonce...), plain, nil)
}

func open(key []byte, nonce string, sealed []byte) (map[byte][]byte, error) {
	plain, err := aead(key).Open(nil, append(make([]byte, 4), nonce...), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("a pairing message is not authentic: %w", err)
	}
	return items(plain)
}
