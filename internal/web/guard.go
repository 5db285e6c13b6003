package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// Guard decides who may use the page and the API: a browser in which somebody signed in
// with the password (password.go, session.go), and a script with a token (token.go). It
// is safe for concurrent use.
type Guard struct {
	configured string // hash of a password that the configuration has; empty: the saved one counts
	record     record
	sessions   sessions
	throttle   throttle
	hashing    chan struct{} // a slot for each bcrypt hash that is worked out
	lives      lives         // of the tokens
	wrong      func(from netip.Addr)
}

// Saved is what a Guard remembers: the content of web.json, a secret.
type Saved struct {
	PasswordHash  string       `json:"password_hash,omitempty"`  // bcrypt
	FirstPassword string       `json:"first_password,omitempty"` // in clear until it is changed
	Tokens        []SavedToken `json:"tokens,omitempty"`
}

// Format keeps the first password out of logs and errors under every verb.
func (Saved) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// maxCost is that of the configuration: a higher one takes a small computer minutes.
const maxCost = 15

// Check refuses what no Guard saved.
func (s Saved) Check() error {
	if s.PasswordHash == "" {
		return nil
	}
	if cost, err := bcrypt.Cost([]byte(s.PasswordHash)); err != nil || cost > maxCost {
		return errors.New("the password hash cannot be used")
	}
	return nil
}

// Store keeps what a Guard remembers.
type Store interface {
	Load() (Saved, error) // fs.ErrNotExist: nothing was saved yet
	Save(Saved) error
}

// NewGuard returns the Guard of what is saved. configuredHash is web.password_hash of
// the configuration; when it is empty and no password is saved, one is made. wrong is told
// where each wrong password came from.
func NewGuard(store Store, configuredHash string, wrong func(from netip.Addr)) (*Guard, error) {
	saved, err := store.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	g := &Guard{
		configured: configuredHash,
		record:     record{store: store, saved: saved},
		hashing:    make(chan struct{}, maxHashing),
		wrong:      wrong,
	}
	for _, t := range saved.Tokens {
		g.lives.begin(t.ID)
	}
	if g.hash() == "" {
		_, err = g.RenewPassword()
		return g, err
	}
	return g, nil
}

// record is what is saved, and its copy in memory.
type record struct {
	store Store
	mu    sync.Mutex
	saved Saved
}

// get returns a copy whose tokens nobody may change.
func (r *record) get() Saved {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saved
}

// update saves what change makes of the record, unless it fails.
func (r *record) update(change func(*Saved) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.saved
	next.Tokens = slices.Clone(next.Tokens)
	if err := change(&next); err != nil {
		return err
	}
	if err := r.store.Save(next); err != nil {
		return err
	}
	r.saved = next
	return nil
}

// visitor is who sent a request.
type visitor struct {
	access  Access
	session *session        // nil: a token was shown
	life    context.Context // ends when the visitor may not go on
}

type visitorKey struct{}

// admit finds out who sends a request, for may. What is under way for a visitor ends
// when the visitor signs out or the token is revoked.
func (g *Guard) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, leave := g.visitor(r)
		if v == nil {
			next.ServeHTTP(w, r)
			return
		}
		defer leave()
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), visitorKey{}, v))
		defer cancel()
		defer context.AfterFunc(v.life, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// visitor returns nil for a stranger. A token goes before a cookie: a script shows one
// on purpose, and learns that it is wrong. What else is in the header is for a proxy.
func (g *Guard) visitor(r *http.Request) (v *visitor, leave func()) {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return g.tokenVisitor(token), func() {}
	}
	s := g.sessions.enter(cookieOf(r))
	if s == nil {
		return nil, nil
	}
	return &visitor{access: AccessOwner, session: s, life: s.life}, func() { g.sessions.leave(s) }
}

// may is the Permission of the API behind admit.
func (g *Guard) may(r *http.Request, need Access) error {
	v, _ := r.Context().Value(visitorKey{}).(*visitor)
	switch {
	case v == nil || v.life.Err() != nil:
		return &Error{Code: codeStranger, Message: "this needs somebody who signed in, or a token",
			Hint: "Sign in on the page, or send a token in the header Authorization: Bearer."}
	case need == AccessSocket:
		return &Error{Code: codeForbidden, Message: "this is answered on the machine of the server only",
			Hint: "Use the command ps4kit there."}
	case v.access >= need:
		return nil
	case need == AccessOwner:
		return &Error{Code: codeForbidden, Message: "no token may do this", Hint: "Do it on the page."}
	}
	return &Error{Code: codeForbidden, Message: "this token may only drive the consoles",
		Hint: `Use a token with the access "admin".`}
}
