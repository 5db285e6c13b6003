package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// TestPathsNameKnownConsoles: only the socket may reach a console at an address that is not known.
func TestPathsNameKnownConsoles(t *testing.T) {
	t.Parallel()
	known, yaml := den(t)
	unknown := startTraced(t, ps4test.Config{Name: "Attic", Addr: "127.0.0.5"})
	r := serve(t, shortDir(t), yaml, 0)
	owner := browse(t, r)
	if !owner.signIn(r.page.Password.Password) {
		t.Fatal("not signed in")
	}
	at := app.FormatAddress(unknown.Addr())
	for who, b := range map[string]*browser{"owner": owner, "control": withToken(t, r, owner, "control"), "read": withToken(t, r, owner, "read")} {
		if status, text := b.send(http.MethodGet, "/api/v1/consoles/"+app.FormatAddress(known.Addr()), "", ""); status != http.StatusOK {
			t.Errorf("%s: the known console: %d %s", who, status, text)
		}
		for _, host := range []string{at, unknown.HostID(), "Attic"} {
			if status, text := b.send(http.MethodGet, "/api/v1/consoles/"+host, "", ""); status != http.StatusNotFound {
				t.Errorf("%s: %s: %d %s", who, host, status, text)
			}
		}
	}
	for path, body := range map[string]string{
		"power": `{"state":"awake"}`, "keys": `{"keys":["up"]}`, "link": `{"pin":"12345678"}`, "titles": `{"id":"CUSA00129"}`,
	} {
		if status, text := owner.send(http.MethodPost, "/api/v1/consoles/"+at+"/"+path, "application/json", body); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if n := unknown.searches() + len(unknown.got()); n > 0 {
		t.Errorf("the console was asked %d times", n)
	}
	if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: at}); err != nil || c.HostID != unknown.HostID() {
		t.Errorf("through the socket: %+v, %v", c, err)
	}
}

// TestAddAndForgetAreForTheOwner over HTTP.
func TestAddAndForgetAreForTheOwner(t *testing.T) {
	t.Parallel()
	named, yaml := den(t)
	console := ps4test.Start(t, ps4test.Config{Name: "Attic", Addr: "127.0.0.5", Timing: ps4test.FastTiming()})
	r := serve(t, shortDir(t), yaml, 0)
	owner := browse(t, r)
	if !owner.signIn(r.page.Password.Password) {
		t.Fatal("not signed in")
	}
	add := fmt.Sprintf(`{"address":%q}`, console.Addr())
	for access, want := range map[string]int{"control": http.StatusForbidden, "read": http.StatusForbidden} {
		script := withToken(t, r, owner, access)
		if status, _ := script.send(http.MethodPost, "/api/v1/consoles", "application/json", add); status != want {
			t.Errorf("%s adds: %d", access, status)
		}
		if status, _ := script.send(http.MethodDelete, "/api/v1/consoles/Den", "", ""); status != want {
			t.Errorf("%s forgets: %d", access, status)
		}
	}
	status, text := owner.send(http.MethodPost, "/api/v1/consoles", "application/json", add)
	var added api.Console
	if err := json.Unmarshal([]byte(text), &added); err != nil || status != http.StatusOK || added.HostID != console.HostID() || added.State != api.StateAwake {
		t.Fatalf("add: %d %s, %v", status, text, err)
	}
	if !isOffered(t, r, console.HostID()) {
		t.Error("HomeKit does not have the console")
	}
	r.stop()

	again := serve(t, r.state, yaml, 0) // without discovery
	if !isOffered(t, again, console.HostID()) || len(again.list) != 2 {
		t.Errorf("after a restart HomeKit has %+v", again.list)
	}
	if owner = browse(t, again); !owner.signIn(again.page.Password.Password) {
		t.Fatal("not signed in")
	}
	if status, text := owner.send(http.MethodDelete, "/api/v1/consoles/"+console.HostID(), "", ""); status != http.StatusNoContent {
		t.Errorf("forget: %d %s", status, text)
	}
	if isOffered(t, again, console.HostID()) {
		t.Error("HomeKit still has the console")
	}
	if files := filesWith(t, again.state, console.HostID()); len(files) > 0 || exists(again.state, console.HostID()) {
		t.Errorf("it left %v", files)
	}
	for path, want := range map[string]string{named.HostID(): "config", "Den": "config", console.HostID(): "not_found", "-": "bad_request"} {
		if got, text := told(t, again, http.MethodDelete, "/consoles/"+path, ""); got != want {
			t.Errorf("forget %s: %s", path, text)
		}
	}
}

