package controller

import (
	"context"
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

// exchange sends a message and checks that the answer is the next one.
func (c *Conn) exchange(path string, out tlv, wanted byte) (tlv, error) {
	status, answer, err := c.do(http.MethodPost, path, "application/pairing+tlv8", out.encode())
	if err != nil {
		return nil, fmt.Errorf("controller: %s: %w", path, err)
	}
	in, err := parseTLV(answer)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK || !slices.Equal(in[tlvState], []byte{wanted}) || in[tlvError] != nil {
		return nil, fmt.Errorf("controller: %s: status %d, state %d instead of %d, error %d", path, status, in[tlvState], wanted, in[tlvError])
	}
	return in, nil
}

func aead(secret []byte, salt, info string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha512.New, secret, []byte(salt), info, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.New(key)
}

// named is the nonce of a pairing message.
func named(name string) []byte { return append(make([]byte, 4, chacha20poly1305.NonceSize), name...) }

// Pair runs pair-setup on a connection of its own.
func (i *Identity) Pair(ctx context.Context, addr, code string) (Server, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return Server{}, err
	}
	defer func() { _ = c.Close() }()
	key, err := c.proveCode(code)
	if err != nil {
		return Server{}, err
	}
	return i.exchangeKeys(c, key)
}

// proveCode is M1 to M4.
func (c *Conn) proveCode(code string) (key []byte, err error) {
	m2, err := c.exchange("/pair-setup", tlv{tlvMethod: []byte{0}, tlvState: []byte{1}}, 2)
	if err != nil {
		return nil, err
	}
	s, err := newSRP(code, m2[tlvSalt], m2[tlvPublicKey])
	if err != nil {
		return nil, err
	}
	m4, err := c.exchange("/pair-setup", tlv{tlvState: []byte{3}, tlvPublicKey: s.public, tlvProof: s.proof}, 4)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(m4[tlvProof], s.answer) {
		return nil, errors.New("controller: the server does not know the code")
	}
	return s.key, nil
}

// exchangeKeys is M5 and M6.
func (i *Identity) exchangeKeys(c *Conn, key []byte) (Server, error) {
	sealer, err := aead(key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
	if err != nil {
		return Server{}, err
	}
	ours, err := i.introduction(key)
	if err != nil {
		return Server{}, err
	}
	m6, err := c.exchange("/pair-setup", tlv{tlvState: []byte{5}, tlvEncrypted: sealer.Seal(nil, named("PS-Msg05"), ours, nil)}, 6)
	if err != nil {
		return Server{}, err
	}
	theirs, err := open(sealer, "PS-Msg06", m6[tlvEncrypted])
	if err != nil {
		return Server{}, err
	}
	x, err := hkdf.Key(sha512.New, key, []byte("Pair-Setup-Accessory-Sign-Salt"), "Pair-Setup-Accessory-Sign-Info", 32)
	if err != nil {
		return Server{}, err
	}
	if len(theirs[tlvPublicKey]) != ed25519.PublicKeySize || !ed25519.Verify(theirs[tlvPublicKey], slices.Concat(x, theirs[tlvID], theirs[tlvPublicKey]), theirs[tlvSignature]) {
		return Server{}, fmt.Errorf("controller: the identity of %q is not proved", theirs[tlvID])
	}
	return Server{string(theirs[tlvID]), theirs[tlvPublicKey]}, nil
}

func (i *Identity) introduction(key []byte) ([]byte, error) {
	x, err := hkdf.Key(sha512.New, key, []byte("Pair-Setup-Controller-Sign-Salt"), "Pair-Setup-Controller-Sign-Info", 32)
	if err != nil {
		return nil, err
	}
	public := i.key.Public().(ed25519.PublicKey)
	us := tlv{tlvID: []byte(i.id), tlvPublicKey: public, tlvSignature: ed25519.Sign(i.key, slices.Concat(x, []byte(i.id), public))}
	return us.encode(), nil
}

func open(sealer cipher.AEAD, name string, sealed []byte) (tlv, error) {
	plain, err := sealer.Open(nil, named(name), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("controller: %s: %w", name, err)
	}
	return parseTLV(plain)
}

// Connect opens a verified connection with a server that the identity is paired with.
func (i *Identity) Connect(ctx context.Context, addr string, s Server) (*Conn, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	if err := i.verify(c, s); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (i *Identity) verify(c *Conn, s Server) error {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	ours := private.PublicKey().Bytes()
	m2, err := c.exchange("/pair-verify", tlv{tlvState: []byte{1}, tlvPublicKey: ours}, 2)
	if err != nil {
		return err
	}
	remote, err := ecdh.X25519().NewPublicKey(m2[tlvPublicKey])
	if err != nil {
		return err
	}
	shared, err := private.ECDH(remote)
	if err != nil {
		return err
	}
	m3, err := i.answer(s, shared, ours, m2)
	if err != nil {
		return err
	}
	if _, err := c.exchange("/pair-verify", m3, 4); err != nil {
		return err
	}
	return c.secure(shared)
}

// answer checks M2 and makes M3.
func (i *Identity) answer(s Server, shared, ours []byte, m2 tlv) (tlv, error) {
	sealer, err := aead(shared, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info")
	if err != nil {
		return nil, err
	}
	theirs, err := open(sealer, "PV-Msg02", m2[tlvEncrypted])
	if err != nil {
		return nil, err
	}
	if string(theirs[tlvID]) != s.DeviceID || !ed25519.Verify(s.key, slices.Concat(m2[tlvPublicKey], theirs[tlvID], ours), theirs[tlvSignature]) {
		return nil, errors.New("controller: this is not the server that was paired")
	}
	us := tlv{tlvID: []byte(i.id), tlvSignature: ed25519.Sign(i.key, slices.Concat(ours, []byte(i.id), m2[tlvPublicKey]))}
	return tlv{tlvState: []byte{3}, tlvEncrypted: sealer.Seal(nil, named("PV-Msg03"), us.encode(), nil)}, nil
}
