// Package browser_test uses the web page of the built program in Debian's
// Chromium.
package browser_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
	"github.com/ps4kit/ps4kit/test/need"
)

func TestMain(m *testing.M) { peer.Main(m) }

const chromium = "/usr/bin/chromium"

// shots names the directory for the screenshots of the documentation.
const shots = "PS4KIT_SCREENSHOTS"

// browser is a running browser.js.
type browser struct {
	*peer.Driver
	t *testing.T
}

// startBrowser runs Chromium until the test ends.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	peer.NodeModules(t, ".")
	if _, err := os.Stat(chromium); err != nil {
		need.Skip(t, "needs "+chromium+" (Debian: apt-get install chromium)")
	}
	noEvents := func(line []byte) { t.Errorf("browser.js said %q", line) }
	return &browser{peer.StartDriver(t, ".", []string{"node", "browser.js"}, noEvents), t}
}

// view is the appearance of a browser window.
type view struct {
	scheme        string // light, dark
	width, height int
}

func (v view) phone() bool { return v.width < 500 }

// page is a tab of the browser.
type page struct {
	*browser
	name string
	site *site
}

type args = peer.Args

// owner returns the page of a server with a simulated console, signed in.
func owner(t *testing.T, v view) *page {
	t.Helper()
	p := startBrowser(t).open("owner", startSite(t, "", "--simulate", "1"), v)
	p.signIn()
	return p
}

// open opens the page of a server in a fresh profile.
func (b *browser) open(name string, s *site, v view) *page {
	b.t.Helper()
	p := &page{b, name, s}
	b.Do("open", args{"page": name, "url": s.url, "scheme": v.scheme, "width": v.width, "height": v.height}, nil)
	b.t.Cleanup(func() {
		if b.t.Failed() {
			said, err := p.Try("text", args{"page": name, "on": "body"})
			b.t.Logf("the page %s showed %s (%v)", name, said, err)
		}
	})
	return p
}

// do runs a command on what a selector finds.
func (p *page) do(verb, on string, more args) {
	p.t.Helper()
	p.ask(verb, on, more, nil)
}

func (p *page) ask(verb, on string, more args, out any) {
	p.t.Helper()
	a := args{"page": p.name}
	if on != "" {
		a["on"] = on
	}
	for k, v := range more {
		a[k] = v
	}
	p.Do(verb, a, out)
}

func (p *page) click(on string)      { p.t.Helper(); p.do("click", on, nil) }
func (p *page) fill(on, text string) { p.t.Helper(); p.do("fill", on, args{"text": text}) }
func (p *page) press(on, key string) { p.t.Helper(); p.do("press", on, args{"key": key}) }
func (p *page) see(on string)        { p.t.Helper(); p.do("see", on, nil) }
func (p *page) gone(on string)       { p.t.Helper(); p.do("see", on, args{"gone": true}) }
func (p *page) section(hash string) {
	p.t.Helper()
	p.do("goto", "", args{"url": p.site.url + "#/" + hash})
}
func (p *page) text(on string) (s string)    { p.t.Helper(); p.ask("text", on, nil, &s); return s }
func (p *page) texts(on string) (l []string) { p.t.Helper(); p.ask("texts", on, nil, &l); return l }

// seeText waits until what a selector finds contains a text.
func (p *page) seeText(in, text string) {
	p.t.Helper()
	p.see(in + ` >> text="` + text + `"`)
}

// signIn signs in. The first time it has to replace the generated password.
func (p *page) signIn() {
	p.t.Helper()
	p.fill("role=textbox[name=\"Password\"]", p.site.password)
	p.click(button("Sign in"))
	if !p.site.chosen {
		p.see(`role=heading[name="Choose a password"]`)
		p.gone(`role=link[name="Consoles"]`)
		p.checkAccess("first password")
		p.site.password, p.site.chosen = "a password of my own", true
		p.fill(`role=textbox[name="New password"]`, p.site.password)
		p.click(button("Save and continue"))
	}
	p.see(`role=link[name="Consoles"]`)
}

// checkQuiet fails the test if the page reported an error, sent a request to
// another host, or was refused anything but the given requests.
func (p *page) checkQuiet(refusals ...string) {
	p.t.Helper()
	var seen struct{ Troubles, Elsewhere, Refused []string }
	p.ask("seen", "", nil, &seen)
	if len(seen.Troubles)+len(seen.Elsewhere) > 0 {
		p.t.Errorf("%s: errors %q, requests to other hosts %q", p.name, seen.Troubles, seen.Elsewhere)
	}
	if slices.Sort(seen.Refused); !slices.Equal(seen.Refused, slices.Sorted(slices.Values(refusals))) {
		p.t.Errorf("%s: refused were %q, want %q", p.name, seen.Refused, refusals)
	}
}

