package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/http"
	"path"
	"time"

	"github.com/ps4kit/ps4kit/internal/web/page"
)

// contentTypes are fixed, because package mime depends on the machine.
var contentTypes = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".webmanifest": "application/manifest+json",
	".txt":         "text/plain; charset=utf-8",
}

// addFiles serves login.html at /login, index.html at /, which redirects
// strangers to /login, and every other file at /assets/NAME.
func addFiles(mux *http.ServeMux, g *Guard, passwordCommand string) {
	for _, name := range page.Names() {
		body, _ := page.FS.ReadFile(name) // one of page.Names
		serve := func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, name, body) }
		switch name {
		case "guide.html": // see addGuide
		case "login.html":
			mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
				hint := g.signInHint(passwordCommand)
				serveFile(w, r, name, bytes.Replace(body, []byte("{{hint}}"), []byte(hint), 1))
			})
		case "index.html":
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				if !g.signedIn(r) {
					seeOther(w, "/login")
					return
				}
				g.remember(w, r) // a new password made the browser a stranger
				serve(w, r)
			})
		default:
			mux.HandleFunc("GET /assets/"+name, serve)
		}
	}
}

// signInHint returns HTML that says where the password comes from. command shows
// the first password.
func (g *Guard) signInHint(command string) string {
	code := func(command string) string { return "<code>" + html.EscapeString(command) + "</code>" }
	_, err := g.FirstPassword()
	switch {
	case g.configured != "":
		return "The configuration sets the password: " + code("web.password_hash") + "."
	case err != nil:
		return "Lost the password? Run " + code(command+" --new") + " on the machine that runs ps4kit."
	}
	return "First time here? Run " + code(command) + " on the machine that runs ps4kit. It prints the password."
}

// serveFile lets the browser cache a file, but check each time whether it
// changed.
func serveFile(w http.ResponseWriter, r *http.Request, name string, body []byte) {
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}
