package ps4_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
)

const (
	psnCode  = "v3.SECRETCODE"
	psnToken = "SECRET/TOKEN"
	landed   = "https://remoteplay.dl.playstation.net/remoteplay/redirect?code=" + psnCode + "&cid=1"
)

// psnServer starts a server that answers as PSN does. user is the JSON of the
// account.
func psnServer(t *testing.T, user string) *ps4.PSN {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2.0/oauth/token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "ba495a24-818c-472b-b12d-ff231c1b5745" || secret != "mvaiZkRsAsI1IBkY" ||
			r.PostFormValue("grant_type") != "authorization_code" ||
			r.PostFormValue("redirect_uri") != "https://remoteplay.dl.playstation.net/remoteplay/redirect" {
			t.Errorf("request %v", r.Form)
		}
		if r.PostFormValue("code") != psnCode {
			http.Error(w, "used up", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q}`, psnToken)
	})
	mux.HandleFunc("GET /2.0/oauth/token/{token}", func(w http.ResponseWriter, r *http.Request) {
		if _, secret, _ := r.BasicAuth(); r.PathValue("token") != psnToken || secret == "" {
			t.Errorf("request for token %q", r.PathValue("token"))
		}
		_, _ = w.Write([]byte(user))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &ps4.PSN{BaseURL: server.URL + "/", Client: server.Client()}
}

func TestPSNSignIn(t *testing.T) {
	t.Parallel()
	want, err := ps4.CredentialFromAccountID("9019256736915509894") // more digits than a float64 holds
	ok(t, err)
	for _, user := range []string{`{"user_id":"9019256736915509894"}`, `{"user_id":9019256736915509894,"online_id":"x"}`} {
		for _, pasted := range []string{landed, " " + landed + "\r\n", "<" + landed + ">", `"` + landed + `"`} {
			got, err := psnServer(t, user).SignIn(t.Context(), pasted)
			if err != nil || got != want {
				t.Errorf("%s: %v", user, err)
			}
		}
	}
}

func TestPSNSignInOfTheHighestAccount(t *testing.T) {
	t.Parallel()
	want, err := ps4.CredentialFromAccountID("18446744073709551615")
	ok(t, err)
	got, err := psnServer(t, `{"user_id":18446744073709551615}`).SignIn(t.Context(), landed)
	if err != nil || got != want {
		t.Error(err)
	}
}

func TestPSNAuthorizeURL(t *testing.T) {
	t.Parallel()
	u, err := url.Parse((&ps4.PSN{}).AuthorizeURL())
	ok(t, err)
	if u.Host != "auth.api.sonyentertainmentnetwork.com" || u.Path != "/2.0/oauth/authorize" {
		t.Errorf("address %v", u)
	}
	for key, want := range map[string]string{
		"client_id": "ba495a24-818c-472b-b12d-ff231c1b5745", "response_type": "code", "scope": "psn:clientapp",
		"redirect_uri": "https://remoteplay.dl.playstation.net/remoteplay/redirect", "service_entity": "urn:service-entity:psn",
		"request_locale": "en_US", "ui": "pr", "service_logo": "ps", "layout_type": "popup", "smcid": "remoteplay",
		"prompt": "always", "PlatformPrivacyWs1": "minimal",
	} {
		if got := u.Query().Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestPSNSignInFails(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	tests := map[string]struct {
		psn     *ps4.PSN
		address string
		want    error
	}{
		"no address":    {psnServer(t, ""), "http://[" + psnCode, ps4.ErrSignIn},
		"nothing":       {psnServer(t, ""), "", ps4.ErrSignIn},
		"no code":       {psnServer(t, ""), "https://remoteplay.dl.playstation.net/remoteplay/redirect?cid=SECRET", ps4.ErrSignIn},
		"cancelled":     {psnServer(t, ""), "https://remoteplay.dl.playstation.net/remoteplay/redirect?error=SECRET", ps4.ErrSignIn},
		"used up":       {psnServer(t, ""), "https://example.com/?code=SECRET-USED-UP", ps4.ErrSignIn},
		"no JSON":       {psnServer(t, "<html>"), landed, ps4.ErrSignIn},
		"no account":    {psnServer(t, `{}`), landed, ps4.ErrSignIn},
		"null":          {psnServer(t, `{"user_id":null}`), landed, ps4.ErrSignIn},
		"float":         {psnServer(t, `{"user_id":9.019256736915509e18}`), landed, ps4.ErrSignIn},
		"too high":      {psnServer(t, `{"user_id":18446744073709551616}`), landed, ps4.ErrSignIn},
		"zero":          {psnServer(t, `{"user_id":0}`), landed, ps4.ErrSignIn},
		"negative":      {psnServer(t, `{"user_id":-5}`), landed, ps4.ErrSignIn},
		"base64":        {psnServer(t, `{"user_id":"htLlVTfWKn0="}`), landed, ps4.ErrSignIn},
		"endless":       {psnServer(t, `{"a":"`+strings.Repeat("x", 1<<20)), landed, ps4.ErrSignIn},
		"not reachable": {&ps4.PSN{BaseURL: gone.URL}, landed, ps4.ErrPSNUnreachable},
		"bad base":      {&ps4.PSN{BaseURL: "::"}, landed, ps4.ErrSignIn},
		"no token":      {psnAnswering(t, http.StatusOK, `{}`), landed, ps4.ErrSignIn},
		"expired":       {psnAnswering(t, http.StatusBadRequest, `{"error":"invalid_grant"}`), landed, ps4.ErrSignIn},
		"unauthorized":  {psnAnswering(t, http.StatusUnauthorized, ""), landed, ps4.ErrSignIn},
		"forbidden":     {psnAnswering(t, http.StatusForbidden, ""), landed, ps4.ErrSignIn},
		"too often":     {psnAnswering(t, http.StatusTooManyRequests, ""), landed, ps4.ErrPSNUnreachable},
		"maintenance":   {psnAnswering(t, http.StatusServiceUnavailable, psnToken), landed, ps4.ErrPSNUnreachable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := test.psn.SignIn(t.Context(), test.address)
			wantErr(t, err, test.want)
			if !got.IsZero() || strings.Contains(fmt.Sprintf("%+v %#v", err, err), "SECRET") {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// psnAnswering starts a server that gives every request the same answer.
func psnAnswering(t *testing.T, status int, body string) *ps4.PSN {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return &ps4.PSN{BaseURL: server.URL, Client: server.Client()}
}

// A PSN that never answers does not block the caller forever.
func TestPSNSignInIsBounded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	psn := &ps4.PSN{BaseURL: "http://psn.test", Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if deadline, limited := r.Context().Deadline(); !limited || time.Until(deadline) > 30*time.Second {
			t.Errorf("deadline %v, %v", deadline, limited)
		}
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}}
	_, err := psn.SignIn(ctx, landed)
	wantErr(t, err, context.Canceled)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
