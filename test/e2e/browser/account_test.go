package browser_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// TestAccountByPSN gets the account by signing in to a copy of PSN in another
// tab, and links with it. The console knows no other account.
func TestAccountByPSN(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	psn := httptest.NewServer(signInPages())
	t.Cleanup(psn.Close)
	den, configuration := console(t, ps4test.Config{Name: "Den", HostID: "A0B1C2D3E4F5", PIN: pin, Credentials: []string{credential}})
	p := b.open("newcomer", startSite(t, configuration+"psn: {auth_url: "+psn.URL+"}\n"), view{"light", 1100, 760})
	p.signIn()
	p.section("setup/" + den.HostID())
	p.see(`role=radio[name=/^Sign in to PSN/][checked]`) // leads
	p.click(button("Open the PSN sign-in"))
	var address string
	p.ask("attribute", `role=link[name="Open the PSN sign-in"]`, args{"name": "href"}, &address)
	if !strings.HasPrefix(address, psn.URL+"/2.0/oauth/authorize?") {
		t.Errorf("the sign-in is at %s", address)
	}
	p.fill(`role=textbox[name="Address of that page"]`, "https://remoteplay.dl.playstation.net/remoteplay/redirect?code=EXPIRED")
	p.click(button("Save and continue"))
	p.see("role=alert >> text=sign in again")
	p.fill(`role=textbox[name="Address of that page"]`, "https://remoteplay.dl.playstation.net/remoteplay/redirect?code=SECRETCODE")
	p.click(button("Save and continue"))
	p.fill(`role=textbox[name="PIN on the TV"]`, pin)
	p.click(button("Link"))
	p.seeText("role=heading", "Test rest mode and wake")
	if len(den.Devices()) != 1 {
		t.Errorf("linked are %+v", den.Devices())
	}
	p.checkQuiet("422 PUT /api/v1/consoles/A0B1C2D3E4F5/credential/psn")
}

// signInPages is a copy of PSN that takes one code, for one user.
func signInPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2.0/oauth/authorize", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /2.0/oauth/token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code") != "SECRETCODE" {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"SECRETTOKEN"}`))
	})
	mux.HandleFunc("GET /2.0/oauth/token/SECRETTOKEN", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"user_id":"` + accountID + `"}`))
	})
	return mux
}
