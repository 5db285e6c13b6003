package hapclient

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// Conn is one connection to an accessory. It is not safe for concurrent use.
type Conn struct {
	// Event, if set, gets the body of each event that comes while an answer is awaited.
	Event func(body []byte)
	// Patience bounds each request; zero: 10 s.
	Patience time.Duration

	tcp    net.Conn
	in     *bufio.Reader
	frames *frames // nil: in the clear
}

// Answer is a response of an accessory.
type Answer struct {
	Status int
	Body   []byte
}

// Dial connects to an accessory; nothing is sent.
func Dial(address string) (*Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	tcp, err := d.Dial("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the accessory: %w", err)
	}
	return &Conn{tcp: tcp, in: bufio.NewReader(tcp)}, nil
}

// Close ends the connection.
func (c *Conn) Close() error { return c.tcp.Close() } //nolint:wrapcheck // says enough

// Get reads a path: /accessories, /characteristics?id=1.8.
func (c *Conn) Get(path string) (Answer, error) {
	return c.do(http.MethodGet, path, "", nil)
}

// Put writes JSON to a path.
func (c *Conn) Put(path string, body any) (Answer, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return Answer{}, fmt.Errorf("a request: %w", err)
	}
	return c.do(http.MethodPut, path, "application/hap+json", b)
}

// Send writes a request and reads nothing.
func (c *Conn) Send(method, path, contentType string, body []byte) error {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: console._hap._tcp.local\r\n", method, path)
	if body != nil {
		head += fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	b := append([]byte(head+"\r\n"), body...)
	if c.frames != nil {
		b = c.frames.seal(b)
	}
	patience := c.Patience
	if patience == 0 {
		patience = 10 * time.Second
	}
	if err := c.tcp.SetDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if _, err := c.tcp.Write(b); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	return nil
}

func (c *Conn) do(method, path, contentType string, body []byte) (Answer, error) {
	if err := c.Send(method, path, contentType, body); err != nil {
		return Answer{}, err
	}
	for {
		a, event, err := c.receive()
		if err != nil || !event {
			return a, err
		}
		if c.Event != nil {
			c.Event(a.Body)
		}
	}
}

// receive reads a response or an event.
func (c *Conn) receive() (a Answer, event bool, err error) {
	text := textproto.NewReader(c.in)
	line, err := text.ReadLine()
	if err != nil {
		return a, false, fmt.Errorf("receiving: %w", err)
	}
	event = line == "EVENT/1.0 200 OK"
	if n, err := fmt.Sscanf(line, "HTTP/1.1 %d ", &a.Status); !event && (n != 1 || err != nil) {
		return a, false, fmt.Errorf("a message begins with %q", line)
	}
	header, err := text.ReadMIMEHeader()
	if err != nil {
		return a, event, fmt.Errorf("receiving: %w", err)
	}
	length := header.Get("Content-Length")
	if a.Status == http.StatusNoContent && length == "" {
		return a, event, nil
	}
	n, err := strconv.Atoi(length)
	if err != nil {
		return a, event, fmt.Errorf("receiving: %w", err)
	}
	a.Body = make([]byte, n)
	if _, err = io.ReadFull(c.in, a.Body); err != nil {
		return a, event, fmt.Errorf("receiving: %w", err)
	}
	return a, event, nil
}

// secure goes on in frames.
func (c *Conn) secure(shared []byte) {
	c.frames = &frames{
		raw: c.in,
		in:  direction{key: derive(shared, "Control-Salt", "Control-Read-Encryption-Key")},
		out: direction{key: derive(shared, "Control-Salt", "Control-Write-Encryption-Key")},
	}
	c.in = bufio.NewReader(c.frames)
}

// maxFrame is what one frame holds at most.
const maxFrame = 1024

// frames are an encrypted connection: two bytes of length, the sealed bytes and a tag, over and over.
type frames struct {
	raw     *bufio.Reader
	in, out direction
	plain   bytes.Buffer
}

// direction is one way of the connection; its nonce counts the frames.
type direction struct {
	key   []byte
	count uint64
}

func (d *direction) nonce() []byte {
	nonce := binary.LittleEndian.AppendUint64(make([]byte, 4), d.count)
	d.count++
	return nonce
}

func (f *frames) seal(b []byte) []byte {
	aead, _ := chacha20poly1305.New(f.out.key)
	var out []byte
	for chunk := range slices.Chunk(b, maxFrame) {
		head := binary.LittleEndian.AppendUint16(nil, uint16(len(chunk))) //nolint:gosec // at most maxFrame
		out = aead.Seal(append(out, head...), f.out.nonce(), chunk, head)
	}
	return out
}

// Read implements [io.Reader].
func (f *frames) Read(p []byte) (int, error) {
	if f.plain.Len() == 0 {
		head := make([]byte, 2)
		if _, err := io.ReadFull(f.raw, head); err != nil {
			return 0, err //nolint:wrapcheck // io.Reader's contract
		}
		n := binary.LittleEndian.Uint16(head)
		if n == 0 || n > maxFrame {
			return 0, fmt.Errorf("a frame of %d bytes", n)
		}
		sealed := make([]byte, int(n)+chacha20poly1305.Overhead)
		if _, err := io.ReadFull(f.raw, sealed); err != nil {
			return 0, err //nolint:wrapcheck // as above
		}
		aead, _ := chacha20poly1305.New(f.in.key)
		plain, err := aead.Open(nil, f.in.nonce(), sealed, head)
		if err != nil {
			return 0, fmt.Errorf("a frame is not authentic: %w", err)
		}
		f.plain.Write(plain)
	}
	return f.plain.Read(p) //nolint:wrapcheck // as above
}
