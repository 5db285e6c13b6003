package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

// setting returns a setting as the page shows it.
func setting(t *testing.T, r *running, key string) api.Setting {
	t.Helper()
	_, text := told(t, r, http.MethodGet, "/settings", "")
	var list []api.Setting
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Key == key {
			return s
		}
	}
	t.Fatalf("no setting %s", key)
	return api.Setting{}
}

// TestSettingsOfThePage: some apply at once, others wait for the restart that
// the page asks for.
func TestSettingsOfThePage(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback+"companion: {enabled: true}\n", 1)
	set := func(key, body, want string) {
		t.Helper()
		if got, text := told(t, r, http.MethodPut, "/settings/"+key, body); !strings.Contains(got+text, want) {
			t.Errorf("%s %s: %s, want %s", key, body, text, want)
		}
	}
	is := func(want api.Setting) {
		t.Helper()
		if got := setting(t, r, want.Key); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	set("art.country", `{"value":"england"}`, `"message":"\"england\" is not a code of two letters, such as us"`)
	is(api.Setting{Key: "art.country", Value: "us", Source: "default", Editable: true})
	set("poll.interval", `{"value":"2s"}`, "poll.interval is set in ")
	set("web.listen", `{"value":":80"}`, "not_found")

	set("art.country", `{"value":"gb"}`, done)
	is(api.Setting{Key: "art.country", Value: "gb", Source: "page", Waits: true, Editable: true})
	set("log.level", `{"value":"error"}`, done)
	is(api.Setting{Key: "log.level", Value: "error", Source: "page", Editable: true})
	set("log.level", `{}`, done)
	is(api.Setting{Key: "log.level", Value: "info", Source: "default", Editable: true})

	events := follow(t, r, "")
	events.next()
	if got, text := told(t, r, http.MethodPost, "/restart", ""); got != done {
		t.Fatal(text)
	}
	for events.lines.Scan() { // until the server has ended
	}
	waitUntil(t, "the server is back", func() bool {
		_, err := api.Consoles.Do(t.Context(), r.api, api.None{})
		return err == nil && strings.Count(r.log.String(), "the web page is served") == 2 // the old one may still answer
	})
	is(api.Setting{Key: "art.country", Value: "gb", Source: "page", Editable: true})
	r.stop()

	r = serve(t, r.state, strings.Replace(loopback, "art: {", "art: {country: de, ", 1), 0)
	set("art.country", `{"value":"fr"}`, "art.country is set in ")
}

// TestDamagedSettings: the server starts without them, and the log says so.
func TestDamagedSettings(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for text, logged := range map[string]string{
		`{"version":1,"data":{"log.level":"loud"}}`: `loud\" is unknown`,
		`{"version":1,`: "damaged",
	} {
		damage(t, filepath.Join(dir, "settings.json"), text)
		r := serve(t, dir, loopback, 0)
		if setting(t, r, "log.level").Source != "default" || !strings.Contains(strings.ReplaceAll(r.log.String(), `\\`, `\`), logged) {
			t.Errorf("%s: %s", text, r.log)
		}
		r.stop()
	}
}
