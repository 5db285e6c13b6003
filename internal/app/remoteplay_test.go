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
	if _, err := r.api.AddConsole(t.Context(), console.Addr().String()); err != nil {
		t.Fatalf("add: %v", err)
	}
	if err := r.api.Link(t.Context(), console.HostID(), api.Link{PIN: "12345678", AccountID: account}); err != nil {
		t.Fatalf("link: %v", err)
	}
	return r
}

func TestPS5IsLinkedAndDriven(t *testing.T) {
	t.Parallel()
	console, dir := ps5(t, ps4test.Config{Name: "Den"}), shortDir(t)
	r := serve(t, dir, loopback, 0)
	b, ctx, host := r.api, t.Context(), console.HostID()
	added, err := b.AddConsole(ctx, console.Addr().String())
	if err != nil || added.Protocol != api.ProtocolRemotePlay || added.Registered || added.Can.Titles {
		t.Fatalf("added: %+v, %v", added, err)
	}
	if err := b.Standby(ctx, host); code(err) != "not_linked" {
		t.Errorf("standby before linking: %v", err)
	}
	if err := b.Link(ctx, host, api.Link{PIN: "12345678"}); code(err) != "account_needed" {
		t.Errorf("link without an account id: %v", err)
	}
	for _, id := range []string{"", account} { // a captured credential has no id
		if err := b.SetCredential(ctx, "", api.User{Credential: credential, AccountID: id}); err != nil {
			t.Fatal(err)
		}
		shown := fmt.Sprintf(`"account":%v`, id != "")
		if _, overview := told(t, r, http.MethodGet, "/overview", ""); !strings.Contains(overview, shown) {
			t.Errorf("with the account %q: %s", id, overview)
		}
	}
	if err := b.Link(ctx, host, api.Link{PIN: "87654321"}); code(err) != "pin_wrong" {
		t.Errorf("link with a wrong PIN: %v", err)
	}
	if err := b.Link(ctx, host, api.Link{PIN: "12345678"}); err != nil {
		t.Fatalf("link: %v", err)
	}
	if c, err := b.Status(ctx, host); err != nil || !c.Registered || c.State != api.StateAwake {
		t.Errorf("status: %+v, %v", c, err)
	}
	if err := b.Start(ctx, host, "CUSA00129", false); code(err) != "no_titles" {
		t.Errorf("start: %v", err)
	}
	if err := b.AddTitle(ctx, host, "CUSA00129", ""); code(err) != "no_titles" {
		t.Errorf("titles add: %v", err)
	}
	if err := b.Keys(ctx, host, []string{"up"}); code(err) != "ps_only" {
		t.Errorf("keys: %v", err)
	}
	if titles, err := b.Titles(ctx, host); err != nil || len(titles) != 1 || titles[0].ID != "HOME" {
		t.Errorf("inputs: %+v, %v", titles, err)
	}
	if err := b.Standby(ctx, host); err != nil || console.State() == ps4.StateAwake {
		t.Fatalf("standby: %v, the console is %v", err, console.State())
	}
	r.stop()

	r = serve(t, dir, loopback, 0) // the registration is still there
	if err := r.api.Wake(ctx, host, true); err != nil || console.State() != ps4.StateAwake {
		t.Fatalf("wake after a restart: %v, the console is %v", err, console.State())
	}
	if !slices.Contains(backedUp(t, r.api), "registrations.json") {
		t.Error("the backup lacks the registration")
	}
	if err := r.api.ForgetConsole(ctx, host); err != nil {
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
		if c, err := r.api.Status(t.Context(), address); err != nil || c.HostID != console.HostID() || c.Address != console.Addr().String() {
			t.Errorf("status: %+v, %v", c, err)
		}
	}
	if c, err := r.api.AddConsole(t.Context(), address); err != nil || c.HostID != console.HostID() {
		t.Errorf("added: %+v, %v", c, err)
	}
	if err := r.api.ForgetConsole(t.Context(), address); err != nil {
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
			return l.Link(ctx, host, api.Link{PIN: "12345678", AccountID: account})
		},
		"not_linked": func(ctx context.Context, l *app.Local, host string) error { return l.Standby(ctx, host) },
		"ps_only":    func(ctx context.Context, l *app.Local, host string) error { return l.Keys(ctx, host, []string{"up"}) },
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
	err := r.api.Link(t.Context(), console.HostID(), api.Link{PIN: "12345678", RemotePlay: true, AccountID: account})
	if code(err) != "config" {
		t.Errorf("link: %v", err)
	}
}

