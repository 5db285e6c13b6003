package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rsc.io/qr"
)

// result is a result that is not JSON with the status 200. Its zero value knows
// the media type.
type result interface {
	mediaType() string
	write(w http.ResponseWriter, r *http.Request)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"failed","message":"the answer is not JSON"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// Archive is a backup: a gzipped tar.
type Archive []byte

const (
	maxBackup   = 16 << 20        // bytes
	restoreTime = 2 * time.Minute // for a backup to arrive
)

func (Archive) mediaType() string { return "application/gzip" }

func (a Archive) write(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Disposition", `attachment; filename="ps4kit-backup.tar.gz"`)
	_, _ = w.Write(a)
}

func (a *Archive) read(w http.ResponseWriter, r *http.Request) (err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != a.mediaType() {
		return &Error{Code: codeMediaType, Message: "the body must be a backup of the type application/gzip"}
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restoreTime)) // ReadTimeout is too short
	*a, err = readBody(w, r, maxBackup)
	return err
}

func (Picture) mediaType() string { return "image/*" }

// write lets the browser keep the picture, and ask whether it is still current.
func (p Picture) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", p.Type)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", p.ETag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Data))
}

// CoverPath returns the path of a title's cover in a size.
func CoverPath(titleID string, size int) string {
	return fmt.Sprintf("%s/titles/%s/cover?size=%d", Prefix, url.PathEscape(titleID), size)
}

// vector is an SVG image.
type vector []byte

func (vector) mediaType() string { return "image/svg+xml" }

func (v vector) write(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(v) }

// qrCode draws a text as a QR code of level M (docs/homekit.md §3).
func qrCode(text string) (vector, error) {
	const quiet = 4 // modules of white around the code
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("drawing the QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	side := code.Size + 2*quiet
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges">`+
		`<title>QR code</title><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%[2]s"/></svg>`, side, path.String()), nil
}
