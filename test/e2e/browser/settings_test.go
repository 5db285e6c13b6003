package browser_test

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

// TestSettings creates and revokes a token, and changes the password.
func TestSettings(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "1")
	p := b.open("owner", s, view{"light", 1000, 700})
	p.signIn()
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

// TestRestore takes a backup, changes something and restores the backup. The
// browser expects the server at the same address, so the port is fixed for the
// test.
func TestRestore(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	_ = free.Close()
	p := b.open("owner", startSiteIn(t, t.TempDir(), listen, "", "--simulate", "1"), view{"light", 1000, 700})
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