// TestAddedConsoleOutlastsItsEntry: listing a console in config.yaml for a while
// doesn't undo that the owner added it.
func TestAddedConsoleOutlastsItsEntry(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{Name: "Attic", Timing: ps4test.FastTiming()})
	r := serve(t, shortDir(t), loopback, 0) // without discovery
	if _, err := api.AddConsole.Do(t.Context(), r.api, api.AddConsoleRequest{Address: console.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r = serve(t, r.state, loopback+"consoles: [{host_id: "+console.HostID()+"}]\n", 0)
	if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: "Attic"}); err != nil || c.State != api.StateAwake {
		t.Errorf("while it is listed: %+v, %v", c, err)
	}
	r.stop()
	if r = serve(t, r.state, loopback, 0); !isOffered(t, r, console.HostID()) {
		t.Errorf("afterwards HomeKit has %+v", r.list)
	}
}

// TestForgottenConsoleComesBackAsAStranger, with another identity.
func TestForgottenConsoleComesBackAsAStranger(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{Name: "Den", Timing: ps4test.FastTiming()})
	r := serve(t, shortDir(t), searching(console.Addr().String()), 0)
	if _, err := api.AddConsole.Do(t.Context(), r.api, api.AddConsoleRequest{Address: console.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	before, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil || len(before) != 1 {
		t.Fatalf("HomeKit has %+v, %v", before, err)
	}
	if err := api.ForgetConsole.Do(t.Context(), r.api, api.HostRequest{Host: "Den"}); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "it is offered again", func() bool { return isOffered(t, r, console.HostID()) })
	after, err := api.Homekit.Do(t.Context(), r.api, api.None{})
	if err != nil || len(after) != 1 || after[0].DeviceID == before[0].DeviceID {
		t.Errorf("HomeKit has %+v, before %+v, %v", after, before, err)
	}
	if list, err := api.Consoles.Do(t.Context(), r.api, api.None{}); err != nil || len(list) != 1 || list[0].Origin != api.OriginFound {
		t.Errorf("consoles: %+v, %v", list, err)
	}
}

