package browser_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// TestAddAndRemove adds a console that was only found, adds another one by its
// address, and removes one. The server's part is stubbed.
func TestAddAndRemove(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"light", 1000, 700})
	p.stub("POST", "**/api/v1/consoles", 200, "application/json", `{"host_id":"A0B1C2D3E4F5","name":"Den"}`)
	p.showConsoles(false)
	p.do("reload", "", nil)
	p.see(`text="Found on your network"`)
	p.gone(button("Turn on"))
	p.gone(button("Remote"))
	p.gone("role=application")
	p.gone(button("Remove"))
	p.checkAccess("a console that was found")
	p.click(button("Set up Den"))
	p.see(`role=heading[name="Set up Den"]`)
	p.checkStubbed(`POST /api/v1/consoles {"address":"192.0.2.7"}`)

	p.section("setup")
	p.fill(`role=textbox[name="Address or host name"]`, " ps4.example ")
	p.click(`role=button[name="Add"]`)
	p.see(`role=heading[name="Set up Den"]`)
	p.checkStubbed(`POST /api/v1/consoles {"address":"ps4.example"}`)
	p.stub("POST", "**/api/v1/consoles", 422, "application/json", `{"error":{"code":"unreachable","message":"the console does not answer","hint":"check its address"}}`)
	p.section("setup")
	p.fill(`role=textbox[name="Address or host name"]`, "192.0.2.9")
	p.click(`role=button[name="Add"]`)
	p.seeText("role=alert", "The console does not answer.")
	p.seeText("role=alert", "Check its address.")
	p.checkAccess("a console that cannot be added")
	p.checkStubbed(`POST /api/v1/consoles {"address":"192.0.2.9"}`)

	p.section("consoles")
	p.showConsoles(true)
	p.see(button("Turn on"))
	p.stub("DELETE", "**/api/v1/consoles/A0B1C2D3E4F5", 204, "", "")
	p.click(button("Remove"))
	p.see("dialog >> text=its HomeKit pairing, its inputs and its credential")
	p.checkAccess("the question")
	p.click(button("Cancel"))
	p.gone("dialog")
	p.checkStubbed()
	p.click(button("Remove"))
	p.click("dialog >> " + button("Remove"))
	p.gone("dialog")
	p.checkStubbed("DELETE /api/v1/consoles/A0B1C2D3E4F5")
	p.section("setup/B0B1C2D3E4F5/pin") // of a console that is gone
	p.see(`role=heading[name="Set up a console"]`)
	p.checkQuiet("422 POST /api/v1/consoles")
}

// TestPursuits shows the command in progress for as long as the server does,
// while everything that can be clicked stays in its place.
func TestPursuits(t *testing.T) {
	t.Parallel()
	b, s := startBrowser(t), startSite(t, "", "--simulate", "1")
	for _, v := range []view{{"light", 1280, 800}, {"dark", 390, 844}} {
		b.open(v.scheme, s, v).pursuits()
	}
}

func (p *page) pursuits() {
	p.t.Helper()
	p.signIn()
	titles := `[{"id":"HOME","name":"Home Screen"},{"id":"` + netflix + `","name":"Netflix"},{"id":"CUSA04529","title":"Uncharted 4: A Thief’s End"}]`
	show := func(fields ...any) {
		p.showConsoles(true, fields...)
		p.stub("GET", "**/api/v1/consoles/A0B1C2D3E4F5/titles", 200, "application/json", titles)
		p.do("reload", "", nil)
		p.see(button("Netflix"))
	}
	show()
	before := p.places()
	if len(before) != 18 { // tools, power, remote, inputs, keys
		p.t.Errorf("%d places: %v", len(before), before)
	}
	for _, c := range []struct {
		text   string
		fields []any
	}{
		{"Starting Netflix…", []any{"pursuing", "title", "starting", netflix, "working", true}},
		{"Starting Uncharted 4: A Thief’s End…", []any{"pursuing", "title", "starting", "CUSA04529"}},
		{"Turning on…", []any{"pursuing", "awake"}},
		{"Going to rest mode…", []any{"pursuing", "standby", "state", "awake"}},
		{"Opening the home screen…", []any{"pursuing", "home", "state", "awake"}},
		{"On", []any{"state", "awake", "title_id", netflix, "title_name", "Netflix"}},
		{"Unreachable", []any{"state", "unreachable"}},
		{"Rest mode", []any{"last_error", map[string]string{"code": "not_woken", "message": "the console does not turn on"}, "last_error_at", "2026-01-01T00:00:00Z"}},
	} {
		show(c.fields...)
		p.seeText("role=status", c.text)
		p.gone("text=working")
		if now := p.places(); !maps.Equal(now, before) {
			p.t.Errorf("%s: moved from %v to %v", c.text, before, now)
		}
		p.checkAccess(c.text)
	}
	show("pursuing", "title", "starting", netflix)
	p.showConsoles(true)
	p.gone("text=Starting")
	p.checkQuiet()
}

