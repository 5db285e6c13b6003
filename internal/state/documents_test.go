package state_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/internal/state"
)

// credential is the vector of docs/protocol.md §2.
const credential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"

func mkdir(t *testing.T, path ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(path...), 0o750); err != nil {
		t.Fatal(err)
	}
}

func TestConsoles(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir()).Consoles()
	want := state.Consoles{Consoles: []state.Console{{
		HostID: hostID, HostType: "PS4", Name: "Den", Address: netip.MustParseAddrPort("192.168.1.20:987"),
		SystemVersion: "09508011", RequestPort: 997, LastSeen: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
	}, {HostID: "A0B1C2D3E4F6"}}}
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Load(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "a0b1c2d3e4f6", "../A0B1C2D3E4", hostID} {
		list := state.Consoles{Consoles: []state.Console{{HostID: hostID}, {HostID: bad}}}
		if err := f.Save(list); err == nil {
			t.Errorf("%q was saved beside %s", bad, hostID)
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir).Credentials()
	own := state.User{Credential: strings.Repeat("a", 64), Passcode: "8642"}
	want := state.Credentials{Default: &state.User{Credential: credential}, Hosts: map[string]state.User{hostID: own}}
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	got, err := f.Load()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("another value was loaded, %v", err)
	}
	if u, ok := got.For(strings.ToLower(hostID)); !ok || u != own {
		t.Error("the console's own user is not found")
	}
	if u, ok := got.For("A0B1C2D3E4F6"); !ok || u.Credential != credential {
		t.Error("the default user is not found")
	}
	if _, ok := (state.Credentials{}).For(hostID); ok {
		t.Error("a user out of nothing")
	}
	if !strings.Contains(read(t, dir, "credentials.json"), credential) {
		t.Error("the file does not hold the credential")
	}
}

func TestBadCredentials(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir()).Credentials()
	for name, bad := range map[string]state.Credentials{
		"short":      {Default: &state.User{Credential: credential[1:]}},
		"upper case": {Default: &state.User{Credential: strings.ToUpper(credential)}},
		"passcode":   {Default: &state.User{Credential: credential, Passcode: "98765"}},
		"host id":    {Hosts: map[string]state.User{"../x": {Credential: credential}}},
		"empty":      {Hosts: map[string]state.User{hostID: {}}},
	} {
		err := f.Save(bad)
		if err == nil || strings.Contains(err.Error(), "143f2d") || strings.Contains(err.Error(), "98765") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUsersDoNotPrint(t *testing.T) {
	t.Parallel()
	user := state.User{Credential: credential, Passcode: "8642"}
	all := state.Credentials{Default: &user, Hosts: map[string]state.User{hostID: user}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, user, &user, all, &all)
	}
	encoded, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	for _, secret := range []string{credential, "8642"} {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%q is printed", form)
			}
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Errorf("nothing is redacted in %s", &out)
	}
}

// TestInstallationID: it is random, and stays.
func TestInstallationID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ids []string
	for range 2 {
		s := open(t, dir)
		id, err := s.InstallationID()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	other, err := open(t, t.TempDir()).InstallationID()
	if err != nil || len(ids[0]) != 16 || ids[0] != ids[1] || ids[0] == other {
		t.Errorf("%v, %q, %v", ids, other, err)
	}
}

// TestDamagedInstallation: the loss is told once, then there is a new id.
func TestDamagedInstallation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	write(t, `{"version":1,"data":{"id":"x"}}`, dir, "installation.json")
	if id, err := s.InstallationID(); !errors.Is(err, state.ErrDamaged) || id != "" {
		t.Errorf("%q, %v", id, err)
	}
	if id, err := s.InstallationID(); err != nil || len(id) != 16 {
		t.Errorf("%q, %v", id, err)
	}
}

func TestSimulatorKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	first, err := s.SimulatorKey()
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.SimulatorKey()
	if err != nil || !first.Equal(second) || first.N.BitLen() != 2048 {
		t.Errorf("another key, %v", err)
	}
	write(t, "", dir, "simulator.pem")
	if third, err := s.SimulatorKey(); err != nil || !first.Equal(third) {
		t.Errorf("the copy is not used: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, "", dir, "simulator.pem.copy")
	write(t, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", dir, "simulator.pem")
	if _, err := open(t, dir).SimulatorKey(); !errors.Is(err, state.ErrDamaged) {
		t.Errorf("%v", err)
	}
}

// TestHomeKitHosts: damaged documents are listed, what was set aside and the companion bridge are not.
func TestHomeKitHosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for _, name := range []string{"A0B1C2D3E4F6", hostID, "companion", "a0b1c2d3e4f7", hostID + ".json.damaged-1"} {
		write(t, "", dir, "homekit", name+".json")
	}
	mkdir(t, dir, "homekit", "A0B1C2D3E4F8.json")
	hosts, err := s.HomeKitHosts()
	if want := []string{hostID, "A0B1C2D3E4F6"}; err != nil || !reflect.DeepEqual(hosts, want) {
		t.Errorf("%v, %v, want %v", hosts, err, want)
	}
}

// TestSettings reads the settings of the page while another process owns the
// directory, also from the copy.
func TestSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, dir).Settings()
	if got := state.ReadSettings(dir); got != nil {
		t.Errorf("out of nothing: %v", got)
	}
	want := map[string]string{"log.level": "debug"}
	if err := f.Save(want); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"", "{"} {
		if damage != "" {
			write(t, damage, dir, "settings.json")
		}
		if got := state.ReadSettings(dir); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	write(t, "{", dir, "settings.json.copy")
	if got := state.ReadSettings(dir); got != nil {
		t.Errorf("damaged: %v", got)
	}
}
