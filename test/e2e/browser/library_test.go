package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// TestLibrary fills the inputs: a media app, an address of the PS Store, and the
// titles of an account of a copy of PSN. It hides an input whose title the console
// refuses as not installed.
func TestLibrary(t *testing.T) {
	t.Parallel()
	npsso := strings.Repeat("SECRETab", 8)
	account := httptest.NewServer(accountPages(npsso))
	t.Cleanup(account.Close)
	den, configuration := console(t, ps4test.Config{
		Name: "Den", HostID: "A0B1C2D3E4F5", Linked: true, Credentials: []string{credential}, Titles: []ps4test.Title{{ID: netflix, Name: "Netflix"}},
	})
	b := startBrowser(t)
	s := startSite(t, configuration+fmt.Sprintf("consoles: [{address: %q, credential: %s}]\npsn: {account_url: %q, titles_url: %q}\n",
		den.Addr(), credential, account.URL, account.URL))
	p := b.open("owner", s, view{"light", 1000, 900})
	p.signIn()
	p.section("inputs")
	p.click(button("Netflix"))
	p.see(button("Rename Netflix"))
	p.gone(button("Netflix"))
	p.fill(`role=textbox[name="Title id"]`, "https://store.playstation.com/en-us/concept/228748")
	p.click(button("Add"))
	p.see("role=alert >> text=concept")
	p.fill(`role=textbox[name="Title id"]`, "https://store.playstation.com/en-us/product/UP4381-CUSA01015_00-YOUTUBESCEA00000")
	p.click(button("Add"))
	p.see(button("Rename YouTube"))

	var box struct{ Width, Height float64 }
	if p.ask("box", `css=input[name="credential"]`, nil, &box); box.Width > 24 || box.Height > 24 {
		t.Errorf("a checkbox of %v pixels", box)
	}
	p.fill(`css=input[name="npsso"]`, strings.Repeat("SECRETxy", 8))
	p.click(button("Show the titles"))
	p.see("role=alert >> text=PSN does not accept the npsso token")
	p.fill(`css=input[name="npsso"]`, npsso)
	p.click(button("Show the titles"))
	p.see(`role=checkbox[name=/^Bloodborne/]`)
	p.checkAccess("titles of an account")
	p.click(button("Choose none"))
	p.gone(`role=checkbox[checked]`)
	p.click(button("Choose all"))
	p.click(`role=checkbox[name=/^Journey/]`) // not this one
	p.click(button("Import"))
	p.see(`role=status >> text=1 added`)
	p.see(button("Rename Bloodborne"))
	p.gone(button("Rename Journey"))

	p.section("consoles")
	p.click(`[data-host="A0B1C2D3E4F5"] [data-id="CUSA00207"]`)
	p.see("role=alert >> text=not on the console")
	p.section("inputs")
	p.see(`[data-id="CUSA00207"] >> text=not installed`)
	p.checkAccess("an input that is not installed")
	p.section("consoles")
	p.click(`[data-host="A0B1C2D3E4F5"] [data-id="CUSA01015"]`)
	p.see(button("Hide YouTube"))
	p.click(`[data-host="A0B1C2D3E4F5"] [data-id="CUSA00129"]`) // while another title runs
	p.see(`[data-host="A0B1C2D3E4F5"] >> text=Running`)
	p.click(button("Hide Bloodborne"))
	p.see(button("Hide YouTube"))
	p.gone(`[data-host="A0B1C2D3E4F5"] [data-id="CUSA00207"]`)
	const start = "422 POST /api/v1/consoles/A0B1C2D3E4F5/start"
	p.checkQuiet("422 POST /api/v1/consoles/A0B1C2D3E4F5/titles", "422 POST /api/v1/psn/titles", start, start)
}

// accountPages is a copy of PSN with an account that has played two titles.
func accountPages(npsso string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/authz/v3/oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		answer := "error=login_required"
		if r.Header.Get("Cookie") == "npsso="+npsso {
			answer = "code=x"
		}
		w.Header().Set("Location", "com.scee.psxandroid.scecompcall://redirect/?"+answer)
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("POST /api/authz/v3/oauth/token", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"x"}`)
	})
	mux.HandleFunc("GET /api/gamelist/v2/users/me/titles", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"titles":[
			{"titleId":"CUSA00207_00","localizedName":"Bloodborne™","lastPlayedDateTime":"2024-05-06T00:00:00Z"},
			{"titleId":"CUSA00694_00","localizedName":"Journey","lastPlayedDateTime":"2024-05-05T00:00:00Z"}],"totalItemCount":2}`)
	})
	return mux
}
