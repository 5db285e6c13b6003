package browser_test

import (
	"net/http"
	"path/filepath"
	"testing"
)

// TestSettings creates, copies and revokes a token, and changes the password.
func TestSettings(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"light", 1000, 700})
	p.section("settings")
	p.see(`role=row[name=/^poll.interval 200ms .*config.yaml/]`)
	p.tokens()
	p.password()
	p.checkQuiet()
}

func (p *page) tokens() {
	p.t.Helper()
	p.fill(`role=textbox[name="Name"]`, "doorbell")
	p.click(button("Make a token"))
	token := p.text("code.secret")
	p.click(button("Copy"))
	p.press(`role=textbox[name="Name"]`, "Control+v")
	p.click(button("Make a token"))
	p.see(button("Revoke " + token))
	if got := p.status(token); got != http.StatusOK {
		p.t.Errorf("with the token: status %d", got)
	}
	p.click(button("Revoke doorbell"))
	p.click(button("Revoke"))
	p.gone(button("Revoke doorbell"))
	if got := p.status(token); got != http.StatusUnauthorized {
		p.t.Errorf("with the revoked token: status %d", got)
	}
}

// status returns the status of a script's request.
func (p *page) status(token string) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.site.url+"api/v1/consoles", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

func (p *page) password() {
	p.t.Helper()
	const chosen = "correct horse battery staple"
	p.fill(`role=textbox[name="Current password"]`, p.site.password)
	p.fill(`role=textbox[name="New password"]`, chosen)
	p.click(button("Change the password"))
	p.see("role=status >> text=Password changed.")
	p.click(button("Sign out"))
	p.site.password = chosen
	p.signIn()
}

// TestRestore takes a backup, changes something and restores the backup.
func TestRestore(t *testing.T) {
	t.Parallel()
	p := startBrowser(t).open("owner", startFixedSite(t, "--simulate", "1"), view{"light", 1000, 700})
	p.signIn()
	p.section("settings")
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	p.do("download", `role=link[name="Download a backup"]`, args{"file": file})
	p.site.Run("titles", "rename", netflix, "Films")
	p.do("upload", "input[type=file]", args{"file": file})
	p.click(button("Restore…"))
	p.click("dialog >> " + button("Restore"))
	p.see(button("Sign in")) // the session was the old server's
	p.signIn()
	p.section("inputs")
	p.see(button("Rename Netflix"))
}

// TestPreferences changes settings, one of which config.yaml locks, and restarts
// the server.
func TestPreferences(t *testing.T) {
	t.Parallel()
	p := startBrowser(t).open("owner", startFixedSite(t, "--simulate", "1"), view{"light", 1280, 900})
	p.signIn()
	p.section("settings")
	p.see(`role=textbox[name="Polling interval"][disabled]`)
	p.see(`text=/Set in .*config.yaml:4/`)
	p.see(`role=combobox[name="Log level"][disabled]`)
	p.see(`text=/Set with the flag --debug/`)

	const country = `role=textbox[name="Country of the PlayStation Store"]`
	p.fill(country, "england")
	p.press(country, "Enter")
	p.see(`role=alert >> text=/england.* is not a code of two letters, such as us./`)
	p.fill(country, "gb")
	p.press(country, "Enter")
	p.seeText("main", "Waiting for a restart: art.country")
	p.gone("role=alert")
	p.click(button("Use the default: Country of the PlayStation Store"))
	p.see(`role=row[name="art.country us default"]`)
	p.gone(`text=/Waiting for a restart/`)
	p.fill(country, "gb")
	p.press(country, "Enter")
	p.seeText("main", "Waiting for a restart: art.country")
	p.click(`role=checkbox[name="Look for new releases"]`)
	p.see(`role=row[name="updates.check false page"]`)

	p.click(button("Restart…"))
	p.press("", "Escape")
	p.gone("dialog")
	p.click(button("Restart…"))
	p.click("dialog >> " + button("Restart"))
	p.see(button("Sign in"))
	p.signIn()
	p.section("settings")
	p.see(`role=row[name=/^art.country gb page$/]`)
	p.gone(`text=/Waiting for a restart/`)
}

// TestRelease shows a newer release, quietly: on a phone the sections stay in
// one line.
func TestRelease(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"light", 390, 844})
	height := func() float64 {
		var box struct{ Height float64 }
		p.ask("box", "nav", nil, &box)
		return box.Height
	}
	p.section("settings")
	p.see(`role=heading[name="Settings"]`)
	before := height()
	p.gone(`role=link[name="Settings (new release)"]`)
	p.do("stub", "", args{"method": "GET", "url": "**/api/v1/events", "status": 200, "type": "text/event-stream",
		"body": "event: overview\ndata: {\"consoles\":[],\"release\":{\"version\":\"v9.9.9\",\"url\":\"https://example.org/notes\"}}\n\n"})
	p.do("reload", "", nil)
	p.see(`role=link[name="Settings (new release)"]`)
	if now := height(); now != before {
		t.Errorf("the sections are %v px high with the notice, %v without", now, before)
	}
	p.seeText("main", "Version v9.9.9 is available.")
	p.see(`role=link[name="Read what changed"]`)
	p.click(`role=link[name="how to upgrade"]`)
	p.see(`role=heading[name="Upgrade"]`)
}
