package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// told sends a request and returns the code of its refusal, or its status.
func told(t *testing.T, r *running, method, path, body string) (string, string) {
	t.Helper()
	resp := ask(t, r, method, path, body)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var refused struct{ Error api.Error }
	if json.Unmarshal(text, &refused); refused.Error.Code != "" {
		return refused.Error.Code, string(text)
	}
	return resp.Status, string(text)
}

const done = "204 No Content"

func TestRenamingAndOrderReachHomeKit(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	r := serve(t, shortDir(t), yaml, 0)
	if got, _ := told(t, r, http.MethodPut, "/consoles/Den/name", `{"name":"Attic"}`); got != done {
		t.Fatal(got)
	}
	for body, want := range map[string]string{`{"name":""}`: "bad_name", `{"name":"` + strings.Repeat("x", 65) + `"}`: "bad_name"} {
		if got, _ := told(t, r, http.MethodPut, "/consoles/Attic/name", body); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
	list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil || list[0].Name != "Attic" {
		t.Errorf("HomeKit has %+v, %v", list, err)
	}
	for _, id := range []string{"CUSA00129", "CUSA01116"} {
		if err := api.AddTitle.Do(t.Context(), r.api, api.AddTitleRequest{Host: "Attic", ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	order := func() (ids []string) {
		titles, err := api.Titles.Do(t.Context(), r.api, api.HostRequest{Host: "Attic"})
		if err != nil {
			t.Fatal(err)
		}
		for _, title := range titles {
			ids = append(ids, title.ID)
		}
		return ids
	}
	before := order()
	if got, _ := told(t, r, http.MethodPut, "/consoles/Attic/titles/order", `{"ids":["cusa01116","OTHER","HOME"]}`); got != done {
		t.Fatal(got)
	}
	if got := order(); !slices.Equal(got[:3], []string{"CUSA01116", "OTHER", "HOME"}) {
		t.Errorf("ordered %v", got)
	}
	if got, _ := told(t, r, http.MethodPut, "/consoles/Attic/titles/order", `{"ids":["CUSA77777"]}`); got != "not_found" {
		t.Errorf("an unknown title: %s", got)
	}
	accessories, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil || len(accessories) != 1 {
		t.Fatalf("HomeKit has %+v, %v", accessories, err)
	}
	checkGraph(t, accessories[0])
	r.stop()
	again := serve(t, r.state, yaml, 0)
	r.api = again.api
	if got := order(); got[0] != "CUSA01116" || again.list[0].Name != "Attic" {
		t.Errorf("after a restart %v of %s", got, again.list[0].Name)
	}
	if got, _ := told(t, again, http.MethodPut, "/consoles/Attic/titles/order", `{"ids":[]}`); got != done || !slices.Equal(order(), before) {
		t.Errorf("%s, own order again: %v, want %v", got, order(), before)
	}
}

// newcomer is a console that nobody is linked with, and a configuration that knows its
// address and where PSN is served.
func newcomer(t *testing.T) (*ps4test.Console, string) {
	t.Helper()
	user, err := ps4.CredentialFromAccountID("9019256736915509894")
	if err != nil {
		t.Fatal(err)
	}
	console := ps4test.Start(t, ps4test.Config{
		Name: "Den", HostID: "A0B1C2D3E4F5", PIN: "12345678", Credentials: []string{user.Reveal(), credential}, Timing: ps4test.FastTiming(),
	})
	key := filepath.Join(t.TempDir(), "console.pem")
	if err := os.WriteFile(key, console.PublicKeyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return console, fmt.Sprintf("%s\nconsole_key: %s\npsn: {auth_url: %q}\nconsoles: [{address: %q}]\n", loopback, key, servePSN(t), console.Addr())
}

const psnSecret = "v3.SECRETCODE"

// servePSN serves a copy of PSN that takes psnSecret.
func servePSN(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2.0/oauth/token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code") != psnSecret {
			http.Error(w, "used up", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"TOKEN"}`)
	})
	mux.HandleFunc("GET /2.0/oauth/token/TOKEN", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"user_id":"9019256736915509894"}`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestLinking goes the way of the page: credential, test, PIN, test.
func TestLinking(t *testing.T) {
	t.Parallel()
	for name, get := range map[string]struct{ path, good, bad, why string }{
		"account":      {"/consoles/Den/credential/account", `{"account_id":"9019256736915509894","passcode":"1234"}`, `{"account_id":"my-online-name"}`, "bad_account_id"},
		"phone number": {"/consoles/Den/credential/account", `{"account_id":"9019256736915509894"}`, `{"account_id":"447700900123"}`, "bad_account_id"},
		"psn": {
			"/consoles/Den/credential/psn", `{"address":"https://remoteplay.dl.playstation.net/remoteplay/redirect?code=` + psnSecret + `&cid=1"}`,
			`{"address":"https://remoteplay.dl.playstation.net/remoteplay/redirect?code=SECRETOLD"}`, "sign_in",
		},
		"default": {"/credential/account", `{"account_id":"9019256736915509894"}`, `{"account_id":"9019256736915509894","passcode":"12SECRET"}`, "bad_passcode"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			console, yaml := newcomer(t)
			r := serve(t, shortDir(t), yaml, 0)
			s := follow(t, r, "")
			if got, _ := told(t, r, http.MethodPost, "/consoles/Den/test", ""); got != "no_credential" {
				t.Errorf("without a credential: %s", got)
			}
			if got, text := told(t, r, http.MethodPut, get.path, get.bad); got != get.why || strings.Contains(text, "SECRET") {
				t.Errorf("%s: %s", get.bad, text)
			}
			if got, text := told(t, r, http.MethodPut, get.path, get.good); got != done {
				t.Fatal(text)
			}
			if s.card("the credential is known", func(c api.Card) bool { return c.Credential }).Linked {
				t.Error("the console counts as linked")
			}
			if got, text := told(t, r, http.MethodPost, "/consoles/Den/test", ""); got != "pin_needed" || !strings.Contains(text, `"hint":"`) {
				t.Errorf("before linking: %s", text)
			}
			if got, _ := told(t, r, http.MethodPost, "/consoles/Den/link", `{"pin":"87654321"}`); got != "pin_wrong" {
				t.Errorf("a wrong PIN: %s", got)
			}
			if got, text := told(t, r, http.MethodPost, "/consoles/Den/link", `{"pin":"12345678"}`); got != done {
				t.Fatal(text)
			}
			if got, text := told(t, r, http.MethodPost, "/consoles/Den/test", ""); got != done {
				t.Errorf("after linking: %s", text)
			}
			if c := s.card("it is linked", func(c api.Card) bool { return c.Linked }); c.Tested {
				t.Error("rest mode and wake count as tested")
			}
			console.Unlink() // a session that is open still does not make the test pass
			if got, _ := told(t, r, http.MethodPost, "/consoles/Den/test", ""); got != "pin_needed" {
				t.Errorf("unlinked on the console: %s", got)
			}
			if strings.Contains(r.log.String(), "SECRET") {
				t.Error("the log holds a secret")
			}
		})
	}
}

func TestPSNAddress(t *testing.T) {
	t.Parallel()
	_, yaml := newcomer(t)
	r := serve(t, shortDir(t), yaml, 0)
	if _, text := told(t, r, http.MethodGet, "/psn", ""); !strings.HasPrefix(text, `{"authorize_url":"http://127.0.0.1:`) {
		t.Error(text)
	}
}

func TestCapture(t *testing.T) {
	t.Parallel()
	_, yaml := newcomer(t)
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := taken.LocalAddr().(*net.UDPAddr).AddrPort()
	r := serveWith(t, shortDir(t), yaml, func(o *app.Options) { o.PhoneAddr = addr })
	if got, text := told(t, r, http.MethodPost, "/consoles/Den/credential/capture", `{}`); got != "port_taken" || !strings.Contains(text, `"hint":"`) {
		t.Errorf("a port that is taken: %s", text)
	}
	if got, _ := told(t, r, http.MethodPost, "/consoles/Den/credential/capture", `{"passcode":"1"}`); got != "bad_passcode" {
		t.Errorf("a bad passcode: %s", got)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	result := make(chan string, 1)
	go func() {
		got, _ := told(t, r, http.MethodPost, "/consoles/Den/credential/capture", `{}`)
		result <- got
	}()
	phone, err := net.Dial("udp4", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	for got := ""; got == ""; { // until the server listens and takes it
		_, _ = io.WriteString(phone, "WAKEUP * HTTP/1.1\nclient-type:a\nauth-type:C\nuser-credential:"+credential+"\n")
		select {
		case got = <-result:
			if got != done {
				t.Fatal(got)
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	if user, err := api.Credential.Do(t.Context(), r.api, api.HostRequest{Host: "Den"}); err != nil || user.Credential != credential {
		t.Errorf("stored: %v", err)
	}
	if strings.Contains(r.log.String(), credential) {
		t.Error("the log holds the credential")
	}
}

func TestQRCodeUntilPaired(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	r := serve(t, shortDir(t), yaml+"companion: {enabled: true}\n", 0)
	for _, host := range []string{"Den", "companion"} {
		if got, text := told(t, r, http.MethodGet, "/homekit/"+host+"/qr", ""); got != "200 OK" || !strings.HasPrefix(text, "<svg") {
			t.Errorf("%s: %s %.80s", host, got, text)
		}
	}
	for host, want := range map[string]string{"Attic": "not_found", "-": "ambiguous"} {
		if got, _ := told(t, r, http.MethodGet, "/homekit/"+host+"/qr", ""); got != want {
			t.Errorf("%s: %s", host, got)
		}
	}
}

// TestNoQRCodeWhilePairingIsLocked by 100 wrong setup codes.
func TestNoQRCodeWhilePairingIsLocked(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	dir := shortDir(t)
	yaml += "companion: {enabled: true}\n"
	serve(t, dir, yaml, 0).stop()
	store := open(t, dir)
	file := state.HomeKit[map[string]any](store, state.Companion)
	err := file.Update(func(saved map[string]any) (map[string]any, error) {
		saved["server"].(map[string]any)["setup_failures"] = 100
		return saved, nil
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	r := serve(t, dir, yaml, 0)
	if got, _ := told(t, r, http.MethodGet, "/homekit/companion/qr", ""); got != "pairing_locked" {
		t.Error(got)
	}
}

func TestSettingsHoldNoSecret(t *testing.T) {
	t.Parallel()
	_, yaml := den(t)
	r := serve(t, shortDir(t), yaml, 0)
	_, text := told(t, r, http.MethodGet, "/settings", "")
	var settings []api.Setting
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		t.Fatal(err)
	}
	shown := map[string]api.Setting{}
	for _, s := range settings {
		shown[s.Key] = s
	}
	if s := shown["consoles[0].credential"]; s.Value != "[redacted]" || !strings.Contains(s.Source, "config.yaml:") {
		t.Errorf("%+v", s)
	}
	if s := shown["homekit.slots"]; s.Value != "40" || s.Source != "default" {
		t.Errorf("%+v", s)
	}
	if strings.Contains(text, credential) {
		t.Error("the settings hold the credential")
	}
}

// TestRestModeAndWakeAreTested checks that a card says what a command pursues,
// and that both directions worked once, also after a restart.
func TestRestModeAndWakeAreTested(t *testing.T) {
	t.Parallel()
	timing := ps4test.FastTiming()
	timing.Wake, timing.StandbyDelay = 2*time.Second, 2*time.Second // a shorter pursuit may fall between two events
	_, yaml := denWith(t, timing)
	r := serve(t, shortDir(t), yaml, 0)
	s := follow(t, r, "")
	for _, step := range []struct {
		state, body string
		tested      bool
	}{{api.StateStandby, `{"state":"standby"}`, false}, {api.StateAwake, `{"state":"awake","wait":true}`, true}} {
		if got, text := told(t, r, http.MethodPost, "/consoles/Den/power", step.body); got != done {
			t.Fatal(text)
		}
		s.card("pursuing "+step.state, func(c api.Card) bool { return c.Pursuing == step.state })
		c := s.card("done", func(c api.Card) bool { return c.Pursuing == "" && c.State == step.state && c.Tested == step.tested })
		if c.Starting != "" {
			t.Errorf("%+v", c)
		}
	}
	s.end()
	r.stop()
	again := serve(t, r.state, yaml, 0)
	follow(t, again, "").card("it is remembered", func(c api.Card) bool { return c.Tested })
}
