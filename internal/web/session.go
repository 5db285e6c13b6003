package web

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Sessions are kept in memory only: a restart of the server ends them.
const (
	sessionLife = 7 * 24 * time.Hour // without a request
	maxSessions = 64                 // beyond that, the least recently used one ends
)

// sessions are the signed-in browsers, by the hash of their cookie.
type sessions struct {
	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*session
}

// session is a signed-in browser.
type session struct {
	used time.Time
	open int // running requests; an open page always has one, its events
	life *life
}

func (s *session) expired(now time.Time) bool {
	return s.open == 0 && now.Sub(s.used) >= sessionLife
}

// begin makes a session and returns its cookie.
func (ss *sessions) begin() (secret string) {
	secret = rand.Text()
	s := &session{used: time.Now(), life: newLife()}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.makeRoom()
	if ss.byHash == nil {
		ss.byHash = map[[sha256.Size]byte]*session{}
	}
	ss.byHash[sha256.Sum256([]byte(secret))] = s
	return secret
}

// makeRoom ends expired sessions and, if there are still too many, the least
// recently used ones.
func (ss *sessions) makeRoom() {
	now := time.Now()
	ss.remove(func(s *session) bool { return s.expired(now) })
	for len(ss.byHash) >= maxSessions {
		var oldest *session
		for _, s := range ss.byHash {
			if oldest == nil || s.used.Before(oldest.used) {
				oldest = s
			}
		}
		ss.remove(func(s *session) bool { return s == oldest })
	}
}

// remove ends the sessions that match.
func (ss *sessions) remove(match func(*session) bool) {
	for hash, s := range ss.byHash {
		if match(s) {
			s.life.end()
			delete(ss.byHash, hash)
		}
	}
}

// enter returns the session of a cookie, or nil. The session doesn't expire
// until leave.
func (ss *sessions) enter(secret string) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.byHash[sha256.Sum256([]byte(secret))]
	if s == nil || s.expired(time.Now()) {
		return nil
	}
	s.open++
	s.used = time.Now()
	return s
}

func (ss *sessions) leave(s *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s.open--
	s.used = time.Now()
}

// end ends the session of a cookie, if there is one.
func (ss *sessions) end(secret string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ended := ss.byHash[sha256.Sum256([]byte(secret))]
	ss.remove(func(s *session) bool { return s == ended })
}

// endAll ends every session except one, which may be nil.
func (ss *sessions) endAll(but *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.remove(func(s *session) bool { return s != but })
}

const (
	sessionCookie = "ps4kit_session"
	maxForm       = 4 << 10 // bytes of the form of the sign-in page
)

// cookieOf returns the value of a cookie, or "".
func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie, or deletes it if the value is empty. The server
// decides when a session ends, so the cookie lives as long as browsers allow.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string) {
	age := 400 * 24 * time.Hour
	if value == "" {
		age = -time.Second
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
}

// signIn handles the form of the sign-in page.
func (g *Guard) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		plain(w, http.StatusBadRequest, "The form is incomplete.")
		return
	}
	secret, err := g.open(r)
	e, _ := errors.AsType[*api.Error](err)
	switch {
	case e != nil && e.RetryAfter > 0:
		deny(w, r, e)
	case err != nil:
		seeOther(w, "/login?failed=1")
	default:
		g.sessions.end(cookieOf(r, sessionCookie))
		setCookie(w, r, sessionCookie, secret)
		g.remember(w, r)
		seeOther(w, "/")
	}
}

// open verifies the password and begins a session. If the password changes
// meanwhile the session ends again, because ChangePassword could not see it.
func (g *Guard) open(r *http.Request) (secret string, err error) {
	hash, err := g.verify(r.Context(), g.client(r), r.PostForm.Get("password"))
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
	g.sessions.end(cookieOf(r, sessionCookie))
	setCookie(w, r, sessionCookie, "")
	seeOther(w, "/login")
}

// signedIn reports whether the browser has a session.
func (g *Guard) signedIn(r *http.Request) bool {
	s := g.sessions.enter(cookieOf(r, sessionCookie))
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

// addressOf returns the sender's address, which behindProxies has set.
func addressOf(r *http.Request) netip.Addr { return addressIn(r.RemoteAddr) }

// addressIn returns the address of "address:port", or the zero Addr.
func addressIn(text string) netip.Addr {
	from, _ := netip.ParseAddrPort(text)
	return from.Addr()
}
