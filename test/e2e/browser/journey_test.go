package browser_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

const (
	netflix   = "CUSA00129"
	spotify   = "CUSA01780"
	accountID = "9019256736915509894"
	pin       = "12345678"
	// credential belongs to accountID (docs/protocol.md §2).
	credential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"
)

// TestJourney sets up a console on the page: sign in, find the console, link
// it, name it, pair it, edit its inputs, use it.
func TestJourney(t *testing.T) {
	t.Parallel()
	b, hap := startBrowser(t), startPhone(t)
	den, configuration := console(t, ps4test.Config{
		Name: "PS4-123", HostID: "A0B1C2D3E4F5", PIN: pin,
		Titles: []ps4test.Title{{ID: netflix, Name: "Netflix"}, {ID: spotify, Name: "Spotify"}},
	})
	p := b.open("newcomer", startSite(t, configuration), view{"light", 1100, 760})
	first := p.site.password
	p.signIn()
	p.link()
	p.use(den)
	p.nameAndPair(den, hap)
	p.editInputs(den, hap)
	if strings.Contains(p.site.Log.String(), first) || strings.Contains(p.site.Log.String(), p.site.password) || strings.Contains(p.site.Log.String(), pin) {
		t.Error("the log holds a secret")
	}
	p.checkQuiet("422 POST /api/v1/consoles/A0B1C2D3E4F5/link")
}

// link goes through the set-up, with one mistyped PIN.
func (p *page) link() {
	p.click(button("Set up PS4-123"))
	p.click(`role=radio[name=/^I know the account id/]`)
	p.fill(`role=textbox[name="Account id"]`, accountID)
	p.click(button("Save and continue"))
	p.fill(`role=textbox[name="PIN on the TV"]`, "8765 4321")
	p.shoot("set-up.png")
	p.click(button("Link"))
	p.seeText("role=alert", "The PIN is wrong.")
	p.checkAccess("a refusal")
	p.do("reload", "", nil) // a reload stays where one was
	p.fill(`role=textbox[name="PIN on the TV"]`, "1234 5678")
	p.click(button("Link"))
	p.see(`role=heading[name="Test rest mode and wake"]`)
	p.section("consoles") // leaves, and resumes
	p.see("text=Set-up: step 4 of 5")
	p.click(`role=link[name="Continue to set up PS4-123"]`)
	p.click(button("Start the test"))
	p.see(`role=status >> text="Rest mode and wake work."`)
	p.click(`role=link[name="Continue"]`)
	p.see(`role=img[name="QR code to pair PS4-123"]`)
	p.checkAccess("the last step")
	p.section("setup/A0B1C2D3E4F5/pin")
	p.see("text=ps4kit is linked with PS4-123.")
	p.click(button("Test the connection"))
	p.see(`role=heading[name="Test rest mode and wake"]`)
}

// use controls the console from the page, and checks that changes made
// elsewhere appear.
func (p *page) use(den *ps4test.Console) {
	p.section("consoles")
	den.SetRunning(netflix)
	p.seeText(card(den), "Netflix")
	p.click(`role=button[name="Down"]`)
	p.do("hold", `role=button[name="Back"]`, args{"ms": 600})
	p.press("role=application", "ArrowRight")
	p.press("role=application", "Enter")
	peer.WaitFor(p.t, den, "the presses", func(ps4test.Snapshot) bool { return len(den.Presses()) >= 4 })
	got := den.Presses()
	if got[0] != "down" || !strings.HasPrefix(got[1], "back:") || !slices.Equal(got[2:], []string{"right", "enter"}) {
		p.t.Errorf("pressed %q", got)
	}
	den.OpenKeyboard("", 20)
	p.fill(`role=textbox[name="Text for the console"]`, "hello")
	p.click(button("Done"))
	peer.WaitFor(p.t, den, "the text", func(ps4test.Snapshot) bool { return slices.Equal(den.Submitted(), []string{"hello"}) })
	p.click(card(den) + " >> " + button("Rest mode"))
	peer.WaitFor(p.t, den, "rest mode", func(s ps4test.Snapshot) bool { return s.State == ps4.StateStandby })
	p.see(card(den) + " >> " + button("Turn on"))
	p.site.Run("wakeup", "--wait") // from elsewhere
	p.see(card(den) + " >> " + button("Rest mode"))
	p.seeText(card(den), "On")
}

