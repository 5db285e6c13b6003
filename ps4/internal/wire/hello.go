package wire

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // the protocol's OAEP hash, docs/protocol.md §4
	"fmt"
	"io"
)

// Lengths of the three packets in the clear (docs/protocol.md §4).
const (
	helloLen      = 28
	helloReplyLen = 36
	handshakeLen  = 280
	sealedLen     = 256 // RSA-2048 block
)

// ProtocolVersion is the version word of both hellos.
const ProtocolVersion = 0x00020000

// Sizes of the secrets of a connection.
const (
	KeySize = 16
	IVSize  = 16
)

// Hello opens a connection.
type Hello struct{ Version uint32 }

// Marshal implements Message.
func (h Hello) Marshal() []byte {
	b := newPacket(TypeHello, helloLen)
	putU32(b, 8, h.Version)
	return b
}

// UnmarshalHello reads a client's hello.
func UnmarshalHello(p Packet) (Hello, error) {
	if err := need(p, TypeHello, helloLen-headerLen); err != nil {
		return Hello{}, err
	}
	return Hello{Version: u32(p.Body, 0)}, nil
}

// HelloReply is the console's answer: a status, 0 when fine, and the IV from
// which both directions start.
type HelloReply struct {
	Version uint32
	Status  int32
	Option  uint32
	IV      [IVSize]byte
}

// Marshal implements Message.
func (h HelloReply) Marshal() []byte {
	b := newPacket(TypeHello, helloReplyLen)
	putU32(b, 8, h.Version)
	putU32(b, 12, uint32(h.Status)) //nolint:gosec // same bits
	putU32(b, 16, h.Option)
	copy(b[20:], h.IV[:])
	return b
}

// UnmarshalHelloReply reads the console's hello.
func UnmarshalHelloReply(p Packet) (HelloReply, error) {
	if err := need(p, TypeHello, helloReplyLen-headerLen); err != nil {
		return HelloReply{}, err
	}
	h := HelloReply{
		Version: u32(p.Body, 0),
		Status:  int32(u32(p.Body, 4)), //nolint:gosec // same bits
		Option:  u32(p.Body, 8),
	}
	copy(h.IV[:], p.Body[12:])
	return h, nil
}

// Handshake carries the AES key to the console, sealed with its RSA key.
type Handshake struct {
	Sealed [sealedLen]byte
	IV     [IVSize]byte // echo of HelloReply.IV
}

// SealKey makes the handshake for an AES key: RSA-OAEP with SHA-1, MGF1-SHA-1
// and no label. The public key must be of 2048 bits.
func SealKey(pub *rsa.PublicKey, key [KeySize]byte, iv [IVSize]byte) (Handshake, error) {
	if pub.Size() != sealedLen {
		return Handshake{}, fmt.Errorf("wire: the console's public key has %d bits instead of %d", pub.Size()*8, sealedLen*8)
	}
	sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, pub, key[:], nil)
	if err != nil {
		return Handshake{}, fmt.Errorf("wire: sealing the session key: %w", err)
	}
	h := Handshake{IV: iv}
	copy(h.Sealed[:], sealed)
	return h, nil
}

// Open returns the AES key, as the console does.
func (h Handshake) Open(priv *rsa.PrivateKey) ([KeySize]byte, error) {
	var key [KeySize]byte
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, priv, h.Sealed[:], nil)
	if err != nil || len(plain) != KeySize {
		return key, fmt.Errorf("%w: handshake does not open", ErrProtocol)
	}
	copy(key[:], plain)
	return key, nil
}

// Marshal implements Message.
func (h Handshake) Marshal() []byte {
	b := newPacket(TypeHandshake, handshakeLen)
	copy(b[8:], h.Sealed[:])
	copy(b[8+sealedLen:], h.IV[:])
	return b
}

// UnmarshalHandshake reads a client's handshake.
func UnmarshalHandshake(p Packet) (Handshake, error) {
	if err := need(p, TypeHandshake, handshakeLen-headerLen); err != nil {
		return Handshake{}, err
	}
	var h Handshake
	copy(h.Sealed[:], p.Body)
	copy(h.IV[:], p.Body[sealedLen:])
	return h, nil
}

// ReadClear reads one packet that is not encrypted. io.EOF means that the peer
// closed between packets.
func ReadClear(r io.Reader) (Packet, error) {
	var head [headerLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Packet{}, err //nolint:wrapcheck // io.EOF is the contract
	}
	length, err := checkLength(u32(head[:], 0))
	if err != nil {
		return Packet{}, err
	}
	body := make([]byte, length-headerLen)
	if _, err := io.ReadFull(r, body); err != nil {
		return Packet{}, fmt.Errorf("wire: packet cut off: %w", noEOF(err))
	}
	return Packet{Type: Type(u32(head[:], 4)), Body: body}, nil
}

func checkLength(length uint32) (int, error) {
	if length < MinLength || length > MaxLength {
		return 0, fmt.Errorf("%w: length %d", ErrProtocol, length)
	}
	return int(length), nil
}

// noEOF turns the EOF inside a packet into the error that it is.
func noEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // io.ReadFull returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}
