package web

import (
	"cmp"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Sessions are kept in memory only: a restart of the server ends them.
const (
	sessionLife = 7 * 24 * time.Hour // without a request
	maxSessions = 64                 // beyond that, the one that was away longest ends
)

// sessions are the signed-in browsers, by the hash of their cookie.
type sessions struct {
	mu     sync.Mutex
	byHash map[string]*session
}

// session is a signed-in browser.
type session struct {
	life *life
	open int // running requests; an open page always has one, its events
	used time.Time
}

// away returns how long no request has been running.
func (s *session) away() time.Duration {
	if s.open > 0 {
		return 0
	}
	return time.Since(s.used)
}

// begin makes a session and returns its cookie.
func (ss *sessions) begin() (secret string) {
	secret = rand.Text()
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if len(ss.byHash) >= maxSessions {
		all := slices.Collect(maps.Values(ss.byHash))
		longest := slices.MaxFunc(all, func(a, b *session) int { return cmp.Compare(a.away(), b.away()) })
		ss.remove(func(s *session) bool { return s == longest })
	}
	ss.byHash[hashSecret(secret)] = &session{life: newLife(), used: time.Now()}
	return secret
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
	s := ss.byHash[hashSecret(secret)]
	if s == nil || s.away() >= sessionLife {
		return nil
	}
	s.open++
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
	ended := ss.byHash[hashSecret(secret)]
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
		http.Error(w, "The form is incomplete.", http.StatusBadRequest)
		return
	}
	secret, err := g.open(r)
	e, _ := errors.AsType[*api.Error](err)
	switch {
	case e != nil && e.RetryAfter > 0:
		deny(w, r, e)
	case err != nil:
		http.Redirect(w, r, "/login?failed=1", http.StatusSeeOther)
	default:
		g.sessions.end(cookieOf(r, sessionCookie))
		setCookie(w, r, sessionCookie, secret)
		g.remember(w, r)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// open verifies the password and begins a session. If the password changes
// meanwhile the session ends again, because ChangePassword could not see it.
func (g *Guard) open(r *http.Request) (secret string, err error) {
	hash, err := g.verify(r, r.PostForm.Get("password"))
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
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// addressOf returns the sender's address, which behindProxies has set.
func addressOf(r *http.Request) netip.Addr { return addressIn(r.RemoteAddr) }

// addressIn returns the address of "address:port", or the zero Addr.
func addressIn(text string) netip.Addr {
	from, _ := netip.ParseAddrPort(text)
	return from.Addr()
}
