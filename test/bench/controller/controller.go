// Package controller is a strict HomeKit controller: it pairs, proves who is on the
// other side, and takes no answer that the specification does not allow. It measures
// every server alike, so it shares no code with internal/hapserver.
//
//	identity := controller.New("…")
//	server, err := identity.Pair(ctx, "127.0.0.1:20000", "518-08-582")
//	conn, err := identity.Connect(ctx, "127.0.0.1:20000", server)
//	status, body, err := conn.Do("GET", "/accessories", nil)
package controller

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"time"
)

// patience is how long one answer may take.
const patience = 10 * time.Second

// maxBody is the longest answer that is read.
const maxBody = 4 << 20

// Identity is a controller as servers know it.
type Identity struct {
	id  string
	key ed25519.PrivateKey
}

// New makes an identity with a key of its own.
func New(id string) (*Identity, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return &Identity{id, key}, err
}

// Server is whom an identity has paired with.
type Server struct {
	DeviceID string
	key      ed25519.PublicKey
}

// Conn is a connection with a server. It is for one goroutine.
type Conn struct {
	conn   net.Conn
	in     *bufio.Reader
	out    io.Writer
	events [][]byte // those that came before an answer
}

func dial(ctx context.Context, addr string) (*Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Conn{conn: conn, in: bufio.NewReader(conn), out: conn}, nil
}

// Close ends the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// Do sends a request and reads its answer. Events that come before it are kept for
// Event.
func (c *Conn) Do(method, path string, body []byte) (status int, answer []byte, err error) {
	return c.do(method, path, "application/hap+json", body)
}

func (c *Conn) do(method, path, contentType string, body []byte) (int, []byte, error) {
	head := method + " " + path + " HTTP/1.1\r\nHost: ps4kit-bench\r\n"
	if body != nil {
		head += "Content-Type: " + contentType + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	if _, err := c.out.Write(append([]byte(head+"\r\n"), body...)); err != nil {
		return 0, nil, err
	}
	for {
		m, err := c.read()
		if err != nil || !m.event {
			return m.status, m.body, err
		}
		c.events = append(c.events, m.body)
	}
}

// Event returns the oldest event that was not returned yet, or waits for one.
func (c *Conn) Event(wait time.Duration) ([]byte, error) {
	if len(c.events) > 0 {
		first := c.events[0]
		c.events = c.events[1:]
		return first, nil
	}
	if err := c.conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	m, err := c.read()
	if err == nil && !m.event {
		err = fmt.Errorf("controller: an answer that nobody asked for, status %d", m.status)
	}
	return m.body, err
}

// message is an answer or an event.
type message struct {
	event  bool
	status int
	body   []byte
}

func (c *Conn) read() (m message, err error) {
	text := textproto.NewReader(c.in)
	line, err := text.ReadLine()
	if err != nil {
		return m, err
	}
	m.event = line == "EVENT/1.0 200 OK"
	if !m.event {
		if n, _ := fmt.Sscanf(line, "HTTP/1.1 %d ", &m.status); n != 1 {
			return m, fmt.Errorf("controller: a message begins with %q", line)
		}
	}
	header, err := text.ReadMIMEHeader()
	if err != nil {
		return m, err
	}
	if header.Get("Transfer-Encoding") == "chunked" {
		m.body, err = chunks(text)
		return m, err
	}
	if m.status == http.StatusNoContent && header.Get("Content-Length") == "" {
		return m, nil
	}
	n, err := strconv.ParseUint(header.Get("Content-Length"), 10, 32)
	if err != nil || n > maxBody {
		return m, fmt.Errorf("controller: Content-Length %q", header.Get("Content-Length"))
	}
	m.body = make([]byte, n)
	_, err = io.ReadFull(c.in, m.body)
	return m, err
}

// chunks reads a body in chunks, which HAP-NodeJS sends.
func chunks(text *textproto.Reader) ([]byte, error) {
	var body []byte
	for {
		line, err := text.ReadLine()
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseUint(line, 16, 32)
		if err != nil || uint64(len(body))+n > maxBody {
			return nil, fmt.Errorf("controller: a chunk of %q bytes", line)
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(text.R, chunk); err != nil {
			return nil, err
		}
		if end, err := text.ReadLine(); err != nil || end != "" {
			return nil, fmt.Errorf("controller: a chunk ends with %q, %w", end, err)
		}
		if body = append(body, chunk...); n == 0 {
			return body, nil
		}
	}
}