// backedUp lists the files in a backup.
func backedUp(t *testing.T, b *api.Client) (names []string) {
	t.Helper()
	archive, err := b.Backup(t.Context())
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
		if err := b.Standby(t.Context(), ""); code(err) != "in_use" {
			t.Errorf("standby: %v", err)
		}
	}
	if n := console.Counters().Connections - before; n != 1 {
		t.Errorf("%d sessions were begun, want 1", n)
	}
	if c, err := b.Status(t.Context(), ""); err != nil || !c.Registered {
		t.Errorf("the registration is gone: %+v, %v", c, err)
	}
}

func TestPS5Passcode(t *testing.T) {
	t.Parallel()
	console := ps5(t, ps4test.Config{Passcode: "1234"})
	b := linkedPS5(t, console, shortDir(t)).api
	if err := b.Standby(t.Context(), ""); code(err) != "passcode_needed" {
		t.Errorf("without a passcode: %v", err)
	}
	for passcode, want := range map[string]string{"4321": "passcode_wrong", "1234": ""} {
		user := api.User{Credential: credential, Passcode: passcode}
		if err := b.SetCredential(t.Context(), "", user); err != nil {
			t.Fatal(err)
		}
		if err := b.Standby(t.Context(), ""); code(err) != want {
			t.Errorf("with passcode %s: %v", passcode, err)
		}
		_ = b.Wake(t.Context(), "", true)
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
		list, err := r.api.Consoles(t.Context())
		return err == nil && len(list) == 1 && list[0].HostType == ps4.TypePS5 && list[0].Origin == api.OriginFound
	})
	if err := r.api.Wake(t.Context(), "", false); code(err) != "not_accepted" {
		t.Errorf("wake: %v", err)
	}
	if n := console.Counters(); n.Wakeups+n.Connections != 0 {
		t.Errorf("the stranger got %+v", n)
	}
	if err := r.api.SetRegistration(t.Context(), "", api.Registration{
		HostID: console.HostID(), HostType: ps4.TypePS5, RegistKey: "d1e2f3a4", RPKey: strings.Repeat("00", 16),
	}); err != nil {
		t.Fatalf("import: %v", err)
	}
	if c, err := r.api.Status(context.WithoutCancel(t.Context()), console.HostID()); err != nil || !c.Registered {
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
	if c, err := b.AddConsole(t.Context(), console.Addr().String()); err != nil || c.Protocol != api.ProtocolSecondScreen {
		t.Fatalf("added: %+v, %v", c, err)
	}
	if err := b.Link(t.Context(), "", api.Link{PIN: "12345678", RemotePlay: true, AccountID: account}); err != nil {
		t.Fatalf("link: %v", err)
	}
	c, err := b.Status(t.Context(), "")
	if err != nil || c.Protocol != api.ProtocolRemotePlay || !c.Registered || c.Can.Titles {
		t.Errorf("status: %+v, %v", c, err)
	}
	if err := b.Standby(t.Context(), ""); err != nil {
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
		err := r.api.Keys(t.Context(), "", []string{"up", "triangle:400", "ps"})
		if c, statusErr := r.api.Status(t.Context(), ""); code(err) != want || statusErr != nil || c.Can.Keys != (want == "") {
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
