package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// TestPS5 links a PS5 for Remote Play, after two refusals, tests and pairs it, and
// uses its card.
func TestPS5(t *testing.T) {
	t.Parallel()
	b, hap := startBrowser(t), startPhone(t)
	five, configuration := console(t, ps4test.Config{
		Name: "Den", HostType: ps4.TypePS5, PIN: pin, Addr: fmt.Sprintf("127.96.%d.1", os.Getpid()%250+1), // its own, for port 9295
		RemotePlay: &ps4test.RemotePlay{Port: 9295},
	})
	p := b.open("newcomer", startSite(t, configuration), view{"light", 390, 800})
	p.signIn()
	p.section("setup")
	p.click(button("Search the network"))
	p.click(button("Set up Den"))
	p.see(`role=radio[name=/^Sign in to PSN/]`)
	p.gone(`role=radio[name=/^Capture/]`) // gets no account id
	p.section("setup/" + five.HostID() + "/pin")
	p.enterPIN("1234 5678")
	p.seeText("role=alert", "Linking for Remote Play needs your PSN account id, and none is stored.")
	p.gone("role=alert >> text=ps4kit credential")
	p.checkAccess("no account")
	p.click("role=alert >> " + `role=link[name="Choose the account"]`)
	p.click(`role=radio[name=/^I know the account id/]`)
	p.fill(`role=textbox[name="Account id"]`, accountID)
	p.click(button("Save and continue"))
	p.seeText("main", "Link Device")
	p.enterPIN("8765 4321")
	p.seeText("role=alert", "The PIN is wrong, or the console no longer shows it.")
	p.section("consoles")
	p.see("text=Set-up: step 3 of 5")
	p.gone(button("Rest mode")) // can't be controlled yet
	p.gone(button("Turn on"))
	p.click(`role=link[name="Continue to set up Den"]`)
	p.enterPIN("1234 567")
	p.see("#pin:invalid") // no request
	p.enterPIN("1234 5678")
	p.see("text=Enable Turning On PS5 from Network")
	p.checkAccess("linked")
	p.section("setup/" + five.HostID() + "/pin")
	p.see("text=ps4kit is linked with Den.")
	p.gone(button("Test the connection")) // would open a session, which the TV shows
	p.section("consoles")
	p.click(`role=link[name="Continue to set up Den"]`)
	p.click(button("Start the test"))
	p.see(`role=status >> text="Rest mode and wake work."`)
	p.click(`role=link[name="Continue"]`)
	p.see(`role=img[name="QR code to pair Den"]`)
	p.checkAccess("pairing on a phone")
	hap.pair(p.site.List()[0], p.text(".code"))
	p.click(`role=link[name="Show the console"]`)
	p.see(button("Rest mode"))
	p.gone(`text="Home screen"`) // the console doesn't say
	p.gone(button("Remote"))
	p.gone("role=application")
	p.gone(`role=group[name="Inputs"]`)
	p.checkAccess("a PS5")
	p.click(button("PS button"))
	peer.WaitFor(t, five, "the PS button", func(s ps4test.Snapshot) bool { return s.Counters.Homes == 1 })
	p.click(button("Rest mode"))
	peer.WaitFor(t, five, "rest mode", func(s ps4test.Snapshot) bool { return s.State == ps4.StateStandby })
	p.see(button("Turn on"))
	p.see(`role=button[name="PS button"][disabled]`)
	p.click(button("Turn on"))
	peer.WaitFor(t, five, "wake", func(s ps4test.Snapshot) bool { return s.State == ps4.StateAwake })
	p.see(`role=button[name="PS button"][disabled=false]`)

	p.section("setup/" + five.HostID() + "/test")
	p.click(button("Use the remote control"))
	p.see(button("Stop using it"))
	p.section("consoles")
	p.click(button("Up"))
	p.click(button("Triangle"))
	peer.WaitFor(t, five, "the keys", func(ps4test.Snapshot) bool { return slices.Equal(five.Presses(), []string{"up", "triangle"}) })
	p.checkAccess("a PS5 with keys")

	p.section("inputs")
	p.see(button("Rename Home Screen"))
	p.gone(`role=textbox[name="Title id"]`)
	p.checkQuiet("422 POST "+linkPath(five), "422 POST "+linkPath(five))
}

func (p *page) enterPIN(digits string) {
	p.t.Helper()
	p.fill(`role=textbox[name="PIN on the TV"]`, digits)
	p.click(button("Link"))
}

func linkPath(console *ps4test.Console) string {
	return "/api/v1/consoles/" + console.HostID() + "/link"
}

// TestUnlockPairing unlocks an accessory that refuses setup codes.
func TestUnlockPairing(t *testing.T) {
	t.Parallel()
	b, hap := startBrowser(t), startPhone(t)
	den, configuration := console(t, ps4test.Config{Name: "Den", HostID: "A0B1C2D3E4F5"})
	dir := t.TempDir()
	s := startSiteIn(t, dir, "127.0.0.1:0", configuration)
	s.Run("consoles", "add", den.Addr().String())
	s.Stop()
	failSetups(t, filepath.Join(dir, "state", "homekit", den.HostID()+".json"))

	p := b.open("owner", startSiteIn(t, dir, "127.0.0.1:0", configuration), view{"dark", 390, 800})
	p.signIn()
	p.section("homekit")
	p.seeText(card(den), "Pairing locked")
	p.gone("role=img")
	p.gone(".code")
	p.checkAccess("a locked accessory")
	p.click(button("Unlock pairing"))
	p.see(`role=img[name="QR code to pair Den"]`)
	p.seeText(card(den), "Not paired")
	hap.pair(p.site.List()[0], p.text(".code"))
	p.seeText(card(den), "Paired")
	p.checkQuiet()
}

// failSetups makes a HomeKit record, and the copy beside it, one of an accessory
// that got 100 wrong setup codes.
func failSetups(t *testing.T, record string) {
	t.Helper()
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^.*"sha256".*\n`).ReplaceAll(text, nil)
	text = regexp.MustCompile(`"setup_failures": 0`).ReplaceAll(text, []byte(`"setup_failures": 100`))
	peer.WriteFile(t, record, string(text))
	peer.WriteFile(t, record+".copy", string(text))
}

// TestRemotePlayOfPS4 links a PS4 whose configuration wants Remote Play with the
// PIN of its Remote Play menu. It can be woken only once it is linked.
func TestRemotePlayOfPS4(t *testing.T) {
	t.Parallel()
	p := owner(t, view{"light", 1000, 700})
	for _, registered := range []bool{false, true} {
		p.showConsoles(true, "protocol", "remote_play", "registered", registered)
		p.section("setup/A0B1C2D3E4F5/pin")
		p.do("reload", "", nil)
		p.seeText("main", "Settings > Remote Play Connection Settings > Enable Remote Play")
		p.gone("text=Mobile App Connection Settings")
		p.do("see", button("Turn it on"), args{"gone": !registered})
	}
	p.checkQuiet()
}
