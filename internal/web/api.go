package web

import (
	"net/http"
	"slices"
	"strings"
)

const prefix = "/api/v1"

// API serves a Backend under /api/v1: JSON in and out, errors as in docs/cli.md.
// A console is named in the path, percent-escaped; "-" stands for the only one there
// is. A command ends when its sender goes away, however long the console takes.
//
// It asks for no password and tells secrets: put it behind something that guards
// them, as the permissions of the socket do.
func API(b Backend) http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, r := range routes(b) {
		method, path, _ := strings.Cut(r.pattern, " ")
		mux.Handle(method+" "+prefix+path, r.handler)
		allowed[path] = append(allowed[path], method)
	}
	for path, methods := range allowed {
		mux.Handle(prefix+path, wrongMethod(methods))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, errNoRoute()) })
	return mux
}

// route is a request of the API, "GET /homekit", and what carries it out.
type route struct {
	pattern string // its path is below prefix
	handler http.Handler
}

func routes(b Backend) []route {
	return slices.Concat(consoleRoutes(b), keyboardRoutes(b), titleRoutes(b), userRoutes(b), homekitRoutes(b), checkRoutes(b))
}

func consoleRoutes(b Backend) []route {
	return []route{
		{"GET /consoles", answer(func(r *http.Request) ([]Console, error) {
			return some(b.Consoles(r.Context()))
		})},
		{"GET /consoles/{host}", answer(func(r *http.Request) (Console, error) {
			return b.Status(r.Context(), segment(r, "host"))
		})},
		{"POST /search", exchange(func(r *http.Request, in searchRequest) ([]Console, error) {
			wait, err := in.wait()
			if err != nil {
				return nil, err
			}
			return some(b.Search(r.Context(), wait))
		})},
		{"POST /consoles/{host}/power", obey(func(r *http.Request, in powerRequest) error {
			return power(b, r, in)
		})},
		{"POST /consoles/{host}/start", obey(func(r *http.Request, in startRequest) error {
			return b.Start(r.Context(), segment(r, "host"), in.Title, in.NoQuit)
		})},
		{"POST /consoles/{host}/keys", obey(func(r *http.Request, in keysRequest) error {
			return b.Keys(r.Context(), segment(r, "host"), in.Keys)
		})},
		{"POST /consoles/{host}/link", obey(func(r *http.Request, in linkRequest) error {
			return b.Link(r.Context(), segment(r, "host"), in.PIN)
		})},
	}
}

func power(b Backend, r *http.Request, in powerRequest) error {
	switch {
	case in.State == StateAwake:
		return b.Wake(r.Context(), segment(r, "host"), in.Wait)
	case in.State == StateStandby && in.Wait:
		return errBadRequest("wait is for the state awake only: rest mode is always waited for")
	case in.State == StateStandby:
		return b.Standby(r.Context(), segment(r, "host"))
	}
	return errBadRequest(`state must be "awake" or "standby"`)
}

func keyboardRoutes(b Backend) []route {
	return []route{
		{"GET /consoles/{host}/keyboard", answer(func(r *http.Request) (Keyboard, error) {
			return b.Keyboard(r.Context(), segment(r, "host"))
		})},
		{"PUT /consoles/{host}/keyboard", obey(func(r *http.Request, in textRequest) error {
			if in.Text == nil {
				return errBadRequest("text is missing")
			}
			return b.SetText(r.Context(), segment(r, "host"), *in.Text)
		})},
		{"POST /consoles/{host}/keyboard/submit", obey(func(r *http.Request, in textRequest) error {
			return b.Submit(r.Context(), segment(r, "host"), in.Text)
		})},
		{"DELETE /consoles/{host}/keyboard", carryOut(func(r *http.Request) error {
			return b.CloseKeyboard(r.Context(), segment(r, "host"))
		})},
	}
}

func titleRoutes(b Backend) []route {
	return []route{
		{"GET /consoles/{host}/titles", answer(func(r *http.Request) ([]Title, error) {
			return some(b.Titles(r.Context(), segment(r, "host")))
		})},
		{"POST /consoles/{host}/titles", obey(func(r *http.Request, in titleRequest) error {
			return b.AddTitle(r.Context(), segment(r, "host"), in.ID, in.Name)
		})},
		{"PATCH /consoles/{host}/titles/{id}", obey(func(r *http.Request, in titleChange) error {
			return changeTitle(b, r, in)
		})},
		{"DELETE /consoles/{host}/titles/{id}", carryOut(func(r *http.Request) error {
			return b.ForgetTitle(r.Context(), segment(r, "host"), segment(r, "id"))
		})},
	}
}

// changeTitle takes one change at a time, so that none is ever half done.
func changeTitle(b Backend, r *http.Request, in titleChange) error {
	host, id := segment(r, "host"), segment(r, "id")
	switch {
	case in.Name != nil && in.Hidden == nil && in.Pinned == nil:
		return b.RenameTitle(r.Context(), host, id, *in.Name)
	case in.Name == nil && in.Hidden != nil && in.Pinned == nil:
		return b.HideTitle(r.Context(), host, id, *in.Hidden)
	case in.Name == nil && in.Hidden == nil && in.Pinned != nil:
		return b.PinTitle(r.Context(), host, id, *in.Pinned)
	}
	return errBadRequest("give exactly one of name, hidden and pinned")
}

// userRoutes are those of the PSN user; without a console, of the default one.
func userRoutes(b Backend) []route {
	set := obey(func(r *http.Request, in User) error {
		return b.SetCredential(r.Context(), segment(r, "host"), in)
	})
	get := answer(func(r *http.Request) (User, error) {
		return b.Credential(r.Context(), segment(r, "host"))
	})
	return []route{
		{"PUT /credential", set},
		{"PUT /consoles/{host}/credential", set},
		{"GET /credential", get},
		{"GET /consoles/{host}/credential", get},
	}
}

func homekitRoutes(b Backend) []route {
	return []route{
		{"GET /homekit", answer(func(r *http.Request) ([]Accessory, error) {
			return some(b.Homekit(r.Context()))
		})},
		{"DELETE /homekit/{host}/pairings", carryOut(func(r *http.Request) error {
			return b.ResetHomekit(r.Context(), segment(r, "host"))
		})},
		{"GET /backup", answer(func(r *http.Request) (archive, error) {
			return b.Backup(r.Context())
		})},
	}
}

// some makes an empty list of none, which is [] in JSON and not null.
func some[T any](list []T, err error) ([]T, error) {
	if list == nil {
		list = []T{}
	}
	return list, err
}
