package hapserver

import (
	"bufio"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

func hkdfKey(secret []byte, salt, info string) []byte {
	key, err := hkdf.Key(sha512.New, secret, []byte(salt), info, 32)
	if err != nil {
		panic(err)
	}
	return key
}

func sealFor(key []byte, name string, plain []byte) []byte {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err)
	}
	return aead.Seal(nil, append(make([]byte, 4), name...), plain, nil)
}

func openFrom(key []byte, name string, sealed []byte) (tlv, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, append(make([]byte, 4), name...), sealed, nil)
	if err != nil {
		return nil, err
	}
	return parseTLV(plain)
}

// exchange sends a pairing message and checks the state of the answer; an error
// item becomes a pairError.
func (c *controller) exchange(path string, out tlv, wantState byte) (tlv, error) {
	a, err := c.do("POST", path, out)
	if err != nil {
		return nil, err
	}
	in, err := parseTLV(a.body)
	if err != nil {
		return nil, err
	}
	if e, ok := in.byteAt(tlvError); ok {
		if a.status != 200 {
			return in, fmt.Errorf("status %d: %w", a.status, pairError(e))
		}
		return in, pairError(e)
	}
	state, _ := in.byteAt(tlvState)
	if state != wantState || a.status != 200 || a.header.Get("Content-Type") != "application/pairing+tlv8" {
		return nil, fmt.Errorf("state %d, status %d, %v", state, a.status, a.header)
	}
	return in, nil
}

func (t *tlv) add(typ byte, v []byte) { *t = append(*t, tlvItem{typ, v}) }

func (t *tlv) addByte(typ, v byte) { t.add(typ, []byte{v}) }

func message(state byte) tlv {
	var t tlv
	t.addByte(tlvState, state)
	return t
}

func setupStart() tlv {
	t := message(1)
	t.addByte(tlvMethod, 0)
	return t
}

// proof sends M1 and M3 and returns the session key.
func (c *controller) proof(code string) (key []byte, err error) {
	m2, err := c.exchange("/pair-setup", setupStart(), 2)
	if err != nil {
		return nil, fmt.Errorf("M1: %w", err)
	}
	salt := m2.get(tlvSalt)
	b := m2.get(tlvPublicKey)
	if len(salt) != 16 || len(b) != 384 {
		return nil, fmt.Errorf("salt of %d, key of %d bytes", len(salt), len(b))
	}
	srp := newSRPClient(code, salt, b)
	m3 := message(3)
	m3.add(tlvPublicKey, srp.A)
	m3.add(tlvProof, srp.M1)
	m4, err := c.exchange("/pair-setup", m3, 4)
	if err != nil {
		return nil, fmt.Errorf("M3: %w", err)
	}
	if m2 := m4.get(tlvProof); !srp.check(m2) {
		return nil, errors.New("the accessory does not know the code")
	}
	return srp.K, nil
}

// m5 is the last message of pair-setup.
func (c *controller) m5(key []byte) tlv {
	x := hkdfKey(key, "Pair-Setup-Controller-Sign-Salt", "Pair-Setup-Controller-Sign-Info")
	public := c.key.Public().(ed25519.PublicKey)
	var sub tlv
	sub.add(tlvIdentifier, []byte(c.id))
	sub.add(tlvPublicKey, public)
	sub.add(tlvSignature, ed25519.Sign(c.key, slices.Concat(x, []byte(c.id), public)))
	out := message(5)
	out.add(tlvEncryptedData, sealFor(hkdfKey(key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info"), "PS-Msg05", sub.encode()))
	return out
}

// pair runs pair-setup and checks what the accessory says about itself.
func (c *controller) pair(code, deviceID string) error {
	key, err := c.proof(code)
	if err != nil {
		return err
	}
	m6, err := c.exchange("/pair-setup", c.m5(key), 6)
	if err != nil {
		return fmt.Errorf("M5: %w", err)
	}
	sealed := m6.get(tlvEncryptedData)
	sub, err := openFrom(hkdfKey(key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info"), "PS-Msg06", sealed)
	if err != nil {
		return err
	}
	id := sub.get(tlvIdentifier)
	public := sub.get(tlvPublicKey)
	signature := sub.get(tlvSignature)
	x := hkdfKey(key, "Pair-Setup-Accessory-Sign-Salt", "Pair-Setup-Accessory-Sign-Info")
	if len(public) != 32 || !ed25519.Verify(public, slices.Concat(x, id, public), signature) || string(id) != deviceID {
		return fmt.Errorf("the identity of %q is not proved", id)
	}
	return nil
}

// verifyStart sends M1 and returns M3 and the secret.
func (c *controller) verifyStart(r *Record) (m3 tlv, shared []byte, err error) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	ours := private.PublicKey().Bytes()
	m1 := message(1)
	m1.add(tlvPublicKey, ours)
	m2, err := c.exchange("/pair-verify", m1, 2)
	if err != nil {
		return nil, nil, err
	}
	theirs := m2.get(tlvPublicKey)
	remote, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return nil, nil, err
	}
	if shared, err = private.ECDH(remote); err != nil {
		return nil, nil, err
	}
	key := hkdfKey(shared, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info")
	sealed := m2.get(tlvEncryptedData)
	sub, err := openFrom(key, "PV-Msg02", sealed)
	if err != nil {
		return nil, nil, err
	}
	id := sub.get(tlvIdentifier)
	signature := sub.get(tlvSignature)
	if string(id) != r.DeviceID || !ed25519.Verify(r.key().Public().(ed25519.PublicKey), slices.Concat(theirs, id, ours), signature) {
		return nil, nil, errors.New("the accessory's signature is wrong")
	}
	var answer tlv
	answer.add(tlvIdentifier, []byte(c.id))
	answer.add(tlvSignature, ed25519.Sign(c.key, slices.Concat(ours, []byte(c.id), theirs)))
	m3 = message(3)
	m3.add(tlvEncryptedData, sealFor(key, "PV-Msg03", answer.encode()))
	return m3, shared, nil
}

// secure switches to frames.
func (c *controller) secure(shared []byte) {
	c.sealed = &controllerFrames{
		raw:     c.in,
		fromKey: hkdfKey(shared, "Control-Salt", "Control-Read-Encryption-Key"),
		toKey:   hkdfKey(shared, "Control-Salt", "Control-Write-Encryption-Key"),
	}
	c.in = bufio.NewReader(c.sealed)
}

// verify runs pair-verify.
func (c *controller) verify(r *Record) error {
	m3, shared, err := c.verifyStart(r)
	if err != nil {
		return fmt.Errorf("M1: %w", err)
	}
	if _, err := c.exchange("/pair-verify", m3, 4); err != nil {
		return fmt.Errorf("M3: %w", err)
	}
	c.secure(shared)
	return nil
}
