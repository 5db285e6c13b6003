package doctor_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/doctor"
	"github.com/ps4kit/ps4kit/internal/state"
)

const credential = "143f2dccb2a0d91b5473563cd77a937a18d6b14fe58060a78f95c62da0b488c8"

// rig is a machine and a console on which everything works, until a test changes something.
type rig struct {
	options    doctor.Options
	connection doctor.Connection
	backend    *backend
	connectErr error
	findings   []doctor.Finding
	failed     bool
	connected  bool
	closed     bool
}

func newRig(t *testing.T) *rig {
	t.Helper()
	cfg, err := config.Load(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	r := &rig{backend: working()}
	r.connection = doctor.Connection{Client: api.Local(api.Services{Backend: r.backend}), Running: true, Close: func() { r.closed = true }}
	r.options = doctor.Options{
		Config:   cfg,
		StateDir: dir,
		Connect: func(context.Context) (doctor.Connection, error) {
			r.connected = true
			if r.connectErr != nil {
				return doctor.Connection{}, r.connectErr
			}
			return r.connection, nil
		},
		System: machine(),
		Report: func(f doctor.Finding) { r.findings = append(r.findings, f) },
	}
	return r
}

func machine() doctor.System {
	return doctor.System{
		Now: func() time.Time { return time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC) },
		Interfaces: func() ([]doctor.Interface, error) {
			return []doctor.Interface{
				{Name: "lo", Flags: net.FlagUp | net.FlagLoopback, Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}},
				ethernet("eth0", net.FlagUp), ethernet("wlan0", 0),
			}, nil
		},
		Inspect:   state.Inspect,
		Bind:      func(context.Context, uint16) error { return nil },
		Multicast: func() error { return nil },
		Holder:    func(uint16, int) (string, int) { return "avahi (process 7)", 7 },
		Root:      fstest.MapFS{},
		Dial:      func(context.Context, string) error { return nil },
		Browse: func(context.Context, []string) ([]doctor.Service, error) {
			return []doctor.Service{{Name: "Den", DeviceID: "A3:FB:3D:4D:2E:AC"}, {Name: "Lamp", DeviceID: "00:00:00:00:00:01"}}, nil
		},
	}
}

func ethernet(name string, flags net.Flags) doctor.Interface {
	return doctor.Interface{
		Name: name, Flags: flags | net.FlagBroadcast | net.FlagMulticast,
		Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.9/24")},
	}
}

// backend answers what a test put into it.
type backend struct {
	api.Backend // what is not below panics

	found, known          []api.Console
	states                map[string]api.Console
	accessories           []api.Accessory
	search, credential    error
	login                 error
	consoles, status, hap error
	logins                int
}

func den(state string) api.Console {
	return api.Console{Address: "192.168.1.20", HostID: "A0B1C2D3E4F5", HostType: "PS4", Name: "Den", State: state, RequestPort: 997}
}

func working() *backend {
	return &backend{
		found: []api.Console{den(api.StateAwake)}, known: []api.Console{den(api.StateAwake)},
		login:       &api.Error{Code: "keyboard_closed", Message: "the on-screen keyboard is not open"},
		accessories: []api.Accessory{{Name: "Den", DeviceID: "a3:fb:3d:4d:2e:ac", Address: "192.168.1.9", Port: 20001}},
	}
}

func (b *backend) Search(context.Context, api.SearchRequest) ([]api.Console, error) {
	return b.found, b.search
}
func (b *backend) Consoles(context.Context, api.None) ([]api.Console, error) {
	return b.known, b.consoles
}
func (b *backend) Homekit(context.Context, api.None) ([]api.Accessory, error) {
	return b.accessories, b.hap
}

func (b *backend) Status(_ context.Context, in api.HostRequest) (api.Console, error) {
	return b.states[in.Host], b.status
}

func (b *backend) Credential(context.Context, api.HostRequest) (api.User, error) {
	return api.User{Credential: credential}, b.credential
}

func (b *backend) Keyboard(context.Context, api.HostRequest) (api.Keyboard, error) {
	b.logins++
	return api.Keyboard{}, b.login
}

// examine makes every check, and makes sure of what holds for every finding.
func (r *rig) examine(t *testing.T) {
	t.Helper()
	failed, err := doctor.Examine(t.Context(), r.options)
	if err != nil {
		t.Fatal(err)
	}
	r.failed = failed
	fails := false
	for _, f := range r.findings {
		fails = fails || f.Status == doctor.Fail
		if f.Check == "" || f.Message == "" || strings.Contains(f.Message+f.Hint, "%!") {
			t.Errorf("%+v", f)
		}
		if strings.Contains(f.Message+f.Hint, credential) {
			t.Errorf("%s tells a secret", f.Check)
		}
	}
	if failed != fails {
		t.Errorf("failed is %v with %v", failed, r.findings)
	}
	if r.connected && r.connectErr == nil && !r.closed {
		t.Error("the connection is still open")
	}
}

// want wants a finding of a check with these texts in its message or its hint.
func (r *rig) want(t *testing.T, check string, status doctor.Status, texts ...string) {
	t.Helper()
	for _, f := range r.findings {
		if f.Check == check && f.Status == status && containsAll(f.Message+"\n"+f.Hint, texts) {
			return
		}
	}
	t.Errorf("no %s of %s with %q in:\n%s", status, check, texts, r)
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// none wants no finding of a check.
func (r *rig) none(t *testing.T, check string) {
	t.Helper()
	for _, f := range r.findings {
		if f.Check == check {
			t.Errorf("unwanted: %+v", f)
		}
	}
}

func (r *rig) String() string {
	var lines []string
	for _, f := range r.findings {
		lines = append(lines, string(f.Status)+" "+f.Check+": "+f.Message+" ("+f.Hint+")")
	}
	return strings.Join(lines, "\n")
}

// ps5 makes the console a PS5 that is linked, and fails its sessions with a code.
func (r *rig) ps5(code string) {
	console := &r.backend.found[0]
	console.HostType, console.Protocol, console.Registered = "PS5", api.ProtocolRemotePlay, true
	if code != "" {
		r.backend.login = &api.Error{Code: code, Message: code}
	}
}
