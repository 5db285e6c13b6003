package hapclient

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"net/textproto"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// secure encrypts the connection from now on.
func (c *Conn) secure(shared []byte) {
	c.frames = &frames{
		raw: c.in.R,
		in:  direction{aead: aead(derive(shared, "Control-Salt", "Control-Read-Encryption-Key"))},
		out: direction{aead: aead(derive(shared, "Control-Salt", "Control-Write-Encryption-Key"))},
	}
	c.in = textproto.NewReader(bufio.NewReader(c.frames))
}

// maxFrame is the most bytes that one frame holds.
const maxFrame = 1024

// frames is an encrypted connection. Each frame is two bytes of length, the
// sealed bytes and a tag.
type frames struct {
	raw     *bufio.Reader
	in, out direction
	plain   []byte
}

// direction is one way of the connection; its nonce counts the frames.
type direction struct {
	aead  cipher.AEAD
	count uint64
}

func (d *direction) nonce() []byte {
	nonce := binary.LittleEndian.AppendUint64(make([]byte, 4, chacha20poly1305.NonceSize), d.count)
	d.count++
	return nonce
}

func (f *frames) seal(b []byte) []byte {
	var out []byte
	for chunk := range slices.Chunk(b, maxFrame) {
		head := binary.LittleEndian.AppendUint16(nil, uint16(len(chunk))) //nolint:gosec // at most maxFrame
		out = f.out.aead.Seal(append(out, head...), f.out.nonce(), chunk, head)
	}
	return out
}

// Read implements [io.Reader]. A frame that is empty, too long or not authentic
// is an error.
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
	var head [2]byte
	if _, err := io.ReadFull(f.raw, head[:]); err != nil {
		return err //nolint:wrapcheck // io.Reader's contract
	}
	n := binary.LittleEndian.Uint16(head[:])
	if n == 0 || n > maxFrame {
		return fmt.Errorf("a frame of %d bytes", n)
	}
	sealed := make([]byte, int(n)+chacha20poly1305.Overhead)
	if _, err := io.ReadFull(f.raw, sealed); err != nil {
		return err //nolint:wrapcheck // as above
	}
	plain, err := f.in.aead.Open(sealed[:0], f.in.nonce(), sealed, head[:])
	if err != nil {
		return fmt.Errorf("a frame is not authentic: %w", err)
	}
	f.plain = plain
	return nil
}
