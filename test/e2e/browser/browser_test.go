// Package browser_test uses the web page of the real program as a person does, in
// Debian's Chromium.
package browser_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

func TestMain(m *testing.M) { peer.Main(m) }

const chromium = "/usr/bin/chromium"

// shots names the folder for the pictures of the documentation; empty: none are taken.
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
		peer.Skip(t, "needs "+chromium+" (Debian: apt-get install chromium)")
	}
	noEvents := func(line []byte) { t.Errorf("browser.js said %q", line) }
	return &browser{peer.StartDriver(t, ".", "browser.js", noEvents), t}
}

// view is how somebody looks at the page.
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

// open opens the page of a server in a fresh profile. When the test ends it must not
// have seen an error, a request to another host, or another refusal than those expected
// with expectRefusals.
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

// do is a command about what a selector finds.
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

// seeText waits until a text stands somewhere in what a selector finds.
func (p *page) seeText(in, text string) {
	p.t.Helper()
	p.see(in + ` >> text="` + text + `"`)
}

// signIn signs in with the first password.
func (p *page) signIn() {
	p.t.Helper()
	p.fill("role=textbox[name=\"Password\"]", p.site.password)
	p.click(button("Sign in"))
	p.see(`role=link[name="Consoles"]`)
}

// checkQuiet demands that nothing went wrong that a person does not see, and that the
// server refused just what the test meant it to.
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

// shoot takes a picture for the documentation, if somebody wants some.
func (p *page) shoot(file string) {
	p.t.Helper()
	if dir := os.Getenv(shots); dir != "" {
		p.do("shot", "", args{"file": filepath.Join(dir, file)})
	}
}

func button(name string) string { return `role=button[name="` + name + `"]` }

// card is the card of a console on the first page, and its panel in HomeKit.
func card(console *ps4test.Console) string { return `[data-host="` + console.HostID() + `"]` }

// site is a running server with its page.
type site struct {
	*peer.Server
	t             *testing.T
	url, password string
}

// startSite runs a server with that configuration in a folder of its own. Its listeners
// are on loopback and take free ports.
func startSite(t *testing.T, configuration string, arguments ...string) *site {
	t.Helper()
	return startSiteAt(t, "127.0.0.1:0", configuration, arguments...)
}

func startSiteAt(t *testing.T, listen, configuration string, arguments ...string) *site {
	t.Helper()
	dir := t.TempDir()
	drawCovers(t, filepath.Join(dir, "state", "art", "own"))
	peer.WriteFile(t, filepath.Join(dir, "config.yaml"), `
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "`+listen+`"}
poll: {interval: 200ms}
art: {enabled: false}
`+configuration)
	s := &site{Server: peer.StartServer(t, dir, arguments...), t: t}
	s.url = "http://" + s.Page() + "/"
	s.password = strings.TrimSpace(s.run("web", "password"))
	return s
}

// drawCovers makes covers for the titles of simulated consoles, as an owner may; for all
// but one, which has none.
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

// run is a command beside the server.
func (s *site) run(words ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), peer.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, peer.Binary(s.t), append(s.Globals(), words...)...) //nolint:gosec // the program under test
	cmd.Env = peer.CleanEnv("/nonexistent")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("ps4kit %s: %v\n%s", strings.Join(words, " "), err, &stderr)
	}
	return string(out)
}

// console starts a simulated console, and returns the configuration by which a server
// finds it when it searches.
func console(t *testing.T, c ps4test.Config) (*ps4test.Console, string) {
	t.Helper()
	c.Timing = ps4test.FastTiming()
	den := ps4test.Start(t, c)
	key := peer.WriteFile(t, filepath.Join(t.TempDir(), "console.pem"), string(den.PublicKeyPEM()))
	return den, `
discovery: {broadcast: ["` + den.Addr().String() + `"], local_port: 0, interval: 1s}
console_key: ` + key + "\n"
}

// waitFor waits until the simulated console is as the test wants it.
func waitFor(t *testing.T, console *ps4test.Console, what string, ok func(ps4test.Snapshot) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peer.Patience)
	defer cancel()
	if s, err := console.WaitFor(ctx, ok); err != nil {
		t.Fatalf("the console does not get to %s: %v\n%+v", what, err, s)
	}
}

// phone is an iPhone as far as HomeKit goes: npm's hap-controller.
type phone struct{ *peer.Driver }

func startPhone(t *testing.T) phone {
	t.Helper()
	dir := filepath.Join("..", "hapcontroller")
	peer.NodeModules(t, dir)
	return phone{peer.StartDriver(t, dir, "controller.js", func([]byte) {})}
}

func (p phone) pair(tv peer.Television, code string) {
	p.Do("connect", args{"name": "phone", "device": tv.DeviceID, "address": tv.Address, "port": tv.Port}, nil)
	p.Do("pair", args{"name": "phone", "code": code}, nil)
}

// identify asks the television to show itself: the second characteristic of the first
// service (docs/homekit.md §2).
func (p phone) identify() {
	p.Do("put", args{"name": "phone", "values": map[string]any{"1.2": true}}, nil)
}

// names are all the names that HomeKit reads: of the television and its inputs.
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
