package hapserver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"
)

// Limits of a request (docs/homekit.md §6), which apply before it is stored.
const (
	maxHeader       = 8 << 10 // bytes, with the request line
	maxHeaderLines  = 64
	maxBody         = 64 << 10
	maxStrangerBody = 4 << 10 // on an unverified connection
)

// Content types of HAP.
const (
	typeJSON = "application/hap+json"
	typeTLV  = "application/pairing+tlv8"
)

// statusAuthorization is the HTTP status for requests that need a verified
// connection.
const statusAuthorization = 470

// badRequest is the HTTP status for a request that cannot be read.
type badRequest int

func (status badRequest) Error() string { return http.StatusText(int(status)) }

const (
	errHeader    badRequest = http.StatusRequestHeaderFieldsTooLarge
	errBody      badRequest = http.StatusRequestEntityTooLarge
	errMalformed badRequest = http.StatusBadRequest
)

// readRequest reads a whole request. It returns a badRequest, or an error of the
// connection. Only the wait for the first byte from a verified controller has no
// limit, as it may be silent for days: keep-alive finds a dead one.
func (p *peer) readRequest() (*http.Request, error) {
	idle, limit := time.Now().Add(idleTime), int64(maxStrangerBody)
	if p.verified() {
		idle, limit = time.Time{}, maxBody
	}
	_ = p.conn.SetReadDeadline(idle) // fails only on a closed connection
	if _, err := p.in.Peek(1); err != nil {
		return nil, err
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(requestTime))
	header, err := readHeader(p.in)
	if err != nil {
		return nil, err
	}
	req, err := http.ReadRequest(bufio.NewReaderSize(bytes.NewReader(header), len(header)))
	if err != nil || req.ProtoMajor != 1 {
		return nil, errMalformed
	}
	body, err := readBody(p.in, req.ContentLength, limit)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return req.WithContext(p.ctx), nil
}

// readHeader reads lines up to an empty one.
func readHeader(r *bufio.Reader) ([]byte, error) {
	var header []byte
	for lines := 0; ; {
		part, err := r.ReadSlice('\n')
		if len(header)+len(part) > maxHeader {
			return nil, errHeader
		}
		header = append(header, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue // the line has more
		}
		if err != nil {
			return nil, err
		}
		if text := bytes.TrimSuffix(bytes.TrimSuffix(header, []byte("\n")), []byte("\r")); len(text) == 0 || text[len(text)-1] == '\n' {
			return header, nil
		}
		if lines++; lines > maxHeaderLines {
			return nil, errHeader
		}
	}
}

// readBody reads a body of known length, or in chunks if length is negative.
func readBody(r *bufio.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, errBody
	}
	if length >= 0 {
		body := make([]byte, length)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(r), limit+1))
	switch {
	case int64(len(body)) > limit:
		return nil, errBody
	case err != nil:
		return nil, errMalformed
	}
	_, err = readHeader(r) // the trailer
	return body, err
}

// refuse answers a request that could not be read, if anything of it arrived.
func (p *peer) refuse(err error) {
	status, ok := errors.AsType[badRequest](err)
	if !ok {
		return
	}
	p.s.log.Debugf("refused a request from %s: %v", p.addr, err)
	p.s.counts.answered("", int(status))
	w := newResponse(nil)
	w.Header().Set("Connection", "close")
	w.WriteHeader(int(status))
	if p.write(w.bytes()) == nil {
		p.linger()
	}
}

// body returns the body of a request that readRequest returned.
func body(r *http.Request) []byte {
	b, _ := io.ReadAll(r.Body) // never fails
	return b
}

// response is a ResponseWriter that collects an answer, to send it as one
// message.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
	noBody bool // for HEAD
}

func newResponse(req *http.Request) *response {
	return &response{header: http.Header{}, noBody: req != nil && req.Method == http.MethodHead}
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// bytes returns the message.
func (w *response) bytes() []byte {
	w.WriteHeader(http.StatusOK)
	text := http.StatusText(w.status)
	if w.status == statusAuthorization {
		text = "Connection Authorization Required"
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", w.status, text)
	if w.status != http.StatusNoContent {
		w.header.Set("Content-Length", strconv.Itoa(w.body.Len()))
	}
	_ = w.header.Write(&out) // never fails
	out.WriteString("\r\n")
	if !w.noBody {
		out.Write(w.body.Bytes())
	}
	return out.Bytes()
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil { // only a handler's response may not be JSON
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	respond(w, status, typeJSON, b)
}

func respond(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // never fails
}

// write sends a whole message, so that events and responses never mix. After an
// error the connection is unusable.
func (p *peer) write(message []byte) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.frames != nil {
		message = p.frames.seal(message)
	}
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeTime)) // fails only on a closed connection
	_, err := p.conn.Write(message)
	return err
}
