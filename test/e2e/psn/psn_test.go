// Package psn_test compares the requests of internal/psn with those of an
// independent client: the npm package psn-api 2.18.1. Both talk to a copy of
// Sony's hosts.
package psn_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/psn"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

var npsso = strings.Repeat("aB3dEf7h", 8)

const accountID = "9019256736915509894"

// request is what matters of a request.
type request struct {
	method, host, path string
	query, form        string // in the order of their keys
	cookie, auth       string
}

// sony is a copy of Sony's hosts that records requests.
type sony struct {
	mu       sync.Mutex
	requests []request
}

func (s *sony) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	s.mu.Lock()
	s.requests = append(s.requests, request{
		r.Method, r.Header.Get("X-Meant-Host"), r.URL.Path, r.URL.Query().Encode(), form.Encode(), r.Header.Get("Cookie"), r.Header.Get("Authorization"),
	})
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/api/authz/v3/oauth/authorize":
		w.Header().Set("Location", "com.scee.psxandroid.scecompcall://redirect/?code=v3.abc&cid=1")
		w.WriteHeader(http.StatusFound)
	case "/api/authz/v3/oauth/token":
		_, _ = io.WriteString(w, `{"access_token":"eyJ.a.b","expires_in":3599,"id_token":"i","refresh_token":"r","token_type":"bearer"}`)
	case "/api/gamelist/v2/users/me/titles":
		_, _ = io.WriteString(w, `{"titles":[{"titleId":"CUSA00129_00","localizedName":"Netflix","category":"ps4_game"}],"totalItemCount":1}`)
	case "/api/v1/devices/accounts/me":
		_, _ = io.WriteString(w, `{"accountId":"`+accountID+`","accountDevices":[]}`)
	}
}

// take returns the recorded requests and forgets them.
func (s *sony) take() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.requests
	s.requests = nil
	return list
}

// toCopy sends requests to the copy at an address, as driver.js does for
// psn-api.
type toCopy string

func (address toCopy) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := url.Parse(string(address))
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Meant-Host", r.URL.Host)
	r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, to.Host
	return http.DefaultTransport.RoundTrip(r)
}

func TestRequestsAreThoseOfPSNAPI(t *testing.T) {
	t.Parallel()
	peer.NodeModules(t, ".")
	record := &sony{}
	server := httptest.NewServer(record)
	t.Cleanup(server.Close)

	driver := peer.StartDriver(t, ".", []string{"node", "driver.js", server.URL}, func(line []byte) { t.Errorf("driver.js said %q", line) })
	var theirs struct {
		Titles    []string `json:"titles"`
		AccountID string   `json:"accountId"`
	}
	driver.Do("titles", peer.Args{"args": []any{npsso, 200}}, &theirs)
	if !slices.Equal(theirs.Titles, []string{"CUSA00129_00"}) || theirs.AccountID != accountID {
		t.Errorf("psn-api understood %+v: the copy is wrong", theirs)
	}
	want := record.take()

	token, err := psn.ParseNPSSO(npsso)
	if err != nil {
		t.Fatal(err)
	}
	hosts := config.Default().PSN
	client := &psn.Client{AccountURL: hosts.AccountURL, TitlesURL: hosts.TitlesURL, HTTP: &http.Client{Transport: toCopy(server.URL)}}
	session, err := client.SignIn(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	titles, err := session.Titles(t.Context())
	if err != nil || len(titles) != 1 || titles[0].ID != "CUSA00129" {
		t.Errorf("titles: %+v, %v", titles, err)
	}
	if id, err := session.AccountID(t.Context()); id != accountID {
		t.Errorf("account id %q, %v", id, err)
	}

	// The one difference: internal/psn needs the account id only, and doesn't
	// ask for the account's consoles.
	if len(want) == 4 && strings.HasPrefix(want[3].query, "includeFields=device") {
		want[3].query = ""
	}
	if got := record.take(); len(want) != 4 || !slices.Equal(got, want) {
		t.Errorf("requests:\n%+v\nthose of psn-api:\n%+v", got, want)
	}
}
