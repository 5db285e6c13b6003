package app_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

const account = "9019256736915509894"

var loopbackHosts atomic.Uint32

// ps5 starts a simulated PS5 that shows a PIN. A console's Remote Play port is
// always 9295, so each has a loopback address of its own.
func ps5(t *testing.T, c ps4test.Config) *ps4test.Console {
	t.Helper()
	c.HostType, c.Timing, c.PIN = ps4.TypePS5, ps4test.FastTiming(), "12345678"
	c.Addr = fmt.Sprintf("127.95.%d.%d", os.Getpid()%250+1, loopbackHosts.Add(1))
	c.RemotePlay = &ps4test.RemotePlay{Port: 9295}
	return ps4test.Start(t, c)
}

// linkedPS5 serves a PS5 that is added and linked.
func linkedPS5(t *testing.T, console *ps4test.Console, dir string) *running {
	t.Helper()
	r := serve(t, dir, loopback, 0)
	if _, err := api.AddConsole.Do(t.Context(), r.api, api.AddConsoleRequest{Address: console.Addr().String()}); err != nil {
		t.Fatalf("add: %v", err)
	}
	if err := api.Link.Do(t.Context(), r.api, api.LinkRequest{Host: console.HostID(), PIN: "12345678", AccountID: account}); err != nil {
		t.Fatalf("link: %v", err)
	}
	return r
}

