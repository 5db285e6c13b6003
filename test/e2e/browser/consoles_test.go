package browser_test

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestAddAndRemove adds a console that was only found, adds another one by its
// address, and removes one. The server's part is stubbed.
func TestAddAndRemove(t *testing.T) {
	t.Parallel()
	p := startBrowser(t).open("owner", startSite(t, "", "--simulate", "1"), view{"light", 1000, 700})
	p.signIn()
	p.stub("POST", "**/api/v1/consoles", 204, "", "")
	p.showConsoles(false)
	p.do("reload", "", nil)
	p.see(`text="Found on your network"`)
	p.gone(button("Turn on"))
	p.gone(button("Remote"))
	p.gone("role=application")
	p.gone(button("Remove"))
	p.checkAccess("a console that was found")
	p.click(button("Add Den"))
	p.checkStubbed(`POST /api/v1/consoles {"address":"192.0.2.7"}`)

	p.section("setup")
	p.fill(`role=textbox[name="Address or host name"]`, " ps4.example ")
	p.click(`role=button[name="Add"]`)
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
	p.checkQuiet("422 POST /api/v1/consoles")
}

// TestStarting shows a title as starting just as long as the server does.
func TestStarting(t *testing.T) {
	t.Parallel()
	p := startBrowser(t).open("owner", startSite(t, "", "--simulate", "1"), view{"light", 1000, 700})
	p.signIn()
	p.showConsoles(true, "starting", netflix, "working", true)
	p.do("reload", "", nil)
	p.seeText("main", "Starting")
	p.see("role=status >> text=working")
	p.showConsoles(true)
	p.gone(`text="Starting"`)
	p.gone("text=working")
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
