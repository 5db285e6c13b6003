package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ps4kit/ps4kit/internal/api"
)

const (
	minPassword = 8                  // bytes
	maxPassword = 72                 // bytes; bcrypt ignores more
	maxHashing  = 2                  // concurrent bcrypt hashes; each keeps a core busy
	hashingWait = 5 * time.Second    // for a free slot
	cost        = bcrypt.DefaultCost // takes a small computer about 0.1 s
)

// FirstPassword returns the generated password until it is changed.
func (g *Guard) FirstPassword() (api.Password, error) {
	if g.configured != "" {
		return api.Password{}, errConfigured()
	}
	first := g.record.get().FirstPassword
	if first == "" {
		return api.Password{}, &api.Error{Code: "password_changed", Message: "the password was changed, and only its hash is stored",
			Hint: "Run ps4kit web password --new for a new one."}
	}
	return api.Password{Password: first}, nil
}

// RenewPassword generates a new password and ends every session.
func (g *Guard) RenewPassword() (api.Password, error) {
	first := newPassword()
	if err := g.setPassword(first, first); err != nil {
		return api.Password{}, err
	}
	g.sessions.endAll(nil)
	return api.Password{Password: first}, nil
}

// newPassword returns 60 random bits as easy-to-type letters and digits 2 to 7.
func newPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:8] + "-" + text[8:12]
}

// ChangePassword replaces the password and ends every other session. The
// visitor must prove that they know the current one, unless it is the generated
// one, with which they have just signed in.
func (g *Guard) ChangePassword(ctx context.Context, in api.PasswordRequest) error {
	v := visitorOf(ctx)
	switch {
	case g.configured != "":
		return errConfigured()
	case len(in.New) < minPassword:
		return &api.Error{Code: "bad_password", Message: fmt.Sprintf("a password must have at least %d characters", minPassword)}
	case len(in.New) > maxPassword:
		return &api.Error{Code: "bad_password", Message: "the password is too long",
			Hint: fmt.Sprintf("Use at most %d characters. Accented letters and symbols count as two or more.", maxPassword)}
	}
	_, changed := g.FirstPassword()
	if in.Current == "" && changed != nil {
		return &api.Error{Code: "password_changed", Message: "a password was chosen already, perhaps in another tab",
			Hint: "Reload the page, and sign in with that password from now on."}
	}
	if in.Current != "" {
		if _, err := g.verify(v.request, in.Current); err != nil {
			return err
		}
	}
	if err := g.setPassword(in.New, ""); err != nil {
		return err
	}
	g.sessions.endAll(v.session)
	return nil
}

func (g *Guard) setPassword(password, first string) error {
	if g.configured != "" {
		return errConfigured()
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return err
	}
	return g.record.update(func(s *Saved) error {
		s.PasswordHash, s.FirstPassword = string(hash), first
		return nil
	})
}

// hash returns the hash of the password in use.
func (g *Guard) hash() string { return cmp.Or(g.configured, g.record.get().PasswordHash) }

// verify returns the hash that the password matches. Attempts are limited for
// each address, and apart from that for each known device.
func (g *Guard) verify(r *http.Request, password string) (hash string, err error) {
	from := addressOf(r)
	gate, who := g.strangers, network(from).String()
	if id := g.device(r); id != "" {
		gate, who = g.devices, id
	}
	if wait := gate.take(who); wait > 0 {
		return "", errTooMany(wait)
	}
	bounded, cancel := context.WithTimeout(r.Context(), hashingWait)
	defer cancel()
	select {
	case gate.hashing <- struct{}{}:
		defer func() { <-gate.hashing }()
	case <-bounded.Done():
		return "", errTooMany(hashingWait)
	}
	hash = g.hash()
	if len(password) > maxPassword || bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
		g.failed(from)
		return "", errWrongPassword()
	}
	gate.forget(who)
	return hash, nil
}

func errWrongPassword() error {
	return &api.Error{Code: "wrong_password", Message: "the password is wrong"}
}

func errConfigured() error {
	return &api.Error{Code: "password_configured", Message: "the password is set by web.password_hash in the configuration",
		Hint: "Change web.password_hash, or remove it, restart the server and run ps4kit web password."}
}
