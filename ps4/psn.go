package ps4

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Constants of Sony's own Remote Play client (docs/protocol.md §2). They are
// public and protect nothing.
const (
	psnBase         = "https://auth.api.sonyentertainmentnetwork.com"
	psnClientID     = "ba495a24-818c-472b-b12d-ff231c1b5745"
	psnClientSecret = "mvaiZkRsAsI1IBkY" //nolint:gosec // public
	psnRedirect     = "https://remoteplay.dl.playstation.net/remoteplay/redirect"
)

const (
	psnLimit = 30 * time.Second
	psnBody  = 64 << 10 // bytes of a response
)

// ErrPSNUnreachable means that PSN does not answer, or is out of order. It is
// an [Error].
var ErrPSNUnreachable error = &sentinel{
	"psn_unreachable", "PSN cannot be reached",
	"check this machine's internet connection, or use the account id, which needs none",
}

// PSN gets the credential of a PSN user, who signs in with any browser
// (docs/protocol.md §2). The zero value is ready to use.
//
// The user opens AuthorizeURL, signs in, and copies the address of the page
// where the browser ends up, which may be blank or not found. SignIn accepts
// that address within one or two minutes.
type PSN struct {
	BaseURL string       // default: Sony's; for tests
	Client  *http.Client // default: http.DefaultClient
}

// AuthorizeURL returns the address to open in the user's browser.
func (p *PSN) AuthorizeURL() string {
	query := url.Values{
		"service_entity":     {"urn:service-entity:psn"},
		"response_type":      {"code"},
		"client_id":          {psnClientID},
		"redirect_uri":       {psnRedirect},
		"scope":              {"psn:clientapp"},
		"request_locale":     {"en_US"},
		"ui":                 {"pr"},
		"service_logo":       {"ps"},
		"layout_type":        {"popup"},
		"smcid":              {"remoteplay"},
		"prompt":             {"always"},
		"PlatformPrivacyWs1": {"minimal"},
	}
	return p.base() + "/2.0/oauth/authorize?" + query.Encode()
}

// SignIn exchanges the address where the browser ended up for the user's
// credential. It takes at most 30 s, and fails with [ErrSignIn] or
// [ErrPSNUnreachable]. Errors contain neither the code in the address nor the
// token that it is exchanged for.
func (p *PSN) SignIn(ctx context.Context, address string) (Credential, error) {
	id, err := p.Account(ctx, address)
	if err != nil {
		return Credential{}, err
	}
	return CredentialFromAccountID(id)
}

// Account is like SignIn, and returns the user's account id in decimal, of
// which [CredentialFromAccountID] makes the credential.
func (p *PSN) Account(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, psnLimit)
	defer cancel()
	pasted, err := url.Parse(strings.Trim(address, " \t\r\n\"'<>"))
	if err != nil {
		return "", fmt.Errorf("%w: not an address", ErrSignIn) // the cause would quote the code
	}
	code := pasted.Query().Get("code")
	switch {
	case code != "":
	case pasted.Query().Has("error"):
		return "", fmt.Errorf("%w: PSN reported an error", ErrSignIn)
	default:
		return "", fmt.Errorf("%w: the address has no code", ErrSignIn)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {psnRedirect}}
	if err := p.call(ctx, http.MethodPost, "/2.0/oauth/token", form.Encode(), &token); err != nil {
		return "", err
	}
	if token.AccessToken == "" {
		return "", fmt.Errorf("%w: no access token in the answer", ErrSignIn)
	}
	var user struct {
		ID json.Number `json:"user_id"` // beyond 2^53: never through a float
	}
	if err := p.call(ctx, http.MethodGet, "/2.0/oauth/token/"+url.PathEscape(token.AccessToken), "", &user); err != nil {
		return "", err
	}
	id, err := strconv.ParseUint(user.ID.String(), 10, 64)
	if err != nil || id == 0 {
		return "", fmt.Errorf("%w: no account id in the answer", ErrSignIn)
	}
	return user.ID.String(), nil
}

// call sends one request and decodes the JSON of its response.
func (p *PSN) call(ctx context.Context, method, path, form string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, p.base()+path, strings.NewReader(form))
	if err != nil {
		return fmt.Errorf("%w: the base address is wrong", ErrSignIn)
	}
	request.SetBasicAuth(psnClientID, psnClientSecret)
	if form != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := p.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // without the address, which contains the token
		}
		return fmt.Errorf("%w: %w", ErrPSNUnreachable, err)
	}
	defer response.Body.Close()
	switch status := response.StatusCode; {
	case status == http.StatusOK:
	case status == http.StatusBadRequest || status == http.StatusUnauthorized: // 400 if it has expired or was used before
		return fmt.Errorf("%w: PSN no longer accepts the code (it answered %d)", ErrSignIn, status)
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return fmt.Errorf("%w: it answered %d", ErrPSNUnreachable, status)
	default:
		return fmt.Errorf("%w: PSN answered %d", ErrSignIn, status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, psnBody)).Decode(into); err != nil {
		return fmt.Errorf("%w: PSN's answer is not valid JSON", ErrSignIn)
	}
	return nil
}

func (p *PSN) base() string {
	return strings.TrimSuffix(cmp.Or(p.BaseURL, psnBase), "/")
}
