package web

import (
	"embed"
	"net/http"
	"strings"

	"github.com/ps4kit/ps4kit/internal/web/page"
)

// guide holds the pages of docs/guide as HTML. TestGuideIsCurrent writes them:
// rendering them here would cost a megabyte of memory.
//
//go:embed guide/*.html
var guide embed.FS

// addGuide serves the guide at /guide/. It needs no sign-in, because it explains
// how to sign in, and contains nothing that isn't public.
func addGuide(mux *http.ServeMux) {
	frame, _ := page.FS.ReadFile("guide.html")
	serve := func(w http.ResponseWriter, r *http.Request, name string) {
		body, err := guide.ReadFile("guide/" + name + ".html")
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, title, _ := strings.Cut(string(body), ">") // of <h1 id="…">
		title, _, _ = strings.Cut(title, "</h1>")
		text := strings.NewReplacer("{{title}}", title, "{{body}}", string(body)).Replace(string(frame))
		serveFile(w, r, "guide.html", []byte(text))
	}
	mux.HandleFunc("GET /guide/{$}", func(w http.ResponseWriter, r *http.Request) { serve(w, r, "README") })
	mux.HandleFunc("GET /guide/{page}", func(w http.ResponseWriter, r *http.Request) { serve(w, r, r.PathValue("page")) })
}
