package hapserver

import (
	"bytes"
	"crypto/cipher"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Content types of HAP.
const (
	typeJSON = "application/hap+json"
	typeTLV  = "application/pairing+tlv8"
)

// statusAuthorization is what a connection gets that has not verified itself.
const statusAuthorization = 470

// response collects an answer, so that it is written as one message.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
	noBody bool // the answer to a HEAD
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

// bytes returns the message. Handlers of net/http set headers that only matter to browsers; they do no harm.
func (w *response) bytes() []byte {
	w.WriteHeader(http.StatusOK)
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", w.status, statusText(w.status))
	if w.status != http.StatusNoContent {
		w.header.Set("Content-Length", strconv.Itoa(w.body.Len()))
	}
	_ = w.header.Write(&out) // a bytes.Buffer
	out.WriteString("\r\n")
	if !w.noBody {
		out.Write(w.body.Bytes())
	}
	return out.Bytes()
}

func statusText(status int) string {
	if status == statusAuthorization {
		return "Connection Authorization Required"
	}
	return http.StatusText(status)
}

// writeJSON answers with v. Values were marshalled before, so nothing in v can fail.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(b) // into memory
}

// writeTLV answers with items.
func writeTLV(w http.ResponseWriter, status int, t tlv) {
	w.Header().Set("Content-Type", typeTLV)
	w.WriteHeader(status)
	_, _ = w.Write(t.encode()) // into memory
}

// messageWriter writes whole messages, one at a time, so that events and responses never mix. A message has to be
// taken in time; after an error the connection cannot be used any more.
type messageWriter struct {
	conn    net.Conn
	timeout time.Duration
	mu      sync.Mutex
	frames  *frameSealer // nil: in the clear
}

func (w *messageWriter) write(message []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.frames != nil {
		message = w.frames.seal(message)
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return err
	}
	_, err := w.conn.Write(message)
	return err
}

// encrypt makes the next message the first one in frames.
func (w *messageWriter) encrypt(aead cipher.AEAD) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames = &frameSealer{aead: aead}
}
