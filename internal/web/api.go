package web

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

const prefix = "/api/v1"

// API serves a Backend and, unless that is nil, a Page under /api/v1: JSON in and out,
// errors as in docs/cli.md.
// A console is named in the path, percent-escaped; "-" stands for the only one there
// is. A command ends when its sender goes away, however long the console takes.
//
// may refuses who must not do what a route takes; with nil everybody may, and what the
// API tells is secret: that is for the socket, whose permissions guard it.
func API(b Backend, p Page, may Permission) http.Handler {
	return api(slices.Concat(routes(b), pageRoutes(p, may)), may)
}

func api(routes []route, may Permission) http.Handler {
	return atFirst(func() http.Handler { return newAPI(routes, may) })
}

// atFirst is a handler that is made at the first request: a start does not wait for it.
func atFirst(made func() http.Handler) http.Handler {
	made = sync.OnceValue(made)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { made().ServeHTTP(w, r) })
}

func newAPI(routes []route, may Permission) http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, r := range routes {
		method, path, _ := strings.Cut(r.pattern, " ")
		mux.Handle(method+" "+prefix+path, guarded(r, may))
		allowed[path] = append(allowed[path], method)
	}
	mux.Handle("/", noRoute(allowed))
	return mux
}

// noRoute answers what is no route: another method of one, or nothing at all.
func noRoute(allowed map[string][]string) http.Handler {
	mux := http.NewServeMux()
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
	access  Access // the zero value: AccessControl
}

// Access is what somebody must be allowed to before a route answers.
type Access uint8

// Each level includes those before it.
const (
	AccessControl Access = iota // see and drive the consoles and their titles
	AccessAdmin                 // set up: link, credentials, HomeKit, settings
	AccessOwner                 // for a person at the page, never a token: backups, the password, tokens
	AccessSocket                // for the socket alone: what tells a stored secret
)

// Permission says with an *Error why a request must not do what needs that access, or
// nil when it may.
type Permission func(r *http.Request, need Access) error

func guarded(r route, may Permission) http.Handler {
	if may == nil {
		return r.handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := may(req, r.access); err != nil {
			refuse(w, err)
			return
		}
		r.handler.ServeHTTP(w, req)
	})
}

func routes(b Backend) []route {
	return slices.Concat(consoleRoutes(b), keyboardRoutes(b), titleRoutes(b), userRoutes(b), homekitRoutes(b), checkRoutes(b), passwordRoutes(b), documentRoutes())
}

func consoleRoutes(b Backend) []route {
	return []route{
		{pattern: "GET /consoles", handler: answer(func(r *http.Request) ([]Console, error) {
			return some(b.Consoles(r.Context()))
		})},
		{pattern: "GET /consoles/{host}", handler: answer(func(r *http.Request) (Console, error) {
			return b.Status(r.Context(), segment(r, "host"))
		})},
		{pattern: "POST /search", handler: exchange(func(r *http.Request, in searchRequest) ([]Console, error) {
			wait, err := in.wait()
			if err != nil {
				return nil, err
			}
			return some(b.Search(r.Context(), wait))
		})},
		{pattern: "POST /consoles/{host}/power", handler: obey(func(r *http.Request, in powerRequest) error {
			return power(b, r, in)
		})},
		{pattern: "POST /consoles/{host}/start", handler: obey(func(r *http.Request, in startRequest) error {
			return b.Start(r.Context(), segment(r, "host"), in.Title, in.NoQuit)
		})},
		{pattern: "POST /consoles/{host}/keys", handler: obey(func(r *http.Request, in keysRequest) error {
			return b.Keys(r.Context(), segment(r, "host"), in.Keys)
		})},
		{pattern: "POST /consoles/{host}/link", handler: obey(func(r *http.Request, in linkRequest) error {
			return b.Link(r.Context(), segment(r, "host"), in.PIN)
		}), access: AccessAdmin},
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
		{pattern: "GET /consoles/{host}/keyboard", handler: answer(func(r *http.Request) (Keyboard, error) {
			return b.Keyboard(r.Context(), segment(r, "host"))
		})},
		{pattern: "PUT /consoles/{host}/keyboard", handler: obey(func(r *http.Request, in textRequest) error {
			if in.Text == nil {
				return errBadRequest("text is missing")
			}
			return b.SetText(r.Context(), segment(r, "host"), *in.Text)
		})},
		{pattern: "POST /consoles/{host}/keyboard/submit", handler: obey(func(r *http.Request, in textRequest) error {
			return b.Submit(r.Context(), segment(r, "host"), in.Text)
		})},
		{pattern: "DELETE /consoles/{host}/keyboard", handler: carryOut(func(r *http.Request) error {
			return b.CloseKeyboard(r.Context(), segment(r, "host"))
		})},
	}
}

func titleRoutes(b Backend) []route {
	return []route{
		{pattern: "GET /consoles/{host}/titles", handler: answer(func(r *http.Request) ([]Title, error) {
			return some(b.Titles(r.Context(), segment(r, "host")))
		})},
		{pattern: "POST /consoles/{host}/titles", handler: obey(func(r *http.Request, in titleRequest) error {
			return b.AddTitle(r.Context(), segment(r, "host"), in.ID, in.Name)
		})},
		{pattern: "PATCH /consoles/{host}/titles/{id}", handler: obey(func(r *http.Request, in titleChange) error {
			return changeTitle(b, r, in)
		})},
		{pattern: "DELETE /consoles/{host}/titles/{id}", handler: carryOut(func(r *http.Request) error {
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
		{pattern: "PUT /credential", handler: set, access: AccessAdmin},
		{pattern: "PUT /consoles/{host}/credential", handler: set, access: AccessAdmin},
		{pattern: "GET /credential", handler: get, access: AccessSocket},
		{pattern: "GET /consoles/{host}/credential", handler: get, access: AccessSocket},
	}
}

func homekitRoutes(b Backend) []route {
	return []route{
		{pattern: "GET /homekit", handler: answer(func(r *http.Request) ([]Accessory, error) {
			return some(b.Homekit(r.Context()))
		}), access: AccessAdmin},
		{pattern: "DELETE /homekit/{host}/pairings", handler: carryOut(func(r *http.Request) error {
			return b.ResetHomekit(r.Context(), segment(r, "host"))
		}), access: AccessAdmin},
		{pattern: "GET /backup", handler: answer(func(r *http.Request) (archive, error) {
			return b.Backup(r.Context())
		}), access: AccessOwner},
	}
}

// some makes an empty list of none, which is [] in JSON and not null.
func some[T any](list []T, err error) ([]T, error) {
	if list == nil {
		list = []T{}
	}
	return list, err
}
