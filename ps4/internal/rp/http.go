package rp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits of a request or reply (docs/protocol.md §10).
const (
	MaxHead   = 4096 // bytes, with the empty line
	MaxFields = 64
	MaxBody   = 4096
)

// Field is a line of a header or of a registration.
type Field struct{ Name, Value string }

// Header is a list of fields in the order of the wire.
type Header []Field

// Get returns the first value with a name, in any case, or "".
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func (h Header) append(b []byte) []byte {
	for _, f := range h {
		b = fmt.Appendf(b, "%s: %s\r\n", f.Name, f.Value)
	}
	return b
}

// parseHeader parses lines that end in CRLF or LF. It skips lines without a
// colon, such as the stray one that some clients send (docs/protocol.md §11).
func parseHeader(text string) (Header, error) {
	var h Header
	for line := range strings.SplitSeq(text, "\n") {
		name, value, found := strings.Cut(line, ":")
		if !found {
			continue
		}
		if len(h) == MaxFields {
			return nil, protocolError("more than %d fields", MaxFields)
		}
		h = append(h, Field{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return h, nil
}

// Request is what a client sends.
type Request struct {
	Method, Path string
	Header       Header
	Body         []byte
}

// Marshal returns the bytes of the request.
func (r Request) Marshal() []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\n", r.Method, r.Path)
	b = r.Header.append(b)
	return append(append(b, "\r\n"...), r.Body...)
}

// ReadRequest reads a request with as much body as it announces. Errors about
// its content wrap [ErrProtocol]; the others are those of the reader.
func ReadRequest(r *bufio.Reader) (Request, error) {
	words, h, err := readHead(r)
	switch {
	case err != nil:
		return Request{}, err
	case len(words) < 2 || len(words) > 3 || len(words) == 3 && !strings.HasPrefix(words[2], "HTTP/1."):
		return Request{}, protocolError("not a request")
	}
	body, err := readBody(r, h)
	if err != nil {
		return Request{}, err
	}
	return Request{Method: words[0], Path: words[1], Header: h, Body: body}, nil
}

// Reply is what a console answers.
type Reply struct {
	Status int
	Header Header
	Body   []byte
}

// Marshal returns the bytes of the reply.
func (r Reply) Marshal() []byte {
	phrase := "OK"
	if r.Status != 200 {
		phrase = "Forbidden"
	}
	b := fmt.Appendf(nil, "HTTP/1.1 %03d %s\r\n", r.Status, phrase)
	b = r.Header.append(b)
	return append(append(b, "\r\n"...), r.Body...)
}

// ReadReply reads a reply with as much body as it announces, and leaves what
// follows in the reader. It fails as [ReadRequest] does.
func ReadReply(r *bufio.Reader) (Reply, error) {
	words, h, err := readHead(r)
	switch {
	case err != nil:
		return Reply{}, err
	case len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/1.") || len(words[1]) != 3:
		return Reply{}, protocolError("not a reply")
	}
	status, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil {
		return Reply{}, protocolError("not a reply")
	}
	body, err := readBody(r, h)
	if err != nil {
		return Reply{}, err
	}
	return Reply{Status: int(status), Header: h, Body: body}, nil
}

// Refusal returns the reply of a console that refuses a request. A family of
// its own makes it name that RP-Version.
func Refusal(reason uint32, speaks Family) Reply {
	h := Header{{"Content-Length", "0"}, {"RP-Application-Reason", fmt.Sprintf("%08x", reason)}}
	if speaks != 0 {
		h = append(h, Field{"RP-Version", speaks.Dialect().Version})
	}
	return Reply{Status: 403, Header: h}
}

// Reason returns the RP-Application-Reason of a refusal, or 0 without one.
func (r Reply) Reason() uint32 {
	reason, err := strconv.ParseUint(r.Header.Get("RP-Application-Reason"), 16, 32)
	if err != nil {
		return 0
	}
	return uint32(reason)
}

// readHead reads the head of a request or a reply. It returns the words of the
// first line.
func readHead(r *bufio.Reader) (words []string, h Header, err error) {
	var head []byte
	for {
		line, err := r.ReadSlice('\n')
		if len(head)+len(line) > MaxHead || errors.Is(err, bufio.ErrBufferFull) {
			return nil, nil, protocolError("more than %d bytes of header", MaxHead)
		}
		if err != nil {
			if len(head)+len(line) > 0 {
				err = unexpectedEOF(err)
			}
			return nil, nil, err
		}
		if len(head) > 0 && len(bytes.TrimSpace(line)) == 0 {
			break
		}
		head = append(head, line...)
	}
	first, rest, _ := strings.Cut(string(head), "\n")
	h, err = parseHeader(rest)
	return strings.Fields(first), h, err
}

// readBody reads the body of a request or reply. Without a length there is
// none: the bytes that follow the reply to a control request are frames.
func readBody(r *bufio.Reader, h Header) ([]byte, error) {
	text := h.Get("Content-Length")
	if text == "" {
		return nil, nil
	}
	length, err := strconv.ParseUint(text, 10, 32)
	switch {
	case err != nil:
		return nil, protocolError("invalid Content-Length")
	case length > MaxBody:
		return nil, protocolError("body of %d bytes", length)
	case length == 0:
		return nil, nil
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, unexpectedEOF(err)
	}
	return body, nil
}

// unexpectedEOF returns err, for a reader that may not end here.
func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
