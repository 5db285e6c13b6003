// Package psn lists the titles of a PSN account, signed in by its npsso token
// (docs/protocol.md §2):
//
//	GET  ca.account.sony.com/api/authz/v3/oauth/authorize   Cookie: npsso=…    -> 302 …/redirect?code=…
//	POST ca.account.sony.com/api/authz/v3/oauth/token       code=…             -> {"access_token":"…"}
//	GET  m.np.playstation.com/api/gamelist/v2/users/me/titles                  -> {"titles":[…]}
//	GET  dms.api.playstation.com/api/v1/devices/accounts/me                    -> {"accountId":"…"}
//
// It sends one request at a time and repeats none. Neither the npsso nor what
// it is exchanged for appears in an error.
package psn

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/text"
	"github.com/ps4kit/ps4kit/ps4"
)

// Addresses for the user's browser: where to sign in, and then the page that
// shows the npsso token.
const (
	SignInURL = "https://www.playstation.com"
	NPSSOURL  = "https://ca.account.sony.com/api/v1/ssocookie"
)

// Sony's hosts. That of the titles is in package config.
const (
	accountURL = "https://ca.account.sony.com"
	devicesURL = "https://dms.api.playstation.com"
)

// Constants of Sony's Android app, as npm's psn-api 2.18.1 sends them. They are
// public and protect nothing.
const (
	clientID     = "09515159-7237-4370-9b40-3806e67c0891"
	clientSecret = "ucPjka5tntB2KqsP" //nolint:gosec // public
	redirect     = "com.scee.psxandroid.scecompcall://redirect"
	scope        = "psn:mobile.v2.core psn:clientapp"
)

const (
	limit    = time.Minute // for one method, with all its requests
	pageSize = 200         // the most that Sony returns at once
	maxPages = 10
	maxBody  = 4 << 20 // bytes; a full page has less than 1 MiB

	maxImageURL = 1024 // bytes

	// category leaves out the PS5. Media apps may have categories of their own,
	// ps4_videoservice_web_app and ps4_nongame_mini_app, as programs that ask for
	// all have seen; internal/titles has those that people start by voice.
	category = "ps4_game"
)

// Errors of this package, to be compared with [errors.Is].
var (
	// ErrNPSSO means that PSN does not accept the npsso token.
	ErrNPSSO error = &api.Error{
		Code: "sign_in", Message: "PSN does not accept the npsso token",
		Hint: "Sign in at " + SignInURL + " and copy a new one from " + NPSSOURL + ".",
	}
	// ErrNPSSOFormat means that a text is not an npsso token.
	ErrNPSSOFormat error = &api.Error{
		Code: "bad_npsso", Message: "an npsso token has 64 letters and digits",
		Hint: "Sign in at " + SignInURL + " and copy it from " + NPSSOURL + ".",
	}
	// ErrUnreachable means that PSN does not answer, or is out of order.
	ErrUnreachable error = &api.Error{
		Code: "psn_unreachable", Message: "PSN cannot be reached",
		Hint: "Check this machine's internet connection, or import the titles from a file.",
	}
	// ErrAnswer means that PSN's answer makes no sense.
	ErrAnswer error = &api.Error{Code: "psn_answer", Message: "PSN's answer makes no sense", Hint: tryLater}
)

const tryLater = "Try again later, or import the titles from a file."

// NPSSO is the token of a browser that is signed in to PSN. It is as good as a
// password. It prints, logs and marshals as [redacted].
type NPSSO struct{ text string }

// ParseNPSSO parses an npsso token, or the JSON in which Sony shows it:
// {"npsso":"…"}. It fails with [ErrNPSSOFormat], and never quotes the text.
func ParseNPSSO(text string) (NPSSO, error) {
	text = strings.TrimSpace(text)
	var page struct {
		NPSSO string `json:"npsso"`
	}
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &page) == nil {
		text = page.NPSSO
	}
	text = strings.Trim(text, `"`)
	if !regexp.MustCompile(`^[0-9A-Za-z_-]{64}$`).MatchString(text) {
		return NPSSO{}, ErrNPSSOFormat
	}
	return NPSSO{text}, nil
}

