package app_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
)

// TestRestoreStartsAgain: the server is the same process, and everything is as it was
// when the backup was made.
func TestRestoreStartsAgain(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	r := serve(t, shortDir(t), yaml, 0)
	rename := func(name string) {
		t.Helper()
		if got, text := told(t, r, http.MethodPut, "/consoles/"+console.HostID()+"/name", `{"name":"`+name+`"}`); got != done {
			t.Fatal(text)
		}
	}
	name := func() string {
		list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
		if err != nil || len(list) == 0 {
			return ""
		}
		return list[0].Name
	}
	rename("Attic")
	if err := api.SetCredential.Do(t.Context(), r.api, api.CredentialRequest{User: api.User{Credential: credential, Passcode: "1234"}}); err != nil {
		t.Fatal(err)
	}
	backup, err := api.Backup.Do(t.Context(), r.api, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	rename("Loft")
	if err := api.SetCredential.Do(t.Context(), r.api, api.CredentialRequest{User: api.User{Credential: strings.Repeat("ab", 32)}}); err != nil {
		t.Fatal(err)
	}
	events := follow(t, r, "")
	events.next()

	for _, bad := range []string{"", "nothing", string(backup[:len(backup)-20]), string(backup) + "x"} {
		resp := ask(t, r, http.MethodPost, "/restore", bad, "Content-Type", "application/gzip")
		if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(text), `"bad_backup"`) {
			t.Errorf("a bad backup: %s %s", resp.Status, text)
		}
	}
	if name() != "Loft" {
		t.Error("a bad backup changed something")
	}
	resp := ask(t, r, http.MethodPost, "/restore", string(backup), "Content-Type", "application/gzip")
	if text, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusAccepted || !strings.Contains(string(text), "inputs/"+console.HostID()+".json") {
		t.Fatalf("%s %s %v", resp.Status, text, err)
	}
	for events.lines.Scan() { // until the stream ends with the old state
	}
	waitUntil(t, "the server serves the backup", func() bool { return name() == "Attic" })
	if user, err := api.Credential.Do(t.Context(), r.api, api.HostRequest{}); err != nil || user.Credential != credential || user.Passcode != "1234" {
		t.Errorf("the credential is another: %v", err)
	}
	events = follow(t, r, "")
	events.card("the console of the backup", func(c api.Card) bool { return c.Name == "Attic" })
	events.end()
	if !strings.Contains(r.log.String(), "restored a backup") {
		t.Error("the log does not mention the restore")
	}
	rename("Cellar")
	r.stop()
	r = serve(t, r.state, yaml, 0) // the state was closed
	if name() != "Cellar" {
		t.Errorf("after a restart it is called %s", name())
	}
}

// TestRestoreOfSimulatedConsoles: they are started again, too.
func TestRestoreOfSimulatedConsoles(t *testing.T) {
	t.Parallel()
	r := serve(t, shortDir(t), loopback, 2)
	backup, err := api.Backup.Do(t.Context(), r.api, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	if err := api.ResetHomekit.Do(t.Context(), r.api, api.HostRequest{Host: r.list[0].HostID}); err != nil { // another setup code
		t.Fatal(err)
	}
	resp := ask(t, r, http.MethodPost, "/restore", string(backup), "Content-Type", "application/gzip")
	if resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status)
	}
	waitUntil(t, "the setup code of the backup is back", func() bool {
		list, err := api.Homekit.Do(t.Context(), r.api, api.None{})
		return err == nil && len(list) == 2 && list[0].SetupCode == r.list[0].SetupCode
	})
}
