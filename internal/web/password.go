package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Limits of passwords and of the work that they make.
const (
	minPassword = 8                  // bytes
	maxPassword = 72                 // bytes: bcrypt takes no notice of more
	maxHashing  = 2                  // hashes worked out at once: each keeps a core busy
	hashingWait = 5 * time.Second    // for a slot
	cost        = bcrypt.DefaultCost // some 0.1 s of a small computer
)

// Password is the password of the web page, in clear.
type Password struct {
	Password string `json:"password"`
}

// Format keeps it out of logs and errors under every verb.
func (Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// FirstPassword returns the password that was made here, until it is changed.
func (g *Guard) FirstPassword() (Password, error) {
	if g.configured != "" {
		return Password{}, errConfigured()
	}
	first := g.record.get().FirstPassword
	if first == "" {
		return Password{}, &Error{Code: "password_changed", Message: "the password was changed, and only its hash is kept",
			Hint: "ps4kit web password --new makes a new one."}
	}
	return Password{first}, nil
}

// RenewPassword makes a new first password and ends every session.
func (g *Guard) RenewPassword() (Password, error) {
	first := newPassword()
	if err := g.setPassword(first, first); err != nil {
		return Password{}, err
	}
	g.sessions.endAll(nil)
	return Password{first}, nil
}

// newPassword is random, 60 bits, and easy to type: letters and the digits 2 to 7.
func newPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:8] + "-" + text[8:12]
}

// change replaces the password by one that a visitor chose, who shows the old one, and
// ends all other sessions.
func (g *Guard) change(ctx context.Context, from netip.Addr, v *visitor, current, chosen string) error {
	switch {
	case g.configured != "":
		return errConfigured()
	case len(chosen) < minPassword || len(chosen) > maxPassword:
		return &Error{Code: "bad_password", Message: fmt.Sprintf("a password has %d to %d bytes", minPassword, maxPassword)}
	}
	if _, err := g.verify(ctx, from, current); err != nil {
		return err
	}
	if err := g.setPassword(chosen, ""); err != nil {
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

// hash is that of the password that counts.
func (g *Guard) hash() string { return cmp.Or(g.configured, g.record.get().PasswordHash) }

// verify returns the hash that the password fits. Each address has few tries
// (*tooManyError), and few hashes are worked out at once, whoever asks.
func (g *Guard) verify(ctx context.Context, from netip.Addr, password string) (hash string, err error) {
	if wait := g.throttle.take(from); wait > 0 {
		return "", &tooManyError{wait}
	}
	bounded, cancel := context.WithTimeout(ctx, hashingWait)
	defer cancel()
	select {
	case g.hashing <- struct{}{}:
		defer func() { <-g.hashing }()
	case <-bounded.Done():
		return "", &tooManyError{hashingWait}
	}
	hash = g.hash()
	if len(password) > maxPassword || bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
		g.wrong(from)
		return "", errWrongPassword()
	}
	g.throttle.forget(from)
	return hash, nil
}

func errWrongPassword() error {
	return &Error{Code: "wrong_password", Message: "the password is wrong"}
}

func errConfigured() error {
	return &Error{Code: "password_configured", Message: "the configuration has the password, as the hash web.password_hash",
		Hint: "Change web.password_hash, or leave it out and restart the server: ps4kit web password then shows a password."}
}