const redacted = "[redacted]"

// Format prints [redacted] for every verb.
func (NPSSO) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns [redacted].
func (NPSSO) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// A Client signs in to PSN. The URLs are a scheme and a host.
type Client struct {
	AccountURL string // one that isn't Sony's is asked for the account id, too
	TitlesURL  string
	HTTP       *http.Client // default: http.DefaultClient
}

// A Session is a signed-in account. It lives in memory only.
type Session struct {
	client *Client
	token  string
}

// Played signs in and returns the most recent titles of [Session.Titles], as many
// as one import takes, and if withID is set the id of the account.
func (c *Client) Played(ctx context.Context, npsso NPSSO, withID bool) (titles []api.ImportTitle, id string, err error) {
	session, err := c.SignIn(ctx, npsso)
	if err != nil {
		return nil, "", err
	}
	if titles, err = session.Titles(ctx); err == nil && withID {
		id, err = session.AccountID(ctx)
	}
	return titles[:min(len(titles), api.MaxImport)], id, err
}

// SignIn exchanges an npsso token for a session. It fails with [ErrNPSSO],
// [ErrUnreachable], [ErrAnswer] or the code psn_busy.
func (c *Client) SignIn(ctx context.Context, npsso NPSSO) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	base := c.AccountURL + "/api/authz/v3/oauth"
	query := url.Values{
		"access_type": {"offline"}, "client_id": {clientID}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {scope},
	}
	request, err := newRequest(ctx, http.MethodGet, base+"/authorize?"+query.Encode(), "")
	if err != nil {
		return nil, err
	}
	request.Header.Set("Cookie", "npsso="+npsso.text)
	response, _, err := c.do(request) //nolint:bodyclose // do closes it
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 300 || response.StatusCode > 399 {
		return nil, statusError(response)
	}
	location, err := response.Location()
	if err != nil {
		return nil, fmt.Errorf("%w: it redirected to no address", ErrAnswer)
	}
	code := location.Query().Get("code")
	if code == "" { // a redirect to the sign-in page, or with an error: the npsso has expired
		return nil, ErrNPSSO
	}

	form := url.Values{"code": {code}, "redirect_uri": {redirect}, "grant_type": {"authorization_code"}, "token_format": {"jwt"}}
	request, err = newRequest(ctx, http.MethodPost, base+"/token", form.Encode())
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(clientID, clientSecret)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := c.doJSON(request, &token); err != nil {
		return nil, err
	}
	if token.AccessToken == "" || strings.ContainsFunc(token.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("%w: it sent no access token", ErrAnswer)
	}
	return &Session{c, token.AccessToken}, nil
}

// Titles returns the PS4 titles that the account has played, the most recent
// first, with names in its language. It fails as [Client.SignIn] does.
func (s *Session) Titles(ctx context.Context) ([]api.ImportTitle, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	list := []api.ImportTitle{}
	seen := map[string]bool{}
	for page := range maxPages {
		var got struct {
			Titles *[]struct {
				ID            string `json:"titleId"` // "CUSA12345_00"
				Name          string `json:"name"`
				LocalizedName string `json:"localizedName"`
				ImageURL      string `json:"imageUrl"`
				LastPlayed    string `json:"lastPlayedDateTime"` // "2024-05-01T20:15:30.5Z"
			} `json:"titles"`
			Total int `json:"totalItemCount"`
		}
		path := fmt.Sprintf("/api/gamelist/v2/users/me/titles?categories=%s&limit=%d&offset=%d", category, pageSize, page*pageSize)
		if err := s.get(ctx, s.client.TitlesURL+path, &got); err != nil {
			return nil, err
		}
		if got.Titles == nil {
			return nil, fmt.Errorf("%w: it sent no list of titles", ErrAnswer)
		}
		for _, t := range *got.Titles {
			id, err := ps4.FindTitleID(t.ID)
			if err != nil || seen[id] { // such as a PS5 title
				continue
			}
			seen[id] = true
			title := api.ImportTitle{ID: id, Name: cmp.Or(text.Name(t.LocalizedName), text.Name(t.Name))}
			title.LastPlayed, _ = time.Parse(time.RFC3339, t.LastPlayed) // the zero time if it doesn't parse
			if len(t.ImageURL) <= maxImageURL {
				title.ImageURL = t.ImageURL
			}
			list = append(list, title)
		}
		if len(*got.Titles) == 0 || (page+1)*pageSize >= got.Total {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b api.ImportTitle) int { return b.LastPlayed.Compare(a.LastPlayed) })
	return list, nil
}

