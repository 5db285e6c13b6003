package web

import (
	"errors"
	"net/http"
	"net/netip"
	"time"
)

const (
	cookieName = "ps4kit_session"
	maxForm    = 4 << 10 // bytes of the form of the sign-in page
)

// cookieOf returns what the browser shows of its session, or nothing.
func cookieOf(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie hands the browser its session, or takes it away with an empty secret. It is
// kept as long as browsers keep one: when the session ends is for the server to say.
func setCookie(w http.ResponseWriter, r *http.Request, secret string) {
	age := 400 * 24 * time.Hour
	if secret == "" {
		age = -time.Second
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: secret, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
}

// signIn handles the form of the sign-in page.
func (g *Guard) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		plain(w, http.StatusBadRequest, "The form did not arrive whole.")
		return
	}
	secret, err := g.open(r)
	var late *tooManyError
	switch {
	case errors.As(err, &late):
		late.header(w)
		plain(w, http.StatusTooManyRequests, "Too many tries. "+late.Hint())
	case err != nil:
		seeOther(w, "/login?failed=1")
	default:
		g.sessions.end(cookieOf(r))
		setCookie(w, r, secret)
		seeOther(w, "/")
	}
}

// open begins a session for who knows the password. A password that is changed while it
// is being verified is not good any more: change ends the sessions that it finds.
func (g *Guard) open(r *http.Request) (secret string, err error) {
	hash, err := g.verify(r.Context(), addressOf(r), r.PostForm.Get("password"))
	if err != nil {
		return "", err
	}
	secret = g.sessions.begin()
	if g.hash() != hash {
		g.sessions.end(secret)
		return "", errWrongPassword()
	}
	return secret, nil
}

func (g *Guard) signOut(w http.ResponseWriter, r *http.Request) {
	g.sessions.end(cookieOf(r))
	setCookie(w, r, "")
	seeOther(w, "/login")
}

// signedIn says whether the browser has a session.
func (g *Guard) signedIn(r *http.Request) bool {
	s := g.sessions.enter(cookieOf(r))
	if s == nil {
		return false
	}
	g.sessions.leave(s)
	return true
}

func seeOther(w http.ResponseWriter, path string) {
	w.Header().Set("Location", path)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}

// addressOf is where the request comes from. What a proxy says of that is not believed:
// everybody can say it.
func addressOf(r *http.Request) netip.Addr { return addressIn(r.RemoteAddr) }

// addressIn is that of "address:port"; zero for a connection without addresses.
func addressIn(text string) netip.Addr {
	from, _ := netip.ParseAddrPort(text)
	return from.Addr()
}
