package hapclient

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"time"
)

// maxBody is the longest body that is read.
const maxBody = 4 << 20

// Conn is one connection to an accessory. It is not safe for concurrent use.
type Conn struct {
	// Patience bounds each request; zero: 10 s.
	Patience time.Duration

	tcp    net.Conn
	in     *textproto.Reader
	frames *frames  // nil: in the clear
	events [][]byte // those that came before an answer
}

// Answer is a response of an accessory.
type Answer struct {
	Status int
	Body   []byte
}

// Dial connects to an accessory; nothing is sent.
func Dial(ctx context.Context, address string) (*Conn, error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	tcp, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the accessory: %w", err)
	}
	return &Conn{tcp: tcp, in: textproto.NewReader(bufio.NewReader(tcp))}, nil
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

// Await returns the body of the oldest event that was not returned yet: one that came
// before an answer, or else the next one that comes within the limit.
func (c *Conn) Await(limit time.Duration) ([]byte, error) {
	if len(c.events) > 0 {
		first := c.events[0]
		c.events = c.events[1:]
		return first, nil
	}
	if err := c.tcp.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, fmt.Errorf("awaiting an event: %w", err)
	}
	a, event, err := c.receive()
	if err == nil && !event {
		err = fmt.Errorf("an answer without a request, status %d", a.Status)
	}
	return a.Body, err
}

// Send writes a request and reads nothing.
func (c *Conn) Send(method, path, contentType string, body []byte) error {
	head := method + " " + path + " HTTP/1.1\r\nHost: console._hap._tcp.local\r\n"
	if body != nil {
		head += "Content-Type: " + contentType + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
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

// do sends a request and reads its answer; events that come before it are kept for Await.
func (c *Conn) do(method, path, contentType string, body []byte) (Answer, error) {
	if err := c.Send(method, path, contentType, body); err != nil {
		return Answer{}, err
	}
	for {
		a, event, err := c.receive()
		if err != nil || !event {
			return a, err
		}
		c.events = append(c.events, a.Body)
	}
}

// receive reads a response or an event.
func (c *Conn) receive() (a Answer, event bool, err error) {
	line, err := c.in.ReadLine()
	if err != nil {
		return a, false, fmt.Errorf("receiving: %w", err)
	}
	if event = line == "EVENT/1.0 200 OK"; !event {
		if n, _ := fmt.Sscanf(line, "HTTP/1.1 %d ", &a.Status); n != 1 {
			return a, false, fmt.Errorf("a message begins with %q", line)
		}
	}
	header, err := c.in.ReadMIMEHeader()
	if err != nil {
		return a, event, fmt.Errorf("receiving: %w", err)
	}
	if a.Body, err = c.body(a.Status, header); err != nil {
		return a, event, fmt.Errorf("receiving: %w", err)
	}
	return a, event, nil
}

// body reads what comes after a header.
func (c *Conn) body(status int, header textproto.MIMEHeader) ([]byte, error) {
	length := header.Get("Content-Length")
	switch {
	case header.Get("Transfer-Encoding") == "chunked":
		return c.chunks()
	case status == http.StatusNoContent && length == "":
		return nil, nil
	}
	n, err := strconv.ParseUint(length, 10, 32)
	if err != nil || n > maxBody {
		return nil, fmt.Errorf("a body with Content-Length %q", length)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(c.in.R, b)
	return b, err //nolint:wrapcheck // by receive
}

// chunks reads a body in chunks, which HAP-NodeJS sends, and the empty line after them.
func (c *Conn) chunks() ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(c.in.R), maxBody+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // by receive
	}
	if len(b) > maxBody {
		return nil, fmt.Errorf("a body in chunks of more than %d bytes", maxBody)
	}
	end, err := c.in.ReadLine()
	if err == nil && end != "" {
		err = fmt.Errorf("%q after the last chunk", end)
	}
	return b, err //nolint:wrapcheck // by receive
}
