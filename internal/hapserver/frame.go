package hapserver

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
)

// Bytes of a frame: length, at most 1,024 of plaintext, tag.
const (
	frameHeader = 2
	frameMax    = 1024
	frameTag    = 16
)

var errFrame = errors.New("malformed or forged frame")

// frameReader decrypts a stream of frames. It returns errFrame for a frame that is too long or not authentic, io.EOF at the end
// of a frame, io.ErrUnexpectedEOF inside one.
type frameReader struct {
	r     io.Reader
	aead  cipher.AEAD
	count uint64
	buf   [frameMax + frameTag]byte
	rest  []byte // decrypted and not yet read
}

func (f *frameReader) Read(p []byte) (int, error) {
	for len(f.rest) == 0 { // an empty frame says nothing: take the next one
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *frameReader) next() error {
	var header [frameHeader]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		return err
	}
	n := int(binary.LittleEndian.Uint16(header[:]))
	if n > frameMax {
		return errFrame
	}
	sealed := f.buf[:n+frameTag]
	if _, err := io.ReadFull(f.r, sealed); err != nil {
		return unexpected(err)
	}
	plain, err := f.aead.Open(sealed[:0], countedNonce(f.count), sealed, header[:])
	if err != nil {
		return errFrame
	}
	f.count++
	f.rest = plain
	return nil
}

// unexpected makes the end of a stream the error that it is inside a frame.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// frameSealer encrypts messages into frames.
type frameSealer struct {
	aead  cipher.AEAD
	count uint64
}

// seal returns the frames of one message.
func (f *frameSealer) seal(message []byte) []byte {
	frames := (len(message) + frameMax - 1) / frameMax
	out := make([]byte, 0, len(message)+frames*(frameHeader+frameTag))
	for len(message) > 0 {
		n := min(len(message), frameMax)
		header := len(out)
		out = binary.LittleEndian.AppendUint16(out, uint16(n))
		out = f.aead.Seal(out, countedNonce(f.count), message[:n], out[header:header+frameHeader])
		f.count++
		message = message[n:]
	}
	return out
}
