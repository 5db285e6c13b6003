package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
)

const (
	tokenPrefix   = "ps4kit_" // secret scanners find leaked tokens by it
	maxTokens     = 100
	maxTokenName  = 64        // bytes
	tokenUseNoted = time.Hour // precision of the last use; each update is a write
)

// tokenAccess returns the access that a token grants. Tokens with "admin" can no
// longer be made, but keep working.
func tokenAccess(name string) api.Access {
	switch name {
	case "admin":
		return api.AccessSetup
	case "control":
		return api.AccessControl
	}
	return api.AccessRead
}

// SavedToken is a token as web.json stores it.
type SavedToken struct {
	api.Token
	Hash string `json:"hash"` // see hashSecret
	life *life  // ends when the token is revoked; not stored
}

// hashSecret returns the SHA-256 of a token or a session's cookie in hex. It
// needs no salt, because the secret is random.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// MakeToken makes a token.
func (g *Guard) MakeToken(_ context.Context, in api.TokenRequest) (api.NewToken, error) {
	name := text.Visible(in.Name)
	switch {
	case name == "" || len(name) > maxTokenName || strings.ContainsFunc(name, unicode.IsControl):
		return api.NewToken{}, &api.Error{Code: "bad_request", Message: fmt.Sprintf("a token needs a name of at most %d characters", maxTokenName)}
	case in.Access != "read" && in.Access != "control":
		return api.NewToken{}, &api.Error{Code: "bad_request", Message: `access must be "read" or "control"`}
	}
	secret := tokenPrefix + rand.Text()
	t := api.Token{ID: strings.ToLower(rand.Text()[:8]), Name: name, Access: in.Access, Created: time.Now().UTC().Truncate(time.Second)}
	err := g.record.update(func(s *Saved) error {
		if len(s.Tokens) >= maxTokens {
			return &api.Error{Code: "too_many_tokens", Message: "there are 100 tokens already", Hint: "Revoke an unused token."}
		}
		s.Tokens = append(s.Tokens, SavedToken{t, hashSecret(secret), newLife()})
		return nil
	})
	if err != nil {
		return api.NewToken{}, err
	}
	return api.NewToken{ID: t.ID, Name: t.Name, Access: t.Access, Token: secret}, nil
}

// RevokeToken removes a token and ends its running requests.
func (g *Guard) RevokeToken(_ context.Context, in api.TokenIDRequest) error {
	var revoked SavedToken
	err := g.record.update(func(s *Saved) error {
		i := slices.IndexFunc(s.Tokens, func(t SavedToken) bool { return t.ID == in.ID })
		if i < 0 {
			return &api.Error{Code: api.CodeNotFound, Message: "no such token"}
		}
		revoked = s.Tokens[i]
		s.Tokens = slices.Delete(s.Tokens, i, i+1)
		return nil
	})
	if err == nil {
		revoked.life.end()
	}
	return err
}

// Tokens lists the tokens.
func (g *Guard) Tokens(context.Context, api.None) ([]api.Token, error) {
	list := []api.Token{}
	for _, t := range g.record.get().Tokens {
		list = append(list, t.Token)
	}
	return list, nil
}

// tokenVisitor returns the visitor with a token, or nil if it is unknown.
// Comparing hashes of random secrets leaks nothing useful in its timing.
func (g *Guard) tokenVisitor(r *http.Request, secret string) *visitor {
	hash := hashSecret(secret)
	for _, t := range g.record.get().Tokens {
		if t.Hash == hash {
			g.noteUse(t.Token)
			return &visitor{tokenAccess(t.Access), nil, t.life, r}
		}
	}
	return nil
}

// noteUse stores the time a token was used. It ignores write errors, which
// /readyz reports.
func (g *Guard) noteUse(used api.Token) {
	now := time.Now().UTC().Truncate(time.Second)
	if now.Sub(used.LastUsed) < tokenUseNoted {
		return
	}
	_ = g.record.update(func(s *Saved) error {
		for i := range s.Tokens {
			if s.Tokens[i].ID == used.ID {
				s.Tokens[i].LastUsed = now
			}
		}
		return nil
	})
}

// life is a context that ends with a session or a token.
type life struct {
	context.Context
	end context.CancelFunc
}

func newLife() *life {
	l := &life{}
	l.Context, l.end = context.WithCancel(context.Background())
	return l
}