func TestPS5IsLinkedAndDriven(t *testing.T) {
	t.Parallel()
	console, dir := ps5(t, ps4test.Config{Name: "Den"}), shortDir(t)
	r := serve(t, dir, loopback, 0)
	b, ctx, host := r.api, t.Context(), console.HostID()
	added, err := api.AddConsole.Do(ctx, b, api.AddConsoleRequest{Address: console.Addr().String()})
	if err != nil || added.Protocol != api.ProtocolRemotePlay || added.Registered || added.Can.Titles {
		t.Fatalf("added: %+v, %v", added, err)
	}
	if err := api.Power.Do(ctx, b, api.PowerRequest{Host: host, State: api.StateStandby}); code(err) != "not_linked" {
		t.Errorf("standby before linking: %v", err)
	}
	if err := api.Link.Do(ctx, b, api.LinkRequest{Host: host, PIN: "12345678"}); code(err) != "account_needed" {
		t.Errorf("link without an account id: %v", err)
	}
	for _, id := range []string{"", account} { // a captured credential has no id
		if err := api.SetCredential.Do(ctx, b, api.CredentialRequest{User: api.User{Credential: credential, AccountID: id}}); err != nil {
			t.Fatal(err)
		}
		shown := fmt.Sprintf(`"account":%v`, id != "")
		if _, overview := told(t, r, http.MethodGet, "/overview", ""); !strings.Contains(overview, shown) {
			t.Errorf("with the account %q: %s", id, overview)
		}
	}
	if err := api.Link.Do(ctx, b, api.LinkRequest{Host: host, PIN: "87654321"}); code(err) != "pin_wrong" {
		t.Errorf("link with a wrong PIN: %v", err)
	}
	if err := api.Link.Do(ctx, b, api.LinkRequest{Host: host, PIN: "12345678"}); err != nil {
		t.Fatalf("link: %v", err)
	}
	if c, err := api.Status.Do(ctx, b, api.HostRequest{Host: host}); err != nil || !c.Registered || c.State != api.StateAwake {
		t.Errorf("status: %+v, %v", c, err)
	}
	if err := api.Start.Do(ctx, b, api.StartRequest{Host: host, Title: "CUSA00129"}); code(err) != "no_titles" {
		t.Errorf("start: %v", err)
	}
	if err := api.AddTitle.Do(ctx, b, api.AddTitleRequest{Host: host, ID: "CUSA00129"}); code(err) != "no_titles" {
		t.Errorf("titles add: %v", err)
	}
	if err := api.Keys.Do(ctx, b, api.KeysRequest{Host: host, Keys: []string{"up"}}); code(err) != "ps_only" {
		t.Errorf("keys: %v", err)
	}
	if titles, err := api.Titles.Do(ctx, b, api.HostRequest{Host: host}); err != nil || len(titles) != 1 || titles[0].ID != "HOME" {
		t.Errorf("inputs: %+v, %v", titles, err)
	}
	if err := api.Power.Do(ctx, b, api.PowerRequest{Host: host, State: api.StateStandby}); err != nil || console.State() == ps4.StateAwake {
		t.Fatalf("standby: %v, the console is %v", err, console.State())
	}
	r.stop()

	r = serve(t, dir, loopback, 0) // the registration is still there
	if err := api.Power.Do(ctx, r.api, api.PowerRequest{Host: host, State: api.StateAwake, Wait: true}); err != nil || console.State() != ps4.StateAwake {
		t.Fatalf("wake after a restart: %v, the console is %v", err, console.State())
	}
	if !slices.Contains(backedUp(t, r.api), "registrations.json") {
		t.Error("the backup lacks the registration")
	}
	if err := api.ForgetConsole.Do(ctx, r.api, api.HostRequest{Host: host}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(dir + "/registrations.json"); err != nil || strings.Contains(string(text), host) {
		t.Errorf("the registration of a forgotten console: %s, %v", text, err)
	}
}

// TestPS5AddressNeedsNoPort names a PS5 by its address alone, to a command and in
// the configuration.
func TestPS5AddressNeedsNoPort(t *testing.T) {
	t.Parallel()
	console := ps5(t, ps4test.Config{Name: "Den", DDPPort: ps4.PortPS5})
	address := console.Addr().Addr().String()
	r := serve(t, shortDir(t), loopback, 0)
	for range 2 { // unknown, then known
		if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: address}); err != nil || c.HostID != console.HostID() || c.Address != console.Addr().String() {
			t.Errorf("status: %+v, %v", c, err)
		}
	}
	if c, err := api.AddConsole.Do(t.Context(), r.api, api.AddConsoleRequest{Address: address}); err != nil || c.HostID != console.HostID() {
		t.Errorf("added: %+v, %v", c, err)
	}
	if err := api.ForgetConsole.Do(t.Context(), r.api, api.HostRequest{Host: address}); err != nil {
		t.Errorf("forgotten: %v", err)
	}
	yaml := loopback + "\nconsoles:\n  - {address: " + address + ", name: Attic}\n"
	dir := shortDir(t)
	for range 2 { // met, then remembered
		r := serve(t, dir, yaml, 0)
		if len(r.list) != 1 || r.list[0].Name != "Attic" || r.list[0].HostID != console.HostID() {
			t.Errorf("of the configuration: %+v", r.list)
		}
		r.stop()
	}
}

// TestCommandsOfAnUnknownType links a console that is configured by its host id,
// and of which nothing else is known: that it is a PS5 is found out in time.
func TestCommandsOfAnUnknownType(t *testing.T) {
	t.Parallel()
	console := ps5(t, ps4test.Config{Name: "Den"})
	yaml := fmt.Sprintf("%s\nconsoles:\n  - {address: %q, host_id: %s}\n", loopback, console.Addr(), console.HostID())
	for name, do := range map[string]func(ctx context.Context, l *app.Local, host string) error{
		"": func(ctx context.Context, l *app.Local, host string) error {
			return api.Link.Do(ctx, l.Client, api.LinkRequest{Host: host, PIN: "12345678", AccountID: account})
		},
		"not_linked": func(ctx context.Context, l *app.Local, host string) error {
			return api.Power.Do(ctx, l.Client, api.PowerRequest{Host: host, State: api.StateStandby})
		},
		"ps_only": func(ctx context.Context, l *app.Local, host string) error {
			return api.Keys.Do(ctx, l.Client, api.KeysRequest{Host: host, Keys: []string{"up"}})
		},
	} {
		for _, host := range []string{"", console.HostID(), console.Addr().String()} {
			store := open(t, shortDir(t))
			t.Cleanup(func() { _ = store.Close() })
			if err := do(t.Context(), local(t, store, yaml, app.Override{}), host); code(err) != name {
				t.Errorf("%q, want %q: %v", host, name, err)
			}
		}
	}
}

