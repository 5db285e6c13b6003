package wire_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/ps4kit/ps4kit/ps4/internal/wire"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func TestHandshake(t *testing.T) {
	t.Parallel()
	key, iv := [16]byte{1, 2, 3}, [16]byte{4, 5, 6}
	h, err := wire.SealKey(&testKey().PublicKey, key, iv)
	if err != nil {
		t.Fatal(err)
	}
	b := h.Marshal()
	if len(b) != 280 || binary.LittleEndian.Uint32(b) != 280 || binary.LittleEndian.Uint32(b[4:]) != 0x20 || !bytes.Equal(b[264:], iv[:]) {
		t.Errorf("handshake %x", b)
	}
	p, err := wire.ReadClear(iotest.OneByteReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.UnmarshalHandshake(p)
	if err != nil || got != h {
		t.Fatalf("got %+v, %v", got, err)
	}
	if opened, err := got.Open(testKey()); err != nil || opened != key {
		t.Errorf("opened %x, %v", opened, err)
	}
	got.Sealed[7] ^= 1
	if _, err := got.Open(testKey()); !errors.Is(err, wire.ErrProtocol) {
		t.Errorf("a damaged handshake opens: %v", err)
	}
}

func TestLengthLimits(t *testing.T) {
	t.Parallel()
	for length, good := range map[uint32]bool{0: false, 7: false, 8: true, 4096: true, 4097: false, 1 << 31: false, 0xffffffff: false} {
		raw := make([]byte, 4096)
		binary.LittleEndian.PutUint32(raw, length)
		_, clear := wire.ReadClear(bytes.NewReader(raw))
		_, encrypted := wire.NewConn(bytes.NewBuffer(encrypt(raw)), [16]byte{}, [16]byte{}).Read()
		if errors.Is(clear, wire.ErrProtocol) == good || errors.Is(encrypted, wire.ErrProtocol) == good {
			t.Errorf("length %d: %v, %v", length, clear, encrypted)
		}
	}
}

// encrypt encrypts with a key and an IV of zeros, without package wire.
func encrypt(plain []byte) []byte {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		panic(err)
	}
	out := make([]byte, (len(plain)+15)/16*16)
	copy(out, plain)
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(out, out)
	return out
}

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	raw := encrypt(wire.Boot{TitleID: "CUSA00127"}.Marshal())
	for cut := range raw {
		_, err := wire.NewConn(bytes.NewBuffer(raw[:cut:cut]), [16]byte{}, [16]byte{}).Read()
		want := io.ErrUnexpectedEOF
		if cut == 0 {
			want = io.EOF
		}
		if !errors.Is(err, want) {
			t.Errorf("cut at %d: %v, want %v", cut, err, want)
		}
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	if err := wire.NewConn(readWriter{nil, failingWriter{}}, [16]byte{}, [16]byte{}).Write(wire.Empty{Type: wire.TypeBye}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStringsAreCutAtARune(t *testing.T) {
	t.Parallel()
	l := wire.Login{AppLabel: strings.Repeat("é", 200), Model: "123456789012345é", PIN: "12345678", Passcode: "1234", Credential: credential}
	got, err := wire.UnmarshalLogin(wire.Packet{Type: wire.TypeLogin, Body: l.Marshal()[8:]})
	l.AppLabel, l.Model = strings.Repeat("é", 128), "123456789012345"
	if err != nil || got != l {
		t.Errorf("got label of %d bytes, model %q, %v", len(got.AppLabel), got.Model, err)
	}
}

func TestMinimalPackets(t *testing.T) {
	t.Parallel()
	for n := range 24 {
		body := make([]byte, n)
		_, word := wire.UnmarshalWord(wire.Packet{Type: wire.TypeBootResult, Body: body})
		_, text := wire.UnmarshalKeyboardText(wire.Packet{Type: wire.TypeKeyboardText, Body: body})
		_, started := wire.UnmarshalKeyboardStarted(wire.Packet{Type: wire.TypeKeyboardStarted, Body: body})
		if (word == nil) != (n >= 4) || (text == nil) != (n >= 20) || (started == nil) != (n >= 12) {
			t.Errorf("%d bytes: %v, %v, %v", n, word, text, started)
		}
	}
	failed := []byte{15, 0, 0, 0}
	for range 3 { // a failed keyboard start has 12, 16 or 20 bytes
		k, err := wire.UnmarshalKeyboardStarted(wire.Packet{Type: wire.TypeKeyboardStarted, Body: failed})
		if err != nil || k != (wire.KeyboardStarted{Result: 15}) {
			t.Errorf("%d bytes: %+v, %v", len(failed), k, err)
		}
		failed = append(failed, 0xaa, 0xaa, 0xaa, 0xaa)
	}
	if _, err := wire.UnmarshalBoot(wire.Packet{Type: wire.TypeRemote, Body: make([]byte, 64)}); !errors.Is(err, wire.ErrProtocol) {
		t.Errorf("a packet of another type: %v", err)
	}
}

// FuzzStream checks that the same packets arrive however TCP splits them, and
// that none exceeds the maximum.
func FuzzStream(f *testing.F) {
	clients, console := vectors(f)
	var all []byte
	for _, v := range clients {
		f.Add([]byte(v.Plain), uint8(7))
		all = append(all, pad(v.Plain)...)
	}
	for _, v := range console {
		all = append(all, pad(v.Plain)...)
	}
	f.Add(all, uint8(1))
	f.Add(all, uint8(17))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint8(3))
	f.Fuzz(func(t *testing.T, plain []byte, step uint8) {
		raw := encrypt(plain)
		whole, wholeErr := readAll(t, bytes.NewReader(raw))
		split, splitErr := readAll(t, &stepReader{raw, int(step)%37 + 1})
		if len(whole) != len(split) || wholeErr.Error() != splitErr.Error() {
			t.Fatalf("%d packets, %v; split %d, %v", len(whole), wholeErr, len(split), splitErr)
		}
		at := 0
		for i, p := range whole {
			if p.Type != split[i].Type || !bytes.Equal(p.Body, split[i].Body) {
				t.Fatalf("packet %d differs", i)
			}
			// Against the plain text: length, type, fields, padding to 16.
			if n := len(p.Body) + 8; n > wire.MaxLength || uint32(p.Type) != binary.LittleEndian.Uint32(pad(plain)[at+4:]) ||
				!bytes.Equal(p.Body, pad(plain)[at+8:at+n]) {
				t.Fatalf("packet %d differs from the plain text", i)
			}
			at += (len(p.Body) + 8 + 15) / 16 * 16
		}
	})
}

func pad(b []byte) []byte { return append(bytes.Clone(b), make([]byte, (16-len(b)%16)%16)...) }

// stepReader returns at most step bytes at a time.
type stepReader struct {
	left []byte
	step int
}

func (r *stepReader) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.left[:min(r.step, len(r.left))])
	r.left = r.left[n:]
	return n, nil
}