// shoot takes a screenshot for the documentation, if shots is set.
func (p *page) shoot(file string) {
	p.t.Helper()
	if dir := os.Getenv(shots); dir != "" {
		p.do("shot", "", args{"file": filepath.Join(dir, file)})
	}
}

func button(name string) string { return `role=button[name="` + name + `"]` }

// card selects the card of a console, or its panel in HomeKit.
func card(console *ps4test.Console) string { return `[data-host="` + console.HostID() + `"]` }

// site is a running server with its page.
type site struct {
	*peer.Server
	t             *testing.T
	url, password string
	chosen        bool // the password is no longer the generated one
}

// startSite runs a server on free ports of loopback, with more configuration.
func startSite(t *testing.T, configuration string, arguments ...string) *site {
	t.Helper()
	return startSiteIn(t, t.TempDir(), "127.0.0.1:0", configuration, arguments...)
}

// startFixedSite is startSite on a fixed port, so that the browser finds the
// server again after a restart.
func startFixedSite(t *testing.T, arguments ...string) *site {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	return startSiteIn(t, t.TempDir(), free.Addr().String(), "", arguments...)
}

// startSiteIn is startSite with the files in dir, and the address of the page.
func startSiteIn(t *testing.T, dir, listen, configuration string, arguments ...string) *site {
	t.Helper()
	drawCovers(t, filepath.Join(dir, "state", "art", "own"))
	peer.WriteFile(t, filepath.Join(dir, "config.yaml"), `
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "`+listen+`"}
poll: {interval: 200ms}
art: {enabled: false}
`+configuration)
	s := &site{Server: peer.StartServer(t, dir, arguments...), t: t}
	s.url = "http://" + s.Page() + "/"
	s.password = strings.TrimSpace(s.Run("web", "password"))
	return s
}

// drawCovers draws covers for all titles of simulated consoles but one.
func drawCovers(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for id, c := range map[string]color.RGBA{
		netflix: {170, 40, 50, 255}, spotify: {40, 140, 90, 255}, "CUSA04529": {50, 90, 150, 255},
	} {
		const size = 256
		img := image.NewRGBA(image.Rect(0, 0, size, size))
		for y := range size {
			shade := 100 - 60*y/size // percent: darker towards the bottom
			line := color.RGBA{uint8(int(c.R) * shade / 100), uint8(int(c.G) * shade / 100), uint8(int(c.B) * shade / 100), 255}
			draw.Draw(img, image.Rect(0, y, size, y+1), image.NewUniform(line), image.Point{}, draw.Src)
		}
		var out bytes.Buffer
		if err := png.Encode(&out, img); err != nil {
			t.Fatal(err)
		}
		peer.WriteFile(t, filepath.Join(dir, id+".png"), out.String())
	}
}

// console starts a simulated console, and returns the configuration with which a
// server discovers it.
func console(t *testing.T, c ps4test.Config) (*ps4test.Console, string) {
	t.Helper()
	c.Timing = ps4test.FastTiming()
	den := ps4test.Start(t, c)
	key := peer.WriteFile(t, filepath.Join(t.TempDir(), "console.pem"), string(den.PublicKeyPEM()))
	return den, `
discovery: {broadcast: ["` + den.Addr().String() + `"], local_port: 0, interval: 1s}
console_key: ` + key + "\n"
}

// phone is a HomeKit controller: npm's hap-controller.
type phone struct{ *peer.Driver }

func startPhone(t *testing.T) phone {
	t.Helper()
	dir := filepath.Join("..", "hapcontroller")
	peer.NodeModules(t, dir)
	return phone{peer.StartDriver(t, dir, []string{"node", "controller.js"}, func([]byte) {})}
}

func (p phone) pair(tv peer.Television, code string) {
	p.Do("connect", args{"name": "phone", "device": tv.DeviceID, "address": tv.Address, "port": tv.Port}, nil)
	p.Do("pair", args{"name": "phone", "code": code}, nil)
}

// identify writes Identify, the second characteristic of the first service
// (docs/homekit.md §2).
func (p phone) identify() {
	p.Do("put", args{"name": "phone", "values": map[string]any{"1.2": true}}, nil)
}

// names returns the ConfiguredNames of the television and its inputs.
func (p phone) names() (list []string) {
	var answer struct {
		Accessories []struct {
			Services []struct {
				Characteristics []struct {
					Type  string
					Value json.RawMessage
				}
			}
		}
	}
	p.Do("accessories", args{"name": "phone"}, &answer)
	for _, a := range answer.Accessories {
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				if strings.HasPrefix(c.Type, "000000E3") || c.Type == "E3" {
					list = append(list, strings.Trim(string(c.Value), `"`))
				}
			}
		}
	}
	return list
}
