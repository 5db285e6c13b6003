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
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ps4kit/ps4kit/internal/api"
)

// Guard authenticates browsers, which sign in with the password (password.go,
// session.go), and scripts, which send a token (token.go). It is safe for
// concurrent use.
type Guard struct {
	configured string // web.password_hash; empty: the saved password is used
	record     record
	sessions   sessions
	strangers  *gate // by network
	devices    *gate // by id: browsers that signed in before, see device.go
	failed     func(from netip.Addr)
}

// Saved is the content of web.json, a secret.
type Saved struct {
	PasswordHash  string       `json:"password_hash,omitempty"`  // bcrypt
	FirstPassword string       `json:"first_password,omitempty"` // in clear until it is changed
	Tokens        []SavedToken `json:"tokens,omitempty"`
}

// Format keeps the first password out of logs and errors under every verb.
func (Saved) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// maxCost is the highest bcrypt cost that the configuration allows, too: a small
// computer needs minutes for a higher one.
const maxCost = 15

// Check returns an error if s cannot come from a Guard.
func (s Saved) Check() error {
	if s.PasswordHash == "" {
		return nil
	}
	if cost, err := bcrypt.Cost([]byte(s.PasswordHash)); err != nil || cost > maxCost {
		return errors.New("the password hash cannot be used")
	}
	return nil
}

// Store stores the state of a Guard.
type Store interface {
	Load() (Saved, error) // fs.ErrNotExist: nothing was saved yet
	Save(Saved) error
}

// NewGuard returns a Guard with the saved state. If configuredHash, which is
// web.password_hash, is empty and no password is saved, it generates one.
// failed is called with the address of each failed sign-in.
func NewGuard(store Store, configuredHash string, failed func(from netip.Addr)) (*Guard, error) {
	saved, err := store.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	g := &Guard{
		configured: configuredHash,
		record:     record{store: store, saved: saved},
		sessions:   sessions{byHash: map[string]*session{}},
		strangers:  newGate(maxHashing),
		devices:    newGate(1),
		failed:     failed,
	}
	for i := range saved.Tokens {
		saved.Tokens[i].life = newLife()
	}
	if g.hash() == "" {
		_, err = g.RenewPassword()
		return g, err
	}
	return g, nil
}

// record is the saved state with its copy in memory.
type record struct {
	store Store
	mu    sync.Mutex
	saved Saved
}

// get returns a copy, whose tokens must not be modified.
func (r *record) get() Saved {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saved
}

// update applies change to the record and saves it, unless change fails.
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

// visitor is the sender of a request.
type visitor struct {
	access  api.Access
	session *session // nil: a token was sent
	life    *life    // ends when the visitor loses access
	request *http.Request
}

type visitorKey struct{}

func visitorOf(ctx context.Context) *visitor {
	v, _ := ctx.Value(visitorKey{}).(*visitor)
	return v
}

// identify adds the visitor to the context of each request, for Permit. A
// request ends when its visitor signs out or its token is revoked.
func (g *Guard) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := g.visitor(r)
		if v == nil {
			next.ServeHTTP(w, r)
			return
		}
		if v.session != nil {
			defer g.sessions.leave(v.session)
		}
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), visitorKey{}, v))
		defer cancel()
		defer context.AfterFunc(v.life, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// visitor returns nil for a stranger. A token takes precedence over a cookie, so
// that a script learns that its token is wrong. Other schemes of Authorization
// are meant for a proxy.
func (g *Guard) visitor(r *http.Request) *visitor {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return g.tokenVisitor(r, token)
	}
	s := g.sessions.enter(cookieOf(r, sessionCookie))
	if s == nil {
		return nil
	}
	return &visitor{api.AccessOwner, s, s.life, r}
}

// Caller implements api.Accounts.
func (g *Guard) Caller(r *http.Request) any { return visitorOf(r.Context()).life }

// Permit implements api.Accounts.
func (g *Guard) Permit(r *http.Request, need api.Access) error {
	v := visitorOf(r.Context())
	switch {
	case v == nil || v.life.Err() != nil:
		return &api.Error{Code: api.CodeNotSignedIn, Message: "not signed in",
			Hint: "Sign in on the page, or send a token in the header Authorization: Bearer."}
	case need == api.AccessSocket:
		return &api.Error{Code: api.CodeForbidden, Message: "available only on the machine of the server",
			Hint: "Use the command ps4kit there."}
	case v.access >= need:
		return nil
	case need == api.AccessControl:
		return &api.Error{Code: api.CodeForbidden, Message: "this token may only read",
			Hint: `Use a token with the access "control".`}
	}
	return &api.Error{Code: api.CodeForbidden, Message: "tokens may not do this", Hint: "Sign in on the page."}
}

// accounts implements api.Accounts.
type accounts struct {
	*Guard
	version   string
	simulated bool
}

func (a accounts) Session(ctx context.Context, _ api.None) (api.Session, error) {
	v := visitorOf(ctx)
	_, changed := a.FirstPassword()
	s := api.Session{Version: a.version, Simulated: a.simulated, FirstPassword: changed == nil, TLS: v.request.TLS != nil}
	if v.session != nil {
		s.Expires = time.Now().Add(sessionLife).UTC().Truncate(time.Second)
	}
	return s, nil
}
