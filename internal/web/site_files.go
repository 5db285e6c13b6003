package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html"
	"net/http"
	"path"
	"strings"
	"time"
)

// files holds the files of the page, and those of docs/guide as HTML.
// TestGuideIsCurrent writes the latter: rendering them here would cost a
// megabyte of memory.
//
//go:embed page guide
var files embed.FS

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

// addFiles serves the page at /, which redirects strangers to /login, and its
// scripts, styles and images at /assets/NAME.
func addFiles(mux *http.ServeMux, g *Guard, passwordCommand string) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s := g.sessions.enter(cookieOf(r, sessionCookie))
		if s == nil {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		defer g.sessions.leave(s)
		g.remember(w, r) // a new password made the browser a stranger
		serveHTML(w, r, "page/index.html")
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		serveHTML(w, r, "page/login.html", "{{hint}}", g.signInHint(passwordCommand))
	})
	mux.HandleFunc("GET /assets/{name...}", func(w http.ResponseWriter, r *http.Request) {
		name := "page/" + r.PathValue("name")
		body, err := files.ReadFile(name)
		if err != nil || path.Ext(name) == ".html" {
			http.NotFound(w, r)
			return
		}
		serveFile(w, r, name, body)
	})
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

// addGuide serves the guide at /guide/. It needs no sign-in, because it explains
// how to sign in, and contains nothing that isn't public.
func addGuide(mux *http.ServeMux) {
	serve := func(w http.ResponseWriter, r *http.Request, name string) {
		body, err := files.ReadFile("guide/" + name + ".html")
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, title, _ := strings.Cut(string(body), ">") // of <h1 id="…">
		title, _, _ = strings.Cut(title, "</h1>")
		serveHTML(w, r, "page/guide.html", "{{title}}", title, "{{body}}", string(body))
	}
	mux.HandleFunc("GET /guide/{$}", func(w http.ResponseWriter, r *http.Request) { serve(w, r, "README") })
	mux.HandleFunc("GET /guide/{page}", func(w http.ResponseWriter, r *http.Request) { serve(w, r, r.PathValue("page")) })
}

// serveHTML serves an HTML file of the page with the given replacements.
func serveHTML(w http.ResponseWriter, r *http.Request, name string, oldnew ...string) {
	body, _ := files.ReadFile(name) // its callers name only existing files
	serveFile(w, r, name, []byte(strings.NewReplacer(oldnew...).Replace(string(body))))
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
