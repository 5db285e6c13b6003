package controller

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// maxFrame is the plain text of a frame:
//
//	| length, 2 | cipher text, 1 to 1024 | tag, 16 |     length is authenticated too
const maxFrame = 1024

// frames is an encrypted connection.
type frames struct {
	conn          net.Conn
	raw           *bufio.Reader
	from, to      cipher.AEAD
	read, written uint64
	plain         []byte
}

// secure switches to frames.
func (c *Conn) secure(shared []byte) error {
	f := &frames{conn: c.conn, raw: c.in}
	var err error
	if f.from, err = aead(shared, "Control-Salt", "Control-Read-Encryption-Key"); err != nil {
		return err
	}
	if f.to, err = aead(shared, "Control-Salt", "Control-Write-Encryption-Key"); err != nil {
		return err
	}
	c.in, c.out = bufio.NewReader(f), f
	return nil
}

func frameNonce(n uint64) []byte {
	return binary.LittleEndian.AppendUint64(make([]byte, 4, chacha20poly1305.NonceSize), n)
}

// Write sends b in one go.
func (f *frames) Write(b []byte) (int, error) {
	var out []byte
	for chunk := range slices.Chunk(b, maxFrame) {
		length := binary.LittleEndian.AppendUint16(nil, uint16(len(chunk))) //nolint:gosec // at most maxFrame
		out = f.to.Seal(append(out, length...), frameNonce(f.written), chunk, length)
		f.written++
	}
	if _, err := f.conn.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read decrypts. A frame that is empty, too long or not authentic is an error.
func (f *frames) Read(p []byte) (int, error) {
	if len(f.plain) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.plain)
	f.plain = f.plain[n:]
	return n, nil
}

func (f *frames) next() error {
	var length [2]byte
	if _, err := io.ReadFull(f.raw, length[:]); err != nil {
		return err
	}
	n := int(binary.LittleEndian.Uint16(length[:]))
	if n == 0 || n > maxFrame {
		return fmt.Errorf("controller: a frame of %d bytes", n)
	}
	sealed := make([]byte, n+f.from.Overhead())
	if _, err := io.ReadFull(f.raw, sealed); err != nil {
		return err
	}
	plain, err := f.from.Open(sealed[:0], frameNonce(f.read), sealed, length[:])
	if err != nil {
		return fmt.Errorf("controller: frame %d: %w", f.read, err)
	}
	f.read++
	f.plain = plain
	return nil
}