// AccountID returns the id of the account as decimal digits. It fails as
// [Client.SignIn] does.
func (s *Session) AccountID(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var me struct {
		ID json.RawMessage `json:"accountId"` // beyond 2^53: never through a float
	}
	host := devicesURL
	if s.client.AccountURL != accountURL {
		host = s.client.AccountURL
	}
	if err := s.get(ctx, host+"/api/v1/devices/accounts/me", &me); err != nil {
		return "", err
	}
	id := string(bytes.Trim(me.ID, `"`))
	if _, err := strconv.ParseUint(id, 10, 64); err != nil {
		return "", fmt.Errorf("%w: it sent no account id", ErrAnswer)
	}
	return id, nil
}

func (s *Session) get(ctx context.Context, address string, into any) error {
	request, err := newRequest(ctx, http.MethodGet, address, "")
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	return s.client.doJSON(request, into)
}

func newRequest(ctx context.Context, method, address, body string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the base address is wrong", ErrUnreachable)
	}
	return request, nil
}

// do sends a request and reads the body of the response. It follows no redirect.
func (c *Client) do(request *http.Request) (*http.Response, []byte, error) {
	client := *cmp.Or(c.HTTP, http.DefaultClient)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		if of, ok := errors.AsType[*url.Error](err); ok { // without the address
			err = of.Err
		}
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	case len(body) > maxBody:
		return nil, nil, fmt.Errorf("%w: it is larger than %d bytes", ErrAnswer, maxBody)
	}
	return response, body, nil
}

func (c *Client) doJSON(request *http.Request, into any) error {
	response, body, err := c.do(request) //nolint:bodyclose // do closes it
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return statusError(response)
	}
	if json.Unmarshal(body, into) != nil { // the cause could quote a token
		return fmt.Errorf("%w: it is not valid JSON", ErrAnswer)
	}
	return nil
}

// statusError returns the error of a response with an unwanted status. Code
// psn_busy means that PSN has received too many requests from the account or
// this network.
func statusError(response *http.Response) error {
	switch status := response.StatusCode; {
	case status == http.StatusTooManyRequests:
		message, wait := "PSN has received too many requests", retryAfter(response.Header.Get("Retry-After"))
		if wait > 0 {
			message += fmt.Sprintf(", and asks to wait %v", wait)
		}
		return &api.Error{Code: "psn_busy", Message: message, Hint: tryLater, RetryAfter: wait}
	case status == http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("%w: it answered %d", ErrNPSSO, status)
	case status >= http.StatusInternalServerError:
		return fmt.Errorf("%w: it answered %d", ErrUnreachable, status)
	default:
		return fmt.Errorf("%w: the status is %d", ErrAnswer, status)
	}
}

// retryAfter parses the value of a Retry-After header. It returns 0 if there is
// no sensible one.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 && seconds <= 24*60*60 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at).Round(time.Second), 0), 24*time.Hour)
	}
	return 0
}