// TestLinkKeepsToTheConfiguration: a PS4 whose entry says second_screen is not
// registered for Remote Play.
func TestLinkKeepsToTheConfiguration(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	r := serve(t, shortDir(t), strings.Replace(yaml, "    credential:", "    protocol: second_screen\n    credential:", 1), 0)
	err := api.Link.Do(t.Context(), r.api, api.LinkRequest{Host: console.HostID(), PIN: "12345678", RemotePlay: true, AccountID: account})
	if code(err) != "config" {
		t.Errorf("link: %v", err)
	}
}

// backedUp lists the files in a backup.
func backedUp(t *testing.T, b *api.Client) (names []string) {
	t.Helper()
	archive, err := api.Backup.Do(t.Context(), b, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
	}
}

// TestFullDisk: the error of a link that could not be stored says what to do.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if e := app.Explain(fmt.Errorf("registrations.json is not saved: %w", syscall.ENOSPC)); e.Hint == "" || e.Code != "failed" {
		t.Errorf("got %+v", e)
	}
}

func TestPS5InUse(t *testing.T) {
	t.Parallel()
	console := ps5(t, ps4test.Config{})
	b := linkedPS5(t, console, shortDir(t)).api
	console.SetFaults(ps4test.Faults{RemotePlay: remoteplay.ErrInUse})
	before := console.Counters().Connections
	for range 2 { // the second time without asking the console
		if err := api.Power.Do(t.Context(), b, api.PowerRequest{State: api.StateStandby}); code(err) != "in_use" {
			t.Errorf("standby: %v", err)
		}
	}
	if n := console.Counters().Connections - before; n != 1 {
		t.Errorf("%d sessions were begun, want 1", n)
	}
	if c, err := api.Status.Do(t.Context(), b, api.HostRequest{}); err != nil || !c.Registered {
		t.Errorf("the registration is gone: %+v, %v", c, err)
	}
}

func TestPS5Passcode(t *testing.T) {
	t.Parallel()
	console := ps5(t, ps4test.Config{Passcode: "1234"})
	b := linkedPS5(t, console, shortDir(t)).api
	if err := api.Power.Do(t.Context(), b, api.PowerRequest{State: api.StateStandby}); code(err) != "passcode_needed" {
		t.Errorf("without a passcode: %v", err)
	}
	for passcode, want := range map[string]string{"4321": "passcode_wrong", "1234": ""} {
		user := api.User{Credential: credential, Passcode: passcode}
		if err := api.SetCredential.Do(t.Context(), b, api.CredentialRequest{User: user}); err != nil {
			t.Fatal(err)
		}
		if err := api.Power.Do(t.Context(), b, api.PowerRequest{State: api.StateStandby}); code(err) != want {
			t.Errorf("with passcode %s: %v", passcode, err)
		}
		_ = api.Power.Do(t.Context(), b, api.PowerRequest{State: api.StateAwake, Wait: true})
	}
}

// TestStrangerPS5GetsNothing: a console that was only found gets no session and
// no WAKEUP, even if a registration of its host id is stored.
func TestStrangerPS5GetsNothing(t *testing.T) {
	t.Parallel()
	console, dir := ps5(t, ps4test.Config{Standby: true}), shortDir(t)
	yaml := strings.Replace(loopback, "{enabled: false}", fmt.Sprintf("{interval: 500ms, broadcast: [%q]}", console.Addr()), 1)
	r := serve(t, dir, yaml, 0)
	eventually(t, console, "found", func() bool {
		list, err := api.Consoles.Do(t.Context(), r.api, api.None{})
		return err == nil && len(list) == 1 && list[0].HostType == ps4.TypePS5 && list[0].Origin == api.OriginFound
	})
	if err := api.Power.Do(t.Context(), r.api, api.PowerRequest{State: api.StateAwake}); code(err) != "not_accepted" {
		t.Errorf("wake: %v", err)
	}
	if n := console.Counters(); n.Wakeups+n.Connections != 0 {
		t.Errorf("the stranger got %+v", n)
	}
	if err := api.SetRegistration.Do(t.Context(), r.api, api.RegistrationRequest{
		HostID: console.HostID(), HostType: ps4.TypePS5, RegistKey: "d1e2f3a4", RPKey: strings.Repeat("00", 16),
	}); err != nil {
		t.Fatalf("import: %v", err)
	}
	if c, err := api.Status.Do(context.WithoutCancel(t.Context()), r.api, api.HostRequest{Host: console.HostID()}); err != nil || !c.Registered {
		t.Errorf("after the import: %+v, %v", c, err)
	}
}

