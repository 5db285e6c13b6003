package web

import (
	"net/http"
	"slices"
	"strings"
)

// SiteOptions say what web.listen serves. All but Metrics and AllowedHosts are needed.
type SiteOptions struct {
	Backend      Backend
	Page         Page
	Guard        *Guard
	Unready      func() []string // see Health
	Metrics      http.Handler    // nil: there is none
	AllowedHosts []string        // names of this machine beside those of localNames
	Version      string
	Simulated    bool
}

// Site serves web.listen. From the outside to the inside: headers for browsers, the
// names by which it may be reached, the origin of writes, then the routes. Health,
// metrics, the sign-in page and its files need no sign-in; "/" leads a stranger there.
func Site(o SiteOptions) http.Handler {
	mux := http.NewServeMux()
	health := Health(o.Unready)
	mux.Handle("/healthz", health)
	mux.Handle("/readyz", health)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	mux.Handle(prefix+"/", o.Guard.admit(api(o.routes(), o.Guard.may)))
	mux.HandleFunc("POST /login", o.Guard.signIn)
	mux.HandleFunc("POST /logout", o.Guard.signOut)
	addFiles(mux, o.Guard.signedIn)
	return withHeaders(checkHost(slices.Concat(localNames(), o.AllowedHosts), checkOrigin(mux)))
}

// routes are those of the API on the page: of the socket's, and its own.
func (o SiteOptions) routes() []route {
	return slices.Concat(routes(o.Backend), pageRoutes(o.Page, o.Guard.may), guardRoutes(o))
}

// deny refuses a request before it gets to a route, in the form of what was asked for.
func deny(w http.ResponseWriter, r *http.Request, e *Error) {
	if strings.HasPrefix(r.URL.Path, prefix) {
		refuse(w, e)
		return
	}
	plain(w, statusOf(e.Code), e.Message+". "+e.Hint)
}
