package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
)

const blockSize = aes.BlockSize

// Conn reads and writes encrypted packets. One goroutine may read while another
// writes; neither side is safe for two.
type Conn struct {
	rw  io.ReadWriter
	enc cipher.BlockMode
	dec cipher.BlockMode
	buf []byte // the packet that was read last
}

// NewConn starts the cipher of a connection at its IV.
func NewConn(rw io.ReadWriter, key [KeySize]byte, iv [IVSize]byte) *Conn {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // impossible: the key has its size by type
	}
	return &Conn{
		rw:  rw,
		enc: cipher.NewCBCEncrypter(block, iv[:]),
		dec: cipher.NewCBCDecrypter(block, iv[:]),
		buf: make([]byte, MaxLength),
	}
}

// Write sends one message, padded with zeros, in a single write.
func (c *Conn) Write(m Message) error {
	b := pad(m.Marshal())
	c.enc.CryptBlocks(b, b)
	if _, err := c.rw.Write(b); err != nil {
		return fmt.Errorf("wire: writing: %w", err)
	}
	return nil
}

// Read returns the next packet, whatever its type. io.EOF means that the peer
// closed between packets; ErrProtocol that its bytes make no sense.
func (c *Conn) Read() (Packet, error) {
	first := c.buf[:blockSize]
	if _, err := io.ReadFull(c.rw, first); err != nil {
		return Packet{}, err //nolint:wrapcheck // io.EOF is the contract
	}
	c.dec.CryptBlocks(first, first)
	length, err := checkLength(u32(first, 0))
	if err != nil {
		return Packet{}, err
	}
	rest := c.buf[blockSize:paddedLen(length)]
	if _, err := io.ReadFull(c.rw, rest); err != nil {
		return Packet{}, fmt.Errorf("wire: packet cut off: %w", noEOF(err))
	}
	c.dec.CryptBlocks(rest, rest)
	return Packet{Type: Type(u32(first, 4)), Body: c.buf[headerLen:length]}, nil
}

func paddedLen(n int) int { return (n + blockSize - 1) / blockSize * blockSize }

func pad(b []byte) []byte {
	return append(b, make([]byte, paddedLen(len(b))-len(b))...)
}
