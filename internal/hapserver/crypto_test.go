package hapserver

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/chacha20poly1305"
)

func testAEAD(t testing.TB) cipher.AEAD {
	aead, err := chacha20poly1305.New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

func TestFrameSizes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 0, 1: 19, 1024: 1042, 1025: 1042 + 19, 2048: 2084} {
		s := frameSealer{aead: testAEAD(t)}
		if got := len(s.seal(make([]byte, n))); got != want {
			t.Errorf("%d bytes: %d in frames, want %d", n, got, want)
		}
	}
}

func TestFrameReaderRefuses(t *testing.T) {
	t.Parallel()
	sealed := func() []byte { s := frameSealer{aead: testAEAD(t)}; return s.seal([]byte("hello")) }
	changed := func(i int) []byte { b := sealed(); b[i] ^= 1; return b }
	second := func() []byte { s := frameSealer{aead: testAEAD(t), count: 1}; return s.seal([]byte("hello")) }
	for name, tc := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":        {nil, io.EOF},
		"half a length":  {sealed()[:1], io.ErrUnexpectedEOF},
		"cut after it":   {sealed()[:2], io.ErrUnexpectedEOF},
		"cut in the tag": {sealed()[:20], io.ErrUnexpectedEOF},
		"length changed": {append(changed(0), 0), errFrame},
		"text changed":   {changed(3), errFrame},
		"tag changed":    {changed(22), errFrame},
		"too long":       {append([]byte{1, 4}, make([]byte, 2000)...), errFrame},
		"repeated":       {append(sealed(), sealed()...), errFrame},
		"out of order":   {second(), errFrame},
	} {
		r := &frameReader{r: bytes.NewReader(tc.in), aead: testAEAD(t)}
		var err error
		for err == nil {
			_, err = r.Read(make([]byte, 64))
		}
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

func TestFrameReaderSkipsEmptyFrames(t *testing.T) {
	t.Parallel()
	s := frameSealer{aead: testAEAD(t)}
	empty := s.aead.Seal([]byte{0, 0}, countedNonce(0), nil, []byte{0, 0})
	s.count = 1
	got, err := io.ReadAll(&frameReader{r: bytes.NewReader(append(empty, s.seal([]byte("hello"))...)), aead: s.aead})
	if err != nil || string(got) != "hello" {
		t.Errorf("%q %v", got, err)
	}
}

// FuzzFrames: what is sealed reads back equal, however it is cut; what is not
// authentic never becomes text.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 0)
	f.Add(bytes.Repeat([]byte{7}, 1024), 3)
	f.Add(bytes.Repeat([]byte{7}, 3*1024), 1042)
	f.Fuzz(func(t *testing.T, message []byte, at int) {
		s := frameSealer{aead: testAEAD(t)}
		sealed := s.seal(message)
		got, err := io.ReadAll(&frameReader{r: iotest.HalfReader(bytes.NewReader(sealed)), aead: s.aead})
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%d bytes came back as %d: %v", len(message), len(got), err)
		}
		if len(sealed) > 0 {
			sealed[uint(at)%uint(len(sealed))] ^= 1
			got, err := io.ReadAll(&frameReader{r: bytes.NewReader(sealed), aead: s.aead})
			if err == nil || !bytes.HasPrefix(message, got) {
				t.Fatalf("a forged frame gave %d bytes, %v", len(got), err)
			}
		}
		if got, err := io.ReadAll(&frameReader{r: bytes.NewReader(message), aead: s.aead}); len(got) > 0 || err == nil && len(message) > 0 {
			t.Fatalf("noise gave %d bytes, %v", len(got), err)
		}
	})
}

// Requests in hap v0.0.35 hung when their plaintext was a multiple of 1,024
// bytes.
func TestRequestsOf1024Multiples(t *testing.T) {
	t.Parallel()
	c := newPaired(t).start(t).connect(t, nil)
	for _, size := range []int{1023, 1024, 1025, 2048, 3072, 8 * 1024} {
		head := "GET /characteristics?id=1.13 HTTP/1.1\r\nHost: x\r\nX: "
		req := head + strings.Repeat("x", size-len(head)-4) + "\r\n\r\n"
		if err := c.send([]byte(req)); err != nil {
			t.Fatal(err)
		}
		if a, err := c.read(); err != nil || a.status != 200 {
			t.Errorf("%d bytes: %d %v", size, a.status, err)
		}
	}
	const start, end = `{"characteristics":[{"aid":1,"iid":11,"value":1}]`, "}"
	for _, size := range []int{1024, 4 * 1024, 32 * 1024} { // header and body together
		body := start + strings.Repeat(" ", size-len(start)-len(end)) + end
		for len(requestBytes("PUT", "/characteristics", typeJSON, []byte(body))) > size {
			body = strings.Replace(body, " ", "", 1)
		}
		if err := c.send(requestBytes("PUT", "/characteristics", typeJSON, []byte(body))); err != nil {
			t.Fatal(err)
		}
		if a, err := c.read(); err != nil || a.status != 204 {
			t.Errorf("%d bytes: %d %v", size, a.status, err)
		}
	}
}

func TestRequestsPipelinedAndSplit(t *testing.T) {
	t.Parallel()
	c := newPaired(t).start(t).connect(t, nil)
	get := requestBytes("GET", "/characteristics?id=1.13", "", nil)
	put := requestBytes("PUT", "/characteristics", typeJSON, []byte(`{"characteristics":[{"aid":1,"iid":11,"value":1}]}`))
	for _, size := range []int{1, 7, 1024} { // bytes in a frame
		stream := c.sealed.seal(bytes.Repeat(append(bytes.Clone(get), put...), 5), size)
		for chunk := range slices.Chunk(stream, 701) { // bytes in a segment
			if _, err := c.conn.Write(chunk); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 10 {
			want := 200 + i%2*4
			if a, err := c.read(); err != nil || a.status != want {
				t.Fatalf("frames of %d bytes, answer %d: %d %v", size, i, a.status, err)
			}
		}
	}
}

// A session with a forged frame ends, and nothing that came with it has an
// effect.
func TestForgedFrameEndsTheSession(t *testing.T) {
	t.Parallel()
	f := newPaired(t).start(t)
	got := f.m.handled(f.Server, iidActive)
	c := f.connect(t, nil)
	frame := c.sealed.seal(requestBytes("PUT", "/characteristics", typeJSON, []byte(`{"characteristics":[{"aid":1,"iid":11,"value":1}]}`)), 1024)
	frame[len(frame)-1] ^= 1
	if _, err := c.conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	c.gone(t)
	if len(got()) != 0 {
		t.Error("a forged write was handled")
	}
}