func readAll(t *testing.T, r io.Reader) ([]wire.Packet, error) {
	t.Helper()
	c := wire.NewConn(readWriter{r, io.Discard}, [16]byte{}, [16]byte{})
	var all []wire.Packet
	for {
		p, err := c.Read()
		if err != nil {
			return all, err
		}
		p.Body = bytes.Clone(p.Body)
		all = append(all, p)
	}
}

// FuzzPackets checks that marshalling and parsing a valid packet again changes
// nothing, and that strings keep their limits.
func FuzzPackets(f *testing.F) {
	clients, console := vectors(f)
	for _, v := range clients {
		f.Add([]byte(v.Plain))
	}
	for _, v := range console {
		f.Add([]byte(v.Plain))
	}
	f.Add(wire.Login{AppLabel: strings.Repeat("é", 128), Model: "\xff\xfe"}.Marshal())
	f.Add(append(wire.NewKeyboardText("x").Marshal(), 0x00, 0xd8, 0x41)) // half a surrogate pair, an odd byte
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := wire.ReadClear(bytes.NewReader(raw))
		if err != nil {
			return
		}
		again(t, p, wire.UnmarshalHello)
		again(t, p, wire.UnmarshalHelloReply)
		again(t, p, wire.UnmarshalHandshake)
		again(t, p, wire.UnmarshalLogin)
		again(t, p, wire.UnmarshalBoot)
		again(t, p, wire.UnmarshalRemote)
		again(t, p, wire.UnmarshalKeyboardText)
		again(t, p, wire.UnmarshalKeyboardStarted)
		if value, err := wire.UnmarshalWord(p); err == nil {
			m := wire.Word{Type: p.Type, Value: value}
			if got, err := wire.UnmarshalWord(reread(t, m)); err != nil || got != value {
				t.Fatalf("word %d became %d, %v", value, got, err)
			}
		}
	})
}

// again checks one parser.
func again[M interface {
	comparable
	wire.Message
}](t *testing.T, p wire.Packet, unmarshal func(wire.Packet) (M, error)) {
	t.Helper()
	m, err := unmarshal(p)
	if err != nil {
		if !errors.Is(err, wire.ErrProtocol) {
			t.Fatalf("error %v is not a protocol error", err)
		}
		return
	}
	got, err := unmarshal(reread(t, m))
	if err != nil || got != m {
		t.Fatalf("%+v became %+v, %v", m, got, err)
	}
	if k, ok := any(m).(wire.KeyboardText); ok && (!utf8.ValidString(k.Text) || wire.UTF16Len(k.Text) > wire.MaxKeyboardText) {
		t.Fatalf("text %q", k.Text)
	}
}

func reread(t *testing.T, m wire.Message) wire.Packet {
	t.Helper()
	p, err := wire.ReadClear(bytes.NewReader(m.Marshal()))
	if err != nil {
		t.Fatalf("%+v: %v", m, err)
	}
	return p
}
