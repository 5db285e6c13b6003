package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/ps4kit/ps4kit/internal/web/page"
)

// contentTypes of the files of the page. The table of package mime follows the machine.
var contentTypes = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".ico":         "image/vnd.microsoft.icon",
	".webmanifest": "application/manifest+json",
}

// addFiles serves the files of the page: index.html at /, which leads a stranger to
// login.html at /login, and every other one at /assets/NAME.
func addFiles(mux *http.ServeMux, signedIn func(*http.Request) bool) {
	list, _ := fs.ReadDir(page.FS, ".") // an embedded folder is there
	for _, entry := range list {
		file := newFile(entry.Name())
		switch entry.Name() {
		case "login.html":
			mux.Handle("GET /login", file)
		case "index.html":
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				if !signedIn(r) {
					seeOther(w, "/login")
					return
				}
				file.ServeHTTP(w, r)
			})
		default:
			mux.Handle("GET /assets/"+entry.Name(), file)
		}
	}
}

// file is one file of the page.
type file struct {
	name string
	load func() variants
}

// variants of a file: as it is, and compressed.
type variants struct{ raw, zipped variant }

type variant struct {
	body []byte
	etag string
}

// newFile reads nothing yet: a page that nobody looks at takes no memory.
func newFile(name string) file {
	return file{name, sync.OnceValue(func() variants {
		raw, _ := page.FS.ReadFile(name)
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one of gzip's
		_, _ = z.Write(raw)                                   // a buffer takes everything
		_ = z.Close()
		return variants{newVariant(raw), newVariant(b.Bytes())}
	})}
}

func newVariant(body []byte) variant {
	sum := sha256.Sum256(body)
	return variant{body, `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// ServeHTTP lets the browser keep the file, and ask each time whether it is new.
func (f file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(f.name)])
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	v := f.load().raw
	if httpguts.HeaderValuesContainsToken(r.Header["Accept-Encoding"], "gzip") {
		v = f.load().zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", v.etag)
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(v.body))
}
