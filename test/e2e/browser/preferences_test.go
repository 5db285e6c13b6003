package browser_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestPreferences changes settings, one of which config.yaml locks, and restarts
// the server. Its address is fixed for the browser.
func TestPreferences(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	_ = free.Close()
	s := startSiteIn(t, t.TempDir(), listen, "", "--simulate", "1")
	p := b.open("owner", s, view{"light", 1280, 900})
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

// TestRelease shows a newer release, quietly.
func TestRelease(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "1")
	p := b.open("owner", s, view{"light", 1280, 900})
	p.signIn()
	p.gone(`role=link[name="Settings (new release)"]`)
	p.do("stub", "", args{"method": "GET", "url": "**/api/v1/events", "status": 200, "type": "text/event-stream",
		"body": "event: overview\ndata: {\"consoles\":[],\"release\":{\"version\":\"v9.9.9\",\"url\":\"https://example.org/notes\"}}\n\n"})
	p.do("reload", "", nil)
	p.click(`role=link[name="Settings (new release)"]`)
	p.seeText("main", "Version v9.9.9 is available.")
	p.see(`role=link[name="Read what changed"]`)
	p.click(`role=link[name="how to upgrade"]`)
	p.see(`role=heading[name="Upgrade"]`)
}

// TestLogSection filters, searches and downloads the log.
func TestLogSection(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "1")
	p := b.open("owner", s, view{"dark", 390, 844})
	p.signIn()
	p.section("log")
	p.see(`text=/^20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}$/`)
	p.fill(`role=searchbox[name="Search"]`, "WEB PAGE is")
	p.see(`text="the web page is served"`)
	if lines := p.texts(".line"); len(lines) != 1 {
		t.Errorf("found %q", lines)
	}
	file := filepath.Join(t.TempDir(), "log.txt")
	p.do("download", button("Download"), args{"file": file})
	text, err := os.ReadFile(file)
	if want := regexp.MustCompile(`^[-0-9]{10} [:0-9]{8} info the web page is served address=[.:0-9]+\n$`); err != nil || !want.Match(text) {
		t.Errorf("the file is %q, %v", text, err)
	}
	p.do("choose", `role=combobox[name="Minimum level"]`, args{"value": "error"})
	p.seeText("role=log", "No lines of this level yet.")
	p.do("reload", "", nil) // the address keeps the level
	p.seeText("role=log", "No lines of this level yet.")
	p.checkQuiet()
}

// TestDialogs closes the dialog that renames an input, and changes nothing.
func TestDialogs(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "1")
	p := b.open("owner", s, view{"light", 1280, 900})
	p.signIn()
	p.section("inputs")
	for _, leave := range []func(){
		func() { p.press("dialog >> role=textbox", "Escape") },
		func() { p.section("log"); p.gone("dialog"); p.section("inputs") },
	} {
		p.click(button("Rename Netflix"))
		p.fill("dialog >> role=textbox", "Films")
		leave()
		p.gone("dialog")
		p.see(button("Rename Netflix"))
	}
	p.fill(`role=textbox[name="Title id"]`, "CUSA123")
	p.click(button("Add"))
	p.see("role=alert >> text=This contains no title id, which has four letters and five digits")
	p.checkQuiet("422 POST /api/v1/consoles/025053340001/titles")
}

// TestCopyToken pastes a copied token into the name of the next one.
func TestCopyToken(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "1")
	p := b.open("owner", s, view{"light", 1280, 900})
	p.signIn()
	p.section("settings")
	p.fill(`role=textbox[name="Name"]`, "doorbell")
	p.click(button("Make a token"))
	token := p.text("code.secret")
	p.click(button("Copy"))
	p.press(`role=textbox[name="Name"]`, "Control+v")
	p.click(button("Make a token"))
	p.see(button("Revoke " + token))
	p.checkQuiet()
}

// TestGuide reads the guide without signing in.
func TestGuide(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "1")
	for _, v := range []view{{"light", 1280, 900}, {"dark", 390, 844}} {
		name := fmt.Sprintf("%s-%d", v.scheme, v.width)
		p := b.open(name, s, v)
		for _, guide := range []string{"", "install", "network", "security", "troubleshooting", "pairing"} {
			p.do("goto", "", args{"url": s.url + "guide/" + guide})
			p.checkAccess("guide/" + guide)
		}
		p.click(`role=link[name="Guide"]`)
		p.see(`role=heading[name="The guide"]`)
		p.checkQuiet()
		b.Do("close", args{"page": name}, nil)
	}
}
