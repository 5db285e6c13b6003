package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/ps4kit/ps4kit/internal/web/page"
)

// contentTypes are fixed, because package mime depends on the machine.
var contentTypes = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".png":         "image/png",
	".ico":         "image/vnd.microsoft.icon",
	".webmanifest": "application/manifest+json",
}

// addFiles serves login.html at /login, index.html at /, which redirects
// strangers to /login, and every other file at /assets/NAME.
func addFiles(mux *http.ServeMux, g *Guard) {
	all := sync.OnceValue(readFiles) // compresses on first use
	for _, name := range page.Names() {
		serve := func(w http.ResponseWriter, r *http.Request) { all()[name].serve(w, r, name) }
		switch name {
		case "login.html":
			mux.HandleFunc("GET /login", serve)
		case "index.html":
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				if !g.signedIn(r) {
					seeOther(w, "/login")
					return
				}
				g.remember(w, r) // a new password made it a stranger
				serve(w, r)
			})
		default:
			mux.HandleFunc("GET /assets/"+name, serve)
		}
	}
}

// file is one file of the page: as it is, and compressed.
type file struct{ raw, zipped variant }

type variant struct {
	body []byte
	etag string
}

// readFiles reads and compresses every file. It reuses one compressor, which
// takes more memory than all files together.
func readFiles() map[string]file {
	all := map[string]file{}
	z, _ := gzip.NewWriterLevel(nil, gzip.BestCompression) // the level is valid
	for _, name := range page.Names() {
		raw, _ := page.FS.ReadFile(name)
		var zipped bytes.Buffer
		z.Reset(&zipped)
		_, _ = z.Write(raw) // cannot fail
		_ = z.Close()
		all[name] = file{newVariant(raw), newVariant(zipped.Bytes())}
	}
	return all
}

func newVariant(body []byte) variant {
	sum := sha256.Sum256(body)
	return variant{body, `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// serve lets the browser cache the file, but check each time whether it changed.
func (f file) serve(w http.ResponseWriter, r *http.Request, name string) {
	h, v := w.Header(), f.raw
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	if httpguts.HeaderValuesContainsToken(r.Header["Accept-Encoding"], "gzip") {
		v = f.zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", v.etag)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(v.body))
}
