package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ReadClear reads an unencrypted packet. It returns io.EOF if the peer closed
// the connection before the packet.
func ReadClear(r io.Reader) (Packet, error) {
	var header [headerLen]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return Packet{}, err
	}
	length, t, err := parseHeader(header[:])
	if err != nil {
		return Packet{}, err
	}
	body := make([]byte, length-headerLen)
	return Packet{Type: t, Body: body}, readRest(r, body)
}

// Conn reads and writes encrypted packets. One goroutine may read while another
// writes.
type Conn struct {
	rw  io.ReadWriter
	enc cipher.BlockMode
	dec cipher.BlockMode
	buf [MaxLength]byte // the packet that was read last
}

// NewConn returns a connection that encrypts with key, starting from iv in both
// directions.
func NewConn(rw io.ReadWriter, key [KeySize]byte, iv [IVSize]byte) *Conn {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // impossible with a key of KeySize
	}
	return &Conn{rw: rw, enc: cipher.NewCBCEncrypter(block, iv[:]), dec: cipher.NewCBCDecrypter(block, iv[:])}
}

// Write sends a message, padded with zeros, in a single write.
func (c *Conn) Write(m Message) error {
	b := m.Marshal()
	b = append(b, make([]byte, paddedLen(len(b))-len(b))...)
	c.enc.CryptBlocks(b, b)
	if _, err := c.rw.Write(b); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// Read returns the next packet. Its errors are io.EOF if the peer closed the
// connection between packets, ErrProtocol, or those of the connection.
func (c *Conn) Read() (Packet, error) {
	first := c.buf[:aes.BlockSize]
	if _, err := io.ReadFull(c.rw, first); err != nil {
		return Packet{}, err
	}
	c.dec.CryptBlocks(first, first)
	length, t, err := parseHeader(first)
	if err != nil {
		return Packet{}, err
	}
	rest := c.buf[len(first):paddedLen(length)]
	if err := readRest(c.rw, rest); err != nil {
		return Packet{}, err
	}
	c.dec.CryptBlocks(rest, rest)
	return Packet{Type: t, Body: c.buf[headerLen:length]}, nil
}

// parseHeader checks the length of a packet before anything is allocated.
func parseHeader(b []byte) (length int, t Type, err error) {
	n := binary.LittleEndian.Uint32(b)
	if n < headerLen || n > MaxLength {
		return 0, 0, fmt.Errorf("%w: length %d", ErrProtocol, n)
	}
	return int(n), Type(binary.LittleEndian.Uint32(b[4:])), nil
}

// readRest reads the part of a packet after its header.
func readRest(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("packet cut off: %w", err)
	}
	return nil
}

func paddedLen(n int) int { return (n + aes.BlockSize - 1) / aes.BlockSize * aes.BlockSize }
