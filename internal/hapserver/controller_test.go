package hapserver

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// controller is the other side, strict: it has its own cryptography and
// framing, and any deviation is an error. It shares only the TLV codec with the
// server.
type controller struct {
	conn   net.Conn
	in     *bufio.Reader
	id     string
	key    ed25519.PrivateKey
	sealed *controllerFrames // nil: in the clear
	events []string          // bodies of the events that came while something else was read
}

// controllerFrames are the two directions of a session, seen from the
// controller.
type controllerFrames struct {
	raw                *bufio.Reader
	fromKey, toKey     []byte
	fromCount, toCount uint64
	buf                []byte
}

func newController(id string) *controller {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return &controller{id: id, key: key}
}

// pairing is what the server stores about this controller.
func (c *controller) pairing(admin bool) Pairing {
	return Pairing{ID: c.id, PublicKey: c.key.Public().(ed25519.PublicKey), Admin: admin}
}

// again is the same controller for another connection.
func (c *controller) again() *controller { return &controller{id: c.id, key: c.key} }

// use takes a connection over.
func (c *controller) use(conn net.Conn) *controller {
	c.conn, c.in = conn, bufio.NewReader(conn)
	return c
}

// send writes raw bytes of the conversation, in frames once verified.
func (c *controller) send(b []byte) error {
	if c.sealed != nil {
		b = c.sealed.seal(b, 1024)
	}
	_, err := c.conn.Write(b)
	return err
}

func (f *controllerFrames) seal(b []byte, size int) []byte {
	aead, _ := chacha20poly1305.New(f.toKey)
	var out []byte
	for chunk := range slices.Chunk(b, size) {
		head := binary.LittleEndian.AppendUint16(nil, uint16(len(chunk)))
		nonce := binary.LittleEndian.AppendUint64(make([]byte, 4), f.toCount)
		out = aead.Seal(append(out, head...), nonce, chunk, head)
		f.toCount++
	}
	return out
}

// Read decrypts; a frame that is empty, too long or not authentic is an error.
func (f *controllerFrames) Read(p []byte) (int, error) {
	if len(f.buf) == 0 {
		head := make([]byte, 2)
		if _, err := io.ReadFull(f.raw, head); err != nil {
			return 0, err
		}
		n := binary.LittleEndian.Uint16(head)
		if n == 0 || n > 1024 {
			return 0, fmt.Errorf("a frame of %d bytes", n)
		}
		sealed := make([]byte, int(n)+16)
		if _, err := io.ReadFull(f.raw, sealed); err != nil {
			return 0, err
		}
		aead, _ := chacha20poly1305.New(f.fromKey)
		plain, err := aead.Open(nil, binary.LittleEndian.AppendUint64(make([]byte, 4), f.fromCount), sealed, head)
		if err != nil {
			return 0, err
		}
		f.fromCount++
		f.buf = plain
	}
	n := copy(p, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

func requestBytes(method, path, contentType string, body []byte) []byte {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: Den\\032PS4._hap._tcp.local\r\n", method, path)
	if body != nil {
		head += fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	return append([]byte(head+"\r\n"), body...)
}

// answer is a response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// read returns the next response; events before it are kept.
func (c *controller) read() (answer, error) {
	for {
		a, event, err := c.message()
		if err != nil || !event {
			return a, err
		}
		c.events = append(c.events, string(a.body))
	}
}

// nextEvent returns the oldest event that was not asked for yet, or waits for
// one.
func (c *controller) nextEvent() (string, error) {
	if len(c.events) == 0 {
		a, event, err := c.message()
		if err != nil || !event {
			return "", fmt.Errorf("no event but status %d, %w", a.status, err)
		}
		return string(a.body), nil
	}
	e := c.events[0]
	c.events = c.events[1:]
	return e, nil
}

// message reads a response or an event.
func (c *controller) message() (a answer, event bool, err error) {
	text := textproto.NewReader(c.in)
	line, err := text.ReadLine()
	if err != nil {
		return a, false, err
	}
	event = line == "EVENT/1.0 200 OK"
	if n, err := fmt.Sscanf(line, "HTTP/1.1 %d ", &a.status); !event && (n != 1 || err != nil) {
		return a, false, fmt.Errorf("a message begins with %q", line)
	}
	header, err := text.ReadMIMEHeader()
	if err != nil {
		return a, event, err
	}
	a.header = http.Header(header)
	length := a.header.Get("Content-Length")
	if a.status == http.StatusNoContent && length == "" {
		return a, event, nil
	}
	n, err := strconv.Atoi(length)
	if err != nil {
		return a, event, err
	}
	a.body = make([]byte, n)
	_, err = io.ReadFull(c.in, a.body)
	return a, event, err
}

// do sends a request and reads its response. A body that is not a []byte is
// sent as JSON, a string as it is.
func (c *controller) do(method, path string, body any) (answer, error) {
	contentType, b := "application/hap+json", []byte(nil)
	switch x := body.(type) {
	case nil:
	case string:
		b = []byte(x)
	case tlv:
		contentType, b = "application/pairing+tlv8", x.encode()
	default:
		var err error
		if b, err = json.Marshal(x); err != nil {
			return answer{}, err
		}
	}
	if err := c.send(requestBytes(method, path, contentType, b)); err != nil {
		return answer{}, err
	}
	return c.read()
}

// must is do for what cannot fail.
func (c *controller) must(t testing.TB, method, path string, body any) answer {
	t.Helper()
	a, err := c.do(method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// gone waits until the server has closed the connection.
func (c *controller) gone(t testing.TB) {
	t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := io.Copy(io.Discard, c.conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("the connection is still open")
	}
}

func isPairError(err error, code pairError) bool {
	return errors.Is(err, code)
}