func TestPS4IsLinkedForRemotePlay(t *testing.T) {
	t.Parallel()
	addr := fmt.Sprintf("127.95.%d.%d", os.Getpid()%250+1, loopbackHosts.Add(1))
	console := ps4test.Start(t, ps4test.Config{
		Addr: addr, Timing: ps4test.FastTiming(), PIN: "12345678", RemotePlay: &ps4test.RemotePlay{Port: 9295},
	})
	b := serve(t, shortDir(t), loopback, 0).api
	if c, err := api.AddConsole.Do(t.Context(), b, api.AddConsoleRequest{Address: console.Addr().String()}); err != nil || c.Protocol != api.ProtocolSecondScreen {
		t.Fatalf("added: %+v, %v", c, err)
	}
	if err := api.Link.Do(t.Context(), b, api.LinkRequest{PIN: "12345678", RemotePlay: true, AccountID: account}); err != nil {
		t.Fatalf("link: %v", err)
	}
	c, err := api.Status.Do(t.Context(), b, api.HostRequest{})
	if err != nil || c.Protocol != api.ProtocolRemotePlay || !c.Registered || c.Can.Titles {
		t.Errorf("status: %+v, %v", c, err)
	}
	if err := api.Power.Do(t.Context(), b, api.PowerRequest{State: api.StateStandby}); err != nil {
		t.Errorf("standby: %v", err)
	}
}

// TestPS5Keys permits keys on the page, and in config.yaml, which wins.
func TestPS5Keys(t *testing.T) {
	t.Parallel()
	console, dir := ps5(t, ps4test.Config{}), shortDir(t)
	r := linkedPS5(t, console, dir)
	path := "/consoles/" + console.HostID() + "/remote-play-keys"
	press := func(want string) {
		t.Helper()
		err := api.Keys.Do(t.Context(), r.api, api.KeysRequest{Keys: []string{"up", "triangle:400", "ps"}})
		if c, statusErr := api.Status.Do(t.Context(), r.api, api.HostRequest{}); code(err) != want || statusErr != nil || c.Can.Keys != (want == "") {
			t.Errorf("keys: %v, want %q; status %+v, %v", err, want, c, statusErr)
		}
	}
	permit := func(on bool, want string) {
		t.Helper()
		if got, text := told(t, r, http.MethodPut, path, fmt.Sprintf(`{"on":%v}`, on)); got != want {
			t.Errorf("permit %v: %s", on, text)
		}
	}
	press("ps_only")
	permit(true, done)
	press("")
	r.stop()
	r = serve(t, dir, loopback, 0) // it is remembered
	press("")
	permit(false, done)
	press("ps_only")
	r.stop()
	r = serve(t, dir, loopback+"\nconsoles: [{host_id: "+console.HostID()+", remote_play_keys: true}]\n", 0)
	press("")
	permit(false, "config")
	press("")
	want := slices.Repeat([]string{"up", "triangle:400", "ps"}, 4)
	if got := console.Presses(); len(got) != len(want) {
		t.Errorf("the console saw %v, want %v with its hold times", got, want)
	}
	if n := console.Counters(); n.StreamErrors+n.ButtonsLeftDown+n.Homes != 0 || n.Streams != 3 {
		t.Errorf("counters %+v", n)
	}
}
