package ps4_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
)

const (
	psnCode  = "v3.SECRETCODE"
	psnToken = "SECRET/TOKEN"
	landed   = "https://remoteplay.dl.playstation.net/remoteplay/redirect?code=" + psnCode + "&cid=1"
)

// psnServer answers as PSN does; user is the body that tells the account.
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
			t.Errorf("asked for token %q", r.PathValue("token"))
		}
		_, _ = w.Write([]byte(user))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &ps4.PSN{BaseURL: server.URL + "/", Client: server.Client()}
}

func TestPSNSignIn(t *testing.T) {
	t.Parallel()
	want, err := ps4.CredentialFromAccountID("9019256736915509894") // no float holds it
	ok(t, err)
	for _, user := range []string{`{"user_id":"9019256736915509894"}`, `{"user_id":9019256736915509894,"online_id":"x"}`} {
		got, err := psnServer(t, user).SignIn(t.Context(), " "+landed+"\n")
		if err != nil || got != want {
			t.Errorf("%s: %v", user, err)
		}
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
	}{
		"no address":    {psnServer(t, ""), "http://[" + psnCode},
		"no code":       {psnServer(t, ""), "https://remoteplay.dl.playstation.net/remoteplay/redirect?error=x"},
		"used up":       {psnServer(t, ""), "https://example.com/?code=SECRET-USED-UP"},
		"no JSON":       {psnServer(t, "<html>"), landed},
		"no account":    {psnServer(t, `{}`), landed},
		"null":          {psnServer(t, `{"user_id":null}`), landed},
		"float":         {psnServer(t, `{"user_id":9.019256736915509e18}`), landed},
		"base64":        {psnServer(t, `{"user_id":"htLlVTfWKn0="}`), landed},
		"not reachable": {&ps4.PSN{BaseURL: gone.URL}, landed},
		"bad base":      {&ps4.PSN{BaseURL: "::"}, landed},
		"endless":       {psnServer(t, `{"a":"`+strings.Repeat("x", 1<<20)), landed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := test.psn.SignIn(t.Context(), test.address)
			wantErr(t, err, ps4.ErrSignIn)
			if !got.IsZero() || strings.Contains(fmt.Sprintf("%+v %#v", err, err), "SECRET") {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