// nameAndPair names the console and pairs it with the code on the page.
func (p *page) nameAndPair(den *ps4test.Console, hap phone) {
	for _, name := range []string{"<img src=/ onerror=alert(1)>", "Den"} { // a hostile name is plain text
		p.click(card(den) + " >> " + button("Rename"))
		p.fill(`role=textbox[name="Name of the console"]`, name)
		p.click(button("Save"))
		p.see(`role=heading[name="` + name + `"]`)
	}
	p.click(`role=link[name="Continue to set up Den"]`)
	p.see(`role=img[name="QR code to pair Den"]`)
	var tap string
	p.ask("attribute", `role=link[name="Add to Home on this device"]`, args{"name": "href"}, &tap)
	if !strings.HasPrefix(tap, "X-HM://") {
		p.t.Errorf("the link to Home is %q", tap)
	}
	hap.pair(p.site.List()[0], p.text(".code"))
	p.see("role=status >> text=Den is in Apple Home.")
	p.gone("role=img")
	p.checkAccess("a console that is set up")
	p.section("homekit")
	p.seeText("main", "Paired")
	if names := hap.names(); !slices.Contains(names, "Den") {
		p.t.Errorf("HomeKit shows %q", names)
	}
	p.section("log")
	p.see(`role=log >> text=paired with controller`)
	p.section("consoles")
	p.see(card(den))
	hap.identify()
	p.see(card(den) + " >> css=:scope.flash")
}

// editInputs renames an input, which HomeKit then shows, and orders the inputs
// by keyboard.
func (p *page) editInputs(den *ps4test.Console, hap phone) {
	p.section("inputs")
	p.click(button("Rename Netflix"))
	p.fill(`role=textbox[name=/^Name of Netflix/]`, "Films")
	p.press(`role=textbox[name=/^Name of Netflix/]`, "Enter")
	p.see(button("Rename Films"))
	if names := hap.names(); !slices.Contains(names, "Films") {
		p.t.Errorf("HomeKit shows %q", names)
	}
	p.fill(`role=textbox[name="Title id"]`, spotify)
	p.fill(`role=textbox[name="Name (optional)"]`, "Spotify")
	p.click(button("Add"))
	p.see(button("Move up Spotify"))
	before := p.texts(".inputs strong")
	at := slices.Index(before, "Spotify")
	p.press(button("Move up Spotify"), "Enter")
	p.see(`text="Spotify, position ` + string(rune('0'+at)) + ` of ` + string(rune('0'+len(before))) + `"`)
	if after := p.texts(".inputs strong"); at < 1 || slices.Index(after, "Spotify") != at-1 {
		p.t.Errorf("the order is %q, was %q", after, before)
	}
	var focused string
	if p.ask("focused", "", nil, &focused); focused != "Move up Spotify" {
		p.t.Errorf("the focus is on %q", focused)
	}
	p.do("drag", `[data-id="`+spotify+`"] .grip`, args{"to": `[data-id="` + netflix + `"] .grip`})
	p.see(`text="Spotify, position ` + string(rune('1'+slices.Index(p.texts(".inputs strong"), "Spotify"))) + ` of ` + string(rune('0'+len(before))) + `"`)
	p.click(button("Hide Spotify"))
	p.see(button("Show Spotify"))
	p.section("homekit")
	p.click(button("Unpair…"))
	p.checkAccess("a question")
	p.click(button("Unpair"))
	p.see(`role=img[name="QR code to pair Den"]`)
}
