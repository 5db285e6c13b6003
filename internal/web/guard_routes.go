package web

import (
	"net/http"
	"time"
)

// sessionInfo is what the page is told of itself.
type sessionInfo struct {
	Version       string    `json:"version"`
	Simulated     bool      `json:"simulated"`
	FirstPassword bool      `json:"first_password"`   // it was not changed yet
	Expires       time.Time `json:"expires,omitzero"` // of the session, if it is not used; a token has none
	TLS           bool      `json:"tls"`
}

type passwordRequest struct {
	Current string `json:"current"`
	New     string `json:"new"`
}

type tokenRequest struct {
	Name   string `json:"name"`
	Access string `json:"access"`
}

// newToken is a token with what a script has to show; it is told once.
type newToken struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Access string `json:"access"`
	Token  string `json:"token"`
}

// guardRoutes are the routes of who is signed in, behind Guard.admit.
func guardRoutes(o SiteOptions) []route {
	g := o.Guard
	return []route{
		{pattern: "GET /session", handler: answer(func(r *http.Request) (sessionInfo, error) {
			return o.sessionInfo(r), nil
		})},
		{pattern: "PUT /password", handler: obey(func(r *http.Request, in passwordRequest) error {
			v, _ := r.Context().Value(visitorKey{}).(*visitor)
			return g.change(r.Context(), addressOf(r), v, in.Current, in.New)
		}), access: AccessOwner},
		{pattern: "GET /tokens", handler: answer(func(*http.Request) ([]Token, error) {
			return g.tokens(), nil
		}), access: AccessOwner},
		{pattern: "POST /tokens", handler: exchange(func(_ *http.Request, in tokenRequest) (newToken, error) {
			t, secret, err := g.makeToken(in.Name, in.Access)
			return newToken{t.ID, t.Name, t.Access, secret}, err
		}), access: AccessOwner},
		{pattern: "DELETE /tokens/{id}", handler: carryOut(func(r *http.Request) error {
			return g.revoke(segment(r, "id"))
		}), access: AccessOwner},
	}
}

func (o SiteOptions) sessionInfo(r *http.Request) sessionInfo {
	_, changed := o.Guard.FirstPassword()
	info := sessionInfo{Version: o.Version, Simulated: o.Simulated, FirstPassword: changed == nil, TLS: r.TLS != nil}
	if v, _ := r.Context().Value(visitorKey{}).(*visitor); v != nil && v.session != nil {
		info.Expires = time.Now().Add(sessionLife).UTC().Truncate(time.Second)
	}
	return info
}

// passwordRoutes are those of `ps4kit web password`.
func passwordRoutes(b Backend) []route {
	return []route{
		{pattern: "GET /password", handler: answer(func(r *http.Request) (Password, error) {
			return b.WebPassword(r.Context())
		}), access: AccessSocket},
		{pattern: "POST /password", handler: answer(func(r *http.Request) (Password, error) {
			return b.RenewWebPassword(r.Context())
		}), access: AccessSocket},
	}
}
