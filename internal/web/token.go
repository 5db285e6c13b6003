package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Tokens are for scripts. They start with a name that scanners for leaked secrets find.
const (
	tokenPrefix   = "ps4kit_"
	maxTokens     = 100
	maxTokenName  = 64        // bytes
	tokenUseNoted = time.Hour // how exactly the last use is known: each is a write
)

// What a token may do.
const (
	tokenControl = "control" // AccessControl
	tokenAdmin   = "admin"   // AccessAdmin
)

// Token is a token without what makes it one.
type Token struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Access   string    `json:"access"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"last_used,omitzero"` // to the hour
}

// SavedToken is a token as it is kept.
type SavedToken struct {
	Token
	Hash string `json:"hash"` // SHA-256, in hex: what is hashed is random, so nobody can guess it
}

func hashToken(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// makeToken makes a token, and returns what a script has to show.
func (g *Guard) makeToken(name, access string) (t Token, secret string, err error) {
	switch {
	case name == "" || len(name) > maxTokenName || strings.ContainsFunc(name, unicode.IsControl):
		return t, "", errBadRequest("name must have 1 to 64 bytes, none of them a control character")
	case access != tokenControl && access != tokenAdmin:
		return t, "", errBadRequest(`access must be "control" or "admin"`)
	}
	secret = tokenPrefix + rand.Text()
	t = Token{ID: strings.ToLower(rand.Text()[:8]), Name: name, Access: access, Created: time.Now().UTC().Truncate(time.Second)}
	err = g.record.update(func(s *Saved) error {
		if len(s.Tokens) >= maxTokens {
			return &Error{Code: "too_many_tokens", Message: "there are 100 tokens already", Hint: "Revoke one that is not used."}
		}
		s.Tokens = append(s.Tokens, SavedToken{t, hashToken(secret)})
		return nil
	})
	if err != nil {
		return Token{}, "", err
	}
	g.lives.begin(t.ID)
	return t, secret, nil
}

// revoke takes a token back; what is under way for it ends.
func (g *Guard) revoke(id string) error {
	err := g.record.update(func(s *Saved) error {
		i := slices.IndexFunc(s.Tokens, func(t SavedToken) bool { return t.ID == id })
		if i < 0 {
			return &Error{Code: codeNotFound, Message: "there is no such token"}
		}
		s.Tokens = slices.Delete(s.Tokens, i, i+1)
		return nil
	})
	if err == nil {
		g.lives.end(id)
	}
	return err
}

func (g *Guard) tokens() []Token {
	list := []Token{}
	for _, t := range g.record.get().Tokens {
		list = append(list, t.Token)
	}
	return list
}

// tokenVisitor returns who shows that token, nil when there is none.
func (g *Guard) tokenVisitor(secret string) *visitor {
	t, found := g.findToken(secret)
	if !found {
		return nil
	}
	life := g.lives.of(t.ID)
	if life == nil { // revoked at this moment
		return nil
	}
	g.noteUse(t.ID)
	if t.Access == tokenAdmin {
		return &visitor{access: AccessAdmin, life: life}
	}
	return &visitor{access: AccessControl, life: life}
}

func (g *Guard) findToken(secret string) (Token, bool) {
	hash := hashToken(secret)
	for _, t := range g.record.get().Tokens {
		if subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hash)) == 1 {
			return t.Token, true
		}
	}
	return Token{}, false
}

var errNothingNew = errors.New("nothing new")

// noteUse remembers when a token was used. That it cannot be written is what /readyz is
// for.
func (g *Guard) noteUse(id string) {
	now := time.Now().UTC().Truncate(time.Second)
	_ = g.record.update(func(s *Saved) error {
		i := slices.IndexFunc(s.Tokens, func(t SavedToken) bool { return t.ID == id })
		if i < 0 || now.Sub(s.Tokens[i].LastUsed) < tokenUseNoted {
			return errNothingNew
		}
		s.Tokens[i].LastUsed = now
		return nil
	})
}

// lives are contexts that end when a token is revoked, by its id.
type lives struct {
	mu   sync.Mutex
	byID map[string]life
}

type life struct {
	context.Context
	end context.CancelFunc
}

func (l *lives) begin(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]life{}
	}
	ctx, end := context.WithCancel(context.Background())
	l.byID[id] = life{ctx, end}
}

// of returns nil when the token is no more.
func (l *lives) of(id string) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of, found := l.byID[id]; found {
		return of
	}
	return nil
}

func (l *lives) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of, found := l.byID[id]; found {
		of.end()
		delete(l.byID, id)
	}
}
