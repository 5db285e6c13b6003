package app_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/app"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

// breakState makes a state directory that knows these consoles.
func breakState(t *testing.T, consoles ...state.Console) string {
	t.Helper()
	dir := shortDir(t)
	store := open(t, dir)
	defer store.Close()
	if err := store.Consoles().Update(func(all state.Consoles) (state.Consoles, error) {
		all.Consoles = consoles
		return all, nil
	}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func breakRemembered(t *testing.T, dir, hostID string) (found state.Console) {
	t.Helper()
	store := open(t, dir)
	defer store.Close()
	all, err := store.Consoles().Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, c := range all.Consoles {
		if c.HostID == hostID {
			return c
		}
	}
	return found
}

// A stranger once had the address that config.yaml
// names now. The entry must mean the console that is first met there, not the
// stranger, who would get the credential wherever it is.
func TestStrangerThatHadTheAddressIsNotConfigured(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	dir := breakState(t, state.Console{
		HostID: "0A0000000BAD", HostType: "PS4", Name: "Guest", Address: console.Addr(), Stranger: true,
	})
	r := serve(t, dir, yaml, 0)
	c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{})
	if err != nil || c.HostID != console.HostID() {
		t.Errorf("the configured console is %+v, %v", c, err)
	}
}

// A stranger must not shut out the owner's console, so a
// command that names none means the only accepted one.
func TestStrangerMakesCommandsAmbiguous(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	yaml = strings.Replace(yaml, "discovery: {enabled: false}", `discovery: {local_port: 0, broadcast: ["127.0.0.1:9"]}`, 1)
	dir := breakState(t, state.Console{
		HostID: "0A0000000BAD", HostType: "PS4", Name: "Den", Address: netip.MustParseAddrPort("192.0.2.1:987"), Stranger: true,
	})
	r := serve(t, dir, yaml, 0)
	for _, host := range []string{"", "den"} {
		if c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: host}); err != nil || c.HostID != console.HostID() {
			t.Errorf("%q: %+v, %v", host, c, err)
		}
	}
}

// impostor answers each SRCH as a console with this host id and name. The channel
// gets a value when a SRCH arrives, after the last reply to the one before.
func impostor(t *testing.T, hostID, name, hostType string) (netip.AddrPort, <-chan struct{}) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked, ended := make(chan struct{}, 3), make(chan struct{})
	go func() {
		defer close(ended)
		for buf := make([]byte, 2048); ; {
			_, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			select {
			case asked <- struct{}{}:
			default:
			}
			for range 100 { // the latest reply counts
				time.Sleep(10 * time.Millisecond)
				_, _ = fmt.Fprintf(packetWriter{conn, from}, "HTTP/1.1 620 Server Standby\nhost-id:%s\nhost-type:%s\nhost-name:%s\n", hostID, hostType, name)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	return netip.MustParseAddrPort(conn.LocalAddr().String()), asked
}

// What another address says in the name of a console must
// not be stored as that console's name and firmware.
func TestForgedReplyRenamesAConsole(t *testing.T) {
	t.Parallel()
	console := ps4test.Start(t, ps4test.Config{Name: "Loft", Timing: ps4test.FastTiming()})
	at, asked := impostor(t, console.HostID(), "Forged", "PS4")
	dir := shortDir(t)
	r := serve(t, dir, fmt.Sprintf(`
discovery: {interval: 1s, local_port: 0, broadcast: ["%s"]}
poll: {interval: 200ms}
consoles: [{address: "%s", host_id: %s}]
homekit: {bind: 127.0.0.1, interfaces: [lo]}
web: {listen: "127.0.0.1:0"}
art: {enabled: false}
`, at, console.Addr(), console.HostID()), 0)
	for range 3 { // all forged replies to two have been sent
		select {
		case <-asked:
		case <-time.After(patience):
			t.Fatal("no search")
		}
	}
	r.stop()
	if c := breakRemembered(t, dir, console.HostID()); c.Name == "Forged" {
		t.Errorf("a forged reply renamed the console: %+v", c)
	}
}

// A command alone that asks for the status after the owner
// has accepted a console must not forget that.
func TestAcceptedConsoleStaysAccepted(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	i := strings.Index(yaml, "consoles:")
	if i >= 0 {
		yaml = "discovery: {enabled: false}\npoll: {interval: 200ms}\n"
	}
	dir := shortDir(t)
	store := open(t, dir)
	b := local(t, store, yaml, app.Override{ConsoleKey: console.PublicKey()})
	host := app.FormatAddress(console.Addr())
	if err := api.SetCredential.Do(t.Context(), b.Client, api.CredentialRequest{User: apiUser()}); err != nil {
		t.Fatal(err)
	}
	if err := api.Keys.Do(t.Context(), b.Client, api.KeysRequest{Host: host, Keys: []string{"up"}}); err != nil {
		t.Fatalf("keys: %v", err)
	}
	if _, err := api.Status.Do(t.Context(), b.Client, api.HostRequest{Host: host}); err != nil {
		t.Fatal(err)
	}
	all, err := store.Consoles().Load()
	if err != nil || len(all.Consoles) != 1 || all.Consoles[0].Stranger || all.Consoles[0].HostType != "PS4" {
		t.Errorf("remembered: %+v, %v", all, err)
	}
	t.Cleanup(func() { _ = store.Close() })
}

// A console that is remembered, accepted while it is off.
func TestAcceptedConsoleKeepsItsType(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	if i := strings.Index(yaml, "consoles:"); i >= 0 {
		yaml = "discovery: {local_port: 0, broadcast: [\"127.0.0.1:9\"]}\npoll: {interval: 200ms}\nhomekit: {bind: 127.0.0.1, interfaces: [lo]}\nweb: {listen: \"127.0.0.1:0\"}\nart: {enabled: false}\n"
	}
	_ = console
	dir := breakState(t, state.Console{
		HostID: "0A0000000BAD", HostType: "PS4", Name: "Guest", Address: netip.MustParseAddrPort("192.0.2.1:987"), Stranger: true,
	})
	r := serve(t, dir, yaml, 0)
	_, err := api.Consoles.Do(t.Context(), r.api, api.None{})
	if err != nil {
		t.Fatal(err)
	}
	_ = api.SetCredential.Do(t.Context(), r.api, api.CredentialRequest{Host: "0A0000000BAD", User: apiUser()}) // names it: accepted
	r.stop()
	if c := breakRemembered(t, dir, "0A0000000BAD"); c.Stranger || c.HostType != "PS4" {
		t.Errorf("accepted as %+v", c)
	}
}

func apiUser() api.User { return api.User{Credential: credential} }

// Naming an impostor's address does not move a console that still answers at its
// own.
func TestNamedAddressDoesNotMoveAConsoleThatAnswers(t *testing.T) {
	t.Parallel()
	console, yaml := den(t)
	r := serve(t, shortDir(t), yaml, 0)
	impostor := ps4test.Start(t, ps4test.Config{HostID: console.HostID(), Name: "Den", Timing: ps4test.FastTiming()})
	if _, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: app.FormatAddress(impostor.Addr())}); err != nil {
		t.Fatal(err)
	}
	c, err := api.Status.Do(t.Context(), r.api, api.HostRequest{Host: console.HostID()})
	if err != nil || c.Address != app.FormatAddress(console.Addr()) {
		t.Errorf("the console is asked at %s, want %v (%v)", c.Address, console.Addr(), err)
	}
}
