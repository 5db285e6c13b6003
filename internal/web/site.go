package web

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/ps4kit/ps4kit/internal/api"
)

// SiteOptions are the parts of the site. Metrics and AllowedHosts are optional.
type SiteOptions struct {
	Services       api.Services // Accounts is set by Site
	Guard          *Guard
	Unready        func() []string // why the server isn't ready, for /readyz: host ids, but no secrets
	Metrics        http.Handler    // nil: no /metrics
	AllowedHosts   []string        // more names of this machine
	TrustedProxies []netip.Prefix  // see behindProxies
	Version        string
	Simulated      bool

	PasswordCommand string // shows the first password, on this kind of installation
}

// Site returns what web.listen serves. From the outside in: headers for
// browsers, the check of Host, the check of Origin, the routes. Health, metrics,
// the guide and the sign-in page need no sign-in; "/" redirects strangers there.
func Site(o SiteOptions) http.Handler {
	services := o.Services
	services.Accounts = accounts{o.Guard, o.Version, o.Simulated}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if reasons := o.Unready(); len(reasons) > 0 {
			http.Error(w, "not ready\n"+strings.Join(reasons, "\n"), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	mux.Handle(api.Prefix+"/", o.Guard.identify(api.Handler(services)))
	mux.HandleFunc("POST /login", o.Guard.signIn)
	mux.HandleFunc("POST /logout", o.Guard.signOut)
	addFiles(mux, o.Guard, o.PasswordCommand)
	addGuide(mux)
	checked := checkHost(slices.Concat(localNames(), o.AllowedHosts), checkOrigin(mux))
	return behindProxies(o.TrustedProxies, withHeaders(checked))
}

// deny rejects a request before it reaches a route, in the format of the route.
func deny(w http.ResponseWriter, r *http.Request, e *api.Error) {
	if strings.HasPrefix(r.URL.Path, api.Prefix) {
		api.WriteError(w, e)
		return
	}
	e.SetHeader(w.Header())
	http.Error(w, e.Message+". "+e.Hint, api.HTTPStatus(e.Code))
}

// policy lets the page load only its own files, run nothing inline, whatever a
// console or a title is called, and appear in no other page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// withHeaders restricts what browsers do with the answers. The routes of files
// and covers replace Cache-Control.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		// "no-referrer" makes browsers send forms with the origin "null", which
		// checkOrigin rejects.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// checkOrigin rejects writes that another site makes a browser send.
func checkOrigin(next http.Handler) http.Handler {
	check := http.NewCrossOriginProtection()
	check.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deny(w, r, &api.Error{Code: api.CodeForbidden, Message: "the request came from a page on another address",
			Hint: "Use the page of ps4kit; a reverse proxy must pass on the Host header unchanged."})
	}))
	return check.Handler(next)
}

// localNames returns the names of this machine.
func localNames() []string {
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "" {
		short, _, _ := strings.Cut(strings.ToLower(host), ".")
		names = append(names, strings.ToLower(host), short, short+".local")
	}
	return names
}

// checkHost rejects requests whose Host is neither one of names nor an IP
// address. It protects from DNS rebinding, where a hostile page gives its own
// name the address of this machine.
func checkHost(names []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.ToLower(strings.TrimSuffix((&url.URL{Host: r.Host}).Hostname(), "."))
		if _, err := netip.ParseAddr(name); err != nil && !slices.Contains(names, name) {
			deny(w, r, &api.Error{Code: api.CodeUnknownHost, Message: "the page is not served under this name",
				Hint: "Use the IP address of the machine, or add the name to web.allowed_hosts in config.yaml."})
			return
		}
		next.ServeHTTP(w, r)
	})
}