// places returns where each thing to click in the card is.
func (p *page) places() (places map[string]string) {
	p.t.Helper()
	p.ask("places", ".card-head button, .card-head a, .switches button, .starts > *, .key", nil, &places)
	return places
}

// TestUnreachable disables the inputs and the remote of a console that doesn't
// answer, and says why.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"light", 1000, 700})
	p.stub("POST", "**/api/v1/consoles/**", 204, "", "")
	p.showConsoles(true, "state", "unreachable")
	titles := `[{"id":"HOME","name":"Home Screen"},{"id":"` + netflix + `","name":"Netflix"}]`
	p.stub("GET", "**/api/v1/consoles/A0B1C2D3E4F5/titles", 200, "application/json", titles)
	p.do("reload", "", nil)
	p.see("text=Check that it is on or in rest mode")
	p.see("text=The remote works once the console answers.")
	p.see(`role=button[name="Netflix"][disabled]`)
	p.do("force", button("Netflix"), nil)
	p.do("force", button("Up"), nil)
	p.press("role=application", "ArrowUp")
	p.checkStubbed()
	p.showConsoles(true)
	p.stub("GET", "**/api/v1/consoles/A0B1C2D3E4F5/titles", 200, "application/json", titles)
	p.click(button("Netflix")) // wakes it
	p.checkStubbed(`POST /api/v1/consoles/A0B1C2D3E4F5/start {"title":"` + netflix + `"}`)
	p.click(button("Home Screen"))
	p.checkStubbed(`POST /api/v1/consoles/A0B1C2D3E4F5/power {"state":"awake","wait":true}`)
	p.showConsoles(true, "state", "unreachable")
	p.see("text=Check that it is on or in rest mode")
	p.click(button("Turn on")) // still offered: it may only not answer
	p.checkStubbed(`POST /api/v1/consoles/A0B1C2D3E4F5/power {"state":"awake","wait":true}`)
	p.checkQuiet()
}

// TestRefusedConsole shows only why ps4kit can't offer a console to Home, and
// removes it.
func TestRefusedConsole(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"light", 1000, 700})
	p.stub("DELETE", "**/api/v1/consoles/**", 204, "", "")
	p.showConsoles(true, "offered", false, "last_error", map[string]string{"message": "its file is damaged", "hint": "Restore it."})
	p.do("reload", "", nil)
	p.see("text=Its file is damaged.")
	p.gone("text=/Set-up: step/")
	p.gone(`role=link[name="Check the set-up"]`)
	p.gone("text=Invalid Date")
	p.click(button("Remove"))
	p.click("dialog >> " + button("Remove"))
	p.checkStubbed("DELETE /api/v1/consoles/A0B1C2D3E4F5")
	p.checkQuiet()
}

// TestLinkAgain leads from a card to linking, which stays possible for a console
// that is set up.
func TestLinkAgain(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"light", 1000, 700})
	p.showConsoles(true, "paired", true)
	p.do("reload", "", nil)
	p.see(button("Turn on"))
	p.gone("text=Set-up: step")
	p.click(`role=link[name="Link again"]`)
	p.see(`role=textbox[name="PIN on the TV"]`)
	p.checkQuiet()
}

// showConsoles makes the stream of events show one console, in rest mode except
// for the fields given. The stream ends at once, so that the browser asks again.
func (p *page) showConsoles(accepted bool, fields ...any) {
	p.t.Helper()
	card := map[string]any{
		"host_id": "A0B1C2D3E4F5", "name": "Den", "host_type": "PS4", "address": "192.0.2.7", "state": "standby",
		"accepted": accepted, "credential": accepted, "starting": "", "working": false,
		"can": map[string]bool{"titles": true, "keys": true},
	}
	for i := 0; i < len(fields); i += 2 {
		card[fields[i].(string)] = fields[i+1]
	}
	overview, err := json.Marshal(map[string]any{"consoles": []any{card}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.stub("GET", "**/api/v1/events*", 200, "text/event-stream", "retry: 500\nevent: overview\ndata: "+string(overview)+"\n\n")
	p.stub("GET", "**/api/v1/consoles/A0B1C2D3E4F5/*", 200, "application/json", "[]")
}

func (p *page) stub(method, url string, status int, contentType, body string) {
	p.t.Helper()
	p.do("stub", "", args{"method": method, "url": url, "status": status, "type": contentType, "body": body})
}

// checkStubbed waits for the stubbed requests, other than GET, since the last
// check.
func (p *page) checkStubbed(want ...string) {
	p.t.Helper()
	var got []string
	p.ask("stubbed", "", args{"count": len(want)}, &got)
	if !slices.Equal(got, want) {
		p.t.Errorf("requests: %q, want %q", got, want)
	}
}
