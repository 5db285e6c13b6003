package hapserver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf8"
)

var (
	errTooLarge  = errors.New("the request is too large")
	errMalformed = errors.New("the request is not HTTP/1")
)

// quotaReader fails with errTooLarge when more than its quota is read.
type quotaReader struct {
	r    io.Reader
	left int
}

func (q *quotaReader) Read(p []byte) (int, error) {
	if q.left <= 0 {
		return 0, errTooLarge
	}
	n, err := q.r.Read(p[:min(len(p), q.left)])
	q.left -= n
	return n, err
}

// readRequest waits for a request and reads all of it. It does not wait for ever, except for the first byte from a
// verified controller, which may be silent for days: TCP's keep-alive finds it dead.
func (p *peer) readRequest() (*http.Request, error) {
	idle, most := time.Now().Add(p.s.lim.Idle), maxStrangerBody
	if p.verified() {
		idle, most = time.Time{}, maxBody
	}
	p.quota.left = maxHeader + 2*most // chunks and frames cost something beside the body
	if err := p.conn.SetReadDeadline(idle); err != nil {
		return nil, err
	}
	if _, err := p.in.Peek(1); err != nil {
		return nil, err
	}
	if err := p.conn.SetReadDeadline(time.Now().Add(p.s.lim.Request)); err != nil {
		return nil, err
	}
	req, err := parseRequest(p.in, most)
	if err != nil {
		return nil, err
	}
	req.RemoteAddr = p.conn.RemoteAddr().String()
	return req.WithContext(p.ctx), nil
}

// parseRequest reads a request and its body of at most most bytes. What is not HTTP is errMalformed; an error of the
// connection comes as it is.
func parseRequest(r *bufio.Reader, most int) (*http.Request, error) {
	req, err := http.ReadRequest(r)
	switch {
	case err == nil && req.ProtoMajor == 1:
	case isConnError(err):
		return nil, err
	default:
		return nil, errMalformed
	}
	if req.ContentLength > int64(most) {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, int64(most)+1))
	switch {
	case len(body) > most:
		return nil, errTooLarge
	case err != nil && !isConnError(err):
		return nil, errMalformed
	case err != nil:
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return req, nil
}

// isConnError tells an error of the connection from one of what came over it.
func isConnError(err error) bool {
	var timeout net.Error
	return errors.Is(err, errTooLarge) || errors.Is(err, errFrame) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.As(err, &timeout)
}

// refuse answers a request that could not be read, if there is anything to answer.
func (p *peer) refuse(err error) {
	status := 0
	switch {
	case errors.Is(err, errTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, errMalformed):
		status = http.StatusBadRequest
	default:
		return
	}
	p.s.counts.answered("", status)
	w := newResponse(nil)
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
	if p.out.write(w.bytes()) == nil {
		p.linger()
	}
}

// body returns the body of a request, which has been read already.
func body(r *http.Request) []byte {
	b, _ := io.ReadAll(r.Body) // a bytes.Reader
	return b
}

// text tells whether b can be JSON: encoding/json would replace what is not UTF-8.
func text(b []byte) bool { return utf8.Valid(b) }

func discard(r io.Reader) { _, _ = io.Copy(io.Discard, r) }
