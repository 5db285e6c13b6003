package web

import "net/http"

// policy lets a page load nothing but its own files, and be shown in no other page.
// Nothing inline runs, so that a hostile name of a console or a title cannot.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// withHeaders tells browsers what they must not do with an answer.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// With "no-referrer" browsers send forms with the origin "null", which checkOrigin
		// would refuse.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// checkOrigin refuses what another page makes a browser do here.
func checkOrigin(next http.Handler) http.Handler {
	check := http.NewCrossOriginProtection()
	check.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deny(w, r, &Error{Code: codeForbidden, Message: "this was sent by a page of another address",
			Hint: "Do it on the page of ps4kit; a reverse proxy must pass on the header Host as it is."})
	}))
	return check.Handler(next)
}
