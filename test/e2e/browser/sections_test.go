package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var sections = []string{
	"consoles", "setup", "setup/025053340001/account", "setup/025053340001/pin",
	"setup/025053340001/test", "setup/025053340001/pair",
	"inputs", "homekit", "log", "settings",
}

// TestSections checks every section against axe's rules, light on a desktop and
// dark on a phone, with the consoles of `make run`.
func TestSections(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "2")
	s.Run("--host-id", "025053340001", "start", netflix)
	for _, v := range []view{{"light", 1180, 800}, {"dark", 360, 740}} {
		name := fmt.Sprintf("%s-%d", v.scheme, v.width)
		p := b.open(name, s, v)
		p.checkAccess("sign-in")
		p.signIn()
		for _, section := range sections {
			p.section(section)
			p.see("main h1")
			p.gone(`text="Loading…"`)
			p.checkAccess(section)
		}
		p.pictures(v)
		p.checkQuiet()
		b.Do("close", args{"page": name}, nil)
	}
}

// checkAccess checks that a section is accessible, and no wider than the
// window.
func (p *page) checkAccess(section string) {
	p.t.Helper()
	var violations []string
	if p.ask("axe", "", nil, &violations); len(violations) > 0 {
		p.t.Errorf("%s, %s: %s", p.name, section, strings.Join(violations, "\n"))
	}
	var over int
	if p.ask("overflow", "", nil, &over); over > 0 {
		p.t.Errorf("%s, %s: %d pixels wider than the window", p.name, section, over)
	}
}

// pictures are for the documentation.
func (p *page) pictures(v view) {
	p.t.Helper()
	switch {
	case v.scheme == "light" && !v.phone():
		p.section("inputs")
		p.see(".inputs li")
		p.shoot("inputs.png")
	case v.scheme == "dark" && v.phone():
		p.section("consoles")
		p.see(`[data-host="025053340001"] >> text="Running"`)
		p.shoot("phone.png")
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := startSite(t, "", "--simulate", "1")
	s.Run("start", netflix)
	p := b.open("stranger", s, view{"light", 1180, 740})
	p.section("settings") // leads to the sign-in page
	p.fill(`role=textbox[name="Password"]`, "wrong-wrong-wrong")
	p.click(button("Sign in"))
	p.seeText("role=alert", "That password is wrong.")
	p.signIn()
	p.see(`role=heading[name="Consoles"]`)
	p.seeText("main", "Running")
	for _, title := range []string{netflix, spotify, "CUSA04529"} {
		p.see(`[data-id="` + title + `"] img`)
	}
	p.shoot("consoles.png")
	p.click(button("Sign out"))
	p.see(button("Sign in"))
	p.checkQuiet()
	p.signIn()
	p.seeText("main", "Running")
	s.Stop()
	p.seeText("role=status", "Connection lost. Trying again…")
}

// TestLogSection filters, searches and downloads the log.
func TestLogSection(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"dark", 390, 844})
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
	p := owner(t, view{"light", 1280, 900})
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