// TestForgettingRemovesWhatWasSetAside: a damaged file of a console goes, too.
func TestForgettingRemovesWhatWasSetAside(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{Name: "Den", Timing: ps4test.FastTiming()})
	dir := shortDir(t)
	r := serve(t, dir, loopback, 0)
	if _, err := api.AddConsole.Do(t.Context(), r.api, api.AddConsoleRequest{Address: console.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	r.stop()
	for _, sub := range []string{"homekit", "inputs"} {
		damage(t, filepath.Join(dir, sub, console.HostID()+".json"), "{")
	}
	again := serve(t, dir, loopback, 0) // it cannot be offered
	if isOffered(t, again, console.HostID()) {
		t.Fatal("offered with a damaged file")
	}
	if err := api.ForgetConsole.Do(t.Context(), again.api, api.HostRequest{Host: console.HostID()}); err != nil {
		t.Fatal(err)
	}
	if exists(dir, console.HostID()) {
		t.Error("something is left")
	}
	if status, body := get(t, again, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

// TestAcceptedStrangerStaysKnown: what is remembered of it is whole, also after more commands.
func TestAcceptedStrangerStaysKnown(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{Name: "Den", Linked: true, Timing: ps4test.FastTiming()})
	store := open(t, withCredential(t))
	t.Cleanup(func() { _ = store.Close() })
	want := state.Console{
		HostID: console.HostID(), HostType: "PS4", Name: "Den", Address: console.Addr(), SystemVersion: "09508011",
		RequestPort: console.TCPAddr().Port(),
	}
	stranger := want
	stranger.Stranger = true
	if err := store.Consoles().Save(state.Consoles{Consoles: []state.Console{stranger}}); err != nil {
		t.Fatal(err)
	}
	l := local(t, store, loopback, app.Override{ConsoleKey: console.PublicKey()})
	if err := api.Keys.Do(t.Context(), l.Client, api.KeysRequest{Host: console.HostID(), Keys: []string{"up"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		all, err := store.Consoles().Load()
		if err != nil || len(all.Consoles) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		got := all.Consoles[0]
		got.LastSeen = want.LastSeen
		if got != want {
			t.Errorf("remembered %+v, want %+v", got, want)
		}
		if _, err := api.Status.Do(t.Context(), l.Client, api.HostRequest{Host: "Den"}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKnownConsoleWinsOverAStrangerOfItsName.
func TestKnownConsoleWinsOverAStrangerOfItsName(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	impostor := startTraced(t, ps4test.Config{Name: "Den", Addr: "127.0.0.5"})
	yaml = strings.Replace(yaml, "discovery: {enabled: false}", "discovery: {interval: 300ms, broadcast: ["+impostor.Addr().String()+"]}", 1)
	r := serve(t, shortDir(t), yaml, 0)
	waitUntil(t, "the impostor is offered", func() bool { return isOffered(t, r, impostor.HostID()) })
	for _, host := range []string{"Den", ""} {
		if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: host}); err != nil || c.HostID != console.HostID() {
			t.Errorf("%q: %+v, %v", host, c, err)
		}
	}
}

// pair is two consoles that are configured by their addresses alone, with a name and a user each.
type pair struct {
	users   [2]string
	configs [2]ps4test.Config
	running [2]*ps4test.Console
}

func startPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{users: [2]string{credential, strings.Repeat("5a", 32)}}
	for i := range p.configs {
		p.configs[i] = ps4test.Config{
			Name: fmt.Sprintf("PS4-%d", i), HostID: fmt.Sprintf("A0B1C2D3E4F%d", i), Linked: true,
			Credentials: []string{p.users[i]}, Timing: ps4test.FastTiming(), Addr: fmt.Sprintf("127.0.0.%d", 5+i),
		}
		p.start(t, i)
		p.configs[i].DDPPort = p.running[i].Addr().Port()
	}
	return p
}

func (p *pair) start(t *testing.T, i int) {
	t.Helper()
	console, err := ps4test.New(p.configs[i])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = console.Close() })
	p.running[i] = console
}

// swap exchanges their addresses.
func (p *pair) swap(t *testing.T) {
	t.Helper()
	for _, console := range p.running {
		if err := console.Close(); err != nil {
			t.Fatal(err)
		}
	}
	a, b := &p.configs[0], &p.configs[1]
	a.Addr, b.Addr, a.DDPPort, b.DDPPort = b.Addr, a.Addr, b.DDPPort, a.DDPPort
	p.start(t, 0)
	p.start(t, 1)
}

func (p *pair) yaml(t *testing.T) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "console.pem")
	if err := os.WriteFile(key, p.running[0].PublicKeyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := searching(p.running[0].Addr().String(), p.running[1].Addr().String()) + "console_key: " + key + "\nconsoles:\n"
	for i, name := range []string{"Den", "Attic"} {
		yaml += fmt.Sprintf("  - {name: %s, address: %q, credential: %s}\n", name, p.running[i].Addr(), p.users[i])
	}
	return yaml
}

// check presses a key on both at once, by the name of its entry, by its own and
// by its host id.
func (p *pair) check(t *testing.T, b *api.Client) {
	t.Helper()
	var group sync.WaitGroup
	for i, name := range []string{"Den", "Attic"} {
		group.Go(func() { checkConsole(t, b, p.running[i], p.configs[i], name) })
	}
	group.Wait()
}

func checkConsole(t *testing.T, b *api.Client, console *ps4test.Console, cfg ps4test.Config, name string) {
	t.Helper()
	for _, host := range []string{name, cfg.Name, cfg.HostID} {
		before := len(console.Presses())
		if err := api.Keys.Do(t.Context(), b, api.KeysRequest{Host: host, Keys: []string{"up"}}); err != nil {
			t.Errorf("keys to %s: %v", host, err)
			continue
		}
		eventually(t, console, "the key for "+host, func() bool { return len(console.Presses()) == before+1 })
		if c, err := api.Status.Do(t.Context(), b, api.HostRequest{Host: host}); err != nil || c.HostID != cfg.HostID || c.Name != name ||
			c.Address != app.FormatAddress(console.Addr()) {
			t.Errorf("%s: %+v, %v", host, c, err)
		}
	}
	if logins := console.Logins(); slices.ContainsFunc(logins, func(l ps4test.Login) bool { return l.Result != 0 }) {
		t.Errorf("%s was shown another user's credential: %+v", name, logins)
	}
}

// TestConsolesSwapTheirAddresses checks that they keep their names and credentials.
func TestConsolesSwapTheirAddresses(t *testing.T) {
	t.Parallel()
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		p := startPair(t)
		yaml := p.yaml(t)
		r := serve(t, shortDir(t), yaml, 0)
		p.check(t, r.api)
		p.swap(t)
		moved := func() bool {
			list, err := api.Consoles.Do(t.Context(), r.api, api.None{})
			if err != nil {
				t.Fatal(err)
			}
			return !slices.ContainsFunc(list, func(c api.Console) bool {
				i := slices.IndexFunc(p.configs[:], func(cfg ps4test.Config) bool { return cfg.HostID == c.HostID })
				return c.Address != app.FormatAddress(p.running[i].Addr()) || c.State != api.StateAwake
			})
		}
		waitUntil(t, "both are found", moved)
		p.check(t, r.api)
		r.stop()
		again := serve(t, r.state, yaml, 0)
		p.check(t, again.api)
	})
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		p := startPair(t)
		yaml, dir := p.yaml(t), shortDir(t)
		command := func() {
			store := open(t, dir)
			defer store.Close()
			l, err := app.Stopped(load(t, yaml), store, quiet(), app.Override{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			p.check(t, l.Client)
		}
		command()
		p.swap(t)
		command()
	})
}
