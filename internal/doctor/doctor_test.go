package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/doctor"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// TestEverythingWorks: every check says ok, in this order, with nothing to do.
func TestEverythingWorks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.examine(t)
	var checks []string
	for _, f := range r.findings {
		checks = append(checks, f.Check)
		if f.Status != doctor.OK || f.Hint != "" {
			t.Errorf("%+v", f)
		}
	}
	want := []string{
		"configuration", "clock", "interfaces", "UDP port 1987", "UDP port 5353", "firewall", "state", "server",
		"broadcast", "console", "credential", "door", "login", "homekit", "mdns",
	}
	if !slices.Equal(checks, want) {
		t.Errorf("checks: %v, want %v", checks, want)
	}
}

// finding is one that a case wants.
type finding struct {
	check  string
	status doctor.Status
	texts  []string
}

func is(check string, status doctor.Status, texts ...string) finding {
	return finding{check, status, texts}
}

// TestOutcomes changes one thing of what works.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, r *rig)
		want   finding
	}{
		"configuration: a file": {func(_ *testing.T, r *rig) { r.options.Config.File = "/etc/ps4kit/config.yaml" },
			is("configuration", doctor.OK, "/etc/ps4kit/config.yaml")},
		"configuration: wrong": {func(_ *testing.T, r *rig) { r.options.ConfigErr = errors.New("config.yaml:3: poll.misses") },
			is("configuration", doctor.Fail, "config.yaml:3", "config check")},
		"clock: never set": {func(_ *testing.T, r *rig) { r.options.System.Now = at(time.Unix(0, 0)) },
			is("clock", doctor.Fail, "1970-01-01", "timedatectl")},
		"interfaces: cannot be listed": {func(_ *testing.T, r *rig) {
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return nil, syscall.EPERM }
		}, is("interfaces", doctor.Fail, "not permitted")},
		"interfaces: none": {func(_ *testing.T, r *rig) {
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return nil, nil }
		}, is("interfaces", doctor.Fail, "no network", "IPv4")},
		"interfaces: IPv6 only": {func(_ *testing.T, r *rig) {
			eth := ethernet("eth0", net.FlagUp)
			eth.Addrs = []netip.Prefix{netip.MustParsePrefix("fe80::1/64")}
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return []doctor.Interface{eth}, nil }
		}, is("interfaces", doctor.Fail, "IPv4")},
		"interfaces: a tunnel only": {func(_ *testing.T, r *rig) {
			tunnel := ethernet("tun0", net.FlagUp)
			tunnel.Flags &^= net.FlagBroadcast
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return []doctor.Interface{tunnel}, nil }
		}, is("interfaces", doctor.Fail, "no network")},
		"interfaces: none needed": {func(_ *testing.T, r *rig) {
			r.options.Config.Discovery.Broadcast = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return nil, nil }
		}, is("interfaces", doctor.OK)},
		"interfaces: a missing one is named": {func(_ *testing.T, r *rig) { r.options.Config.HomeKit.Interfaces = []string{"eth9"} },
			is("interfaces", doctor.Fail, "eth9", "homekit.interfaces")},
		"interfaces: one that is down is named": {func(_ *testing.T, r *rig) { r.options.Config.Discovery.Interfaces = []string{"wlan0"} },
			is("interfaces", doctor.Fail, "wlan0", "is down")},
		"port 1987: another program's": {func(_ *testing.T, r *rig) { r.bind(1987, syscall.EADDRINUSE) },
			is("UDP port 1987", doctor.Warn, "avahi (process 7)", "another port")},
		"port 1987: the server's": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.inspect(state.Inspection{Free: 1 << 40, Owner: 8})
			r.options.System.Holder = func(uint16, int) (string, int) { return "renamed (process 8)", 8 }
		}, is("UDP port 1987", doctor.OK, "running server")},
		"port 1987: another ps4kit's": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.inspect(state.Inspection{Free: 1 << 40, Owner: 8})
			r.options.System.Holder = func(uint16, int) (string, int) { return "ps4kit (process 9)", 9 }
		}, is("UDP port 1987", doctor.Warn, "ps4kit (process 9)")},
		"port 5353: not shared": {func(_ *testing.T, r *rig) {
			r.inspect(state.Inspection{Free: 1 << 40, Owner: 8})
			r.options.System.Multicast = func() error { return fmt.Errorf("listen udp4: %w", syscall.EADDRINUSE) }
			r.options.System.Holder = func(port uint16, except int) (string, int) {
				if port != 5353 || except != 8 {
					return "the server itself (process 8)", 8
				}
				return "greedy (process 7)", 7
			}
		}, is("UDP port 5353", doctor.Fail, "used by greedy (process 7)", "Stop that program")},
		"port 5353: refused": {func(_ *testing.T, r *rig) { r.options.System.Multicast = func() error { return syscall.EPERM } },
			is("UDP port 5353", doctor.Fail, "not permitted")},
		"port 1987: the server's, of another user": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.options.System.Holder = func(uint16, int) (string, int) { return "another program", 0 }
		}, is("UDP port 1987", doctor.OK, "running server")},
		"port 1987: a server of another state": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.options.System.Holder = func(uint16, int) (string, int) { return "ps4kit (process 8)", 8 }
			r.connection.Running = false
		}, is("UDP port 1987", doctor.Warn, "ps4kit (process 8)")},
		"port 1987: refused": {func(_ *testing.T, r *rig) { r.bind(1987, syscall.EPERM) },
			is("UDP port 1987", doctor.Warn, "not permitted", "discovery.local_port")},
		"firewall: ufw": {func(_ *testing.T, r *rig) {
			r.options.System.Root = fstest.MapFS{"etc/ufw/ufw.conf": {Data: []byte("# x\nENABLED=yes\nLOGLEVEL=low\n")}}
		}, is("firewall", doctor.Warn, "sudo ufw allow 5353/udp; sudo ufw allow 1987/udp; sudo ufw allow 20000:32767/tcp")},
		"firewall: ufw is off": {func(_ *testing.T, r *rig) {
			r.options.System.Root = fstest.MapFS{"etc/ufw/ufw.conf": {Data: []byte("ENABLED=no\n")}}
		}, is("firewall", doctor.OK)},
		"firewall: firewalld": {func(_ *testing.T, r *rig) {
			r.options.Config.HomeKit.Port = 22000
			r.options.System.Root = fstest.MapFS{"proc/812/comm": {Data: []byte("firewalld\n")}}
		}, is("firewall", doctor.Warn, "--add-port=5353/udp --add-port=1987/udp --add-port=22000-22063/tcp")},
		"state: none yet": {func(_ *testing.T, r *rig) { r.options.StateDir += "-new" },
			is("state", doctor.OK, "will be created")},
		"state: none, and no right to make it": {func(_ *testing.T, r *rig) {
			r.options.System.Inspect = func(string) (state.Inspection, error) { return unwritable(), fs.ErrNotExist }
		}, is("state", doctor.Fail, "can't create it", "--state-dir")},
		"state: one document": {func(_ *testing.T, r *rig) { r.inspect(state.Inspection{Free: 1 << 40, Documents: 1}) },
			is("state", doctor.OK, "1 document in")},
		"state: a file": {func(t *testing.T, r *rig) { r.options.StateDir = write(t, r, "file", "x", 0o600) },
			is("state", doctor.Fail, "not a directory", "--state-dir")},
		"state: open to all": {func(t *testing.T, r *rig) {
			if err := os.Chmod(r.options.StateDir, 0o777); err != nil {
				t.Fatal(err)
			}
		}, is("state", doctor.Fail, "everyone", "chmod 750")},
		"state: damaged": {func(t *testing.T, r *rig) { write(t, r, "consoles.json", "{", 0o640) },
			is("state", doctor.Fail, "consoles.json", "restore")},
		"state: newer": {func(t *testing.T, r *rig) { write(t, r, "api.json", `{"version": 9, "data": 1}`, 0o600) },
			is("state", doctor.Fail, "newer", "api.json")},
		"state: set aside": {func(t *testing.T, r *rig) { write(t, r, "consoles.json.damaged-1", "{", 0o640) },
			is("state", doctor.Warn, "consoles.json.damaged-1")},
		"state: an open secret": {func(t *testing.T, r *rig) {
			write(t, r, "credentials.json", `{"version": 1, "data": {"hosts": {}}}`, 0o644)
		}, is("state", doctor.Warn, "credentials.json", "chmod 600")},
		"state: full": {func(_ *testing.T, r *rig) { r.inspect(state.Inspection{Free: 1000}) },
			is("state", doctor.Fail, "full", "Free some space")},
		"state: nearly full": {func(_ *testing.T, r *rig) { r.inspect(state.Inspection{Free: 20 << 20}) },
			is("state", doctor.Warn, "20 MB")},
		"state: only the server may write": {func(_ *testing.T, r *rig) { r.inspect(unwritable()) },
			is("state", doctor.OK, "documents")},
		"state: nobody may write": {func(_ *testing.T, r *rig) { r.connection.Running = false; r.inspect(unwritable()) },
			is("state", doctor.Fail, "this user can't write")},
		"server: not running": {func(_ *testing.T, r *rig) { r.connection.Running = false },
			is("server", doctor.OK, "ps4kit serve")},
		"server: locked": {func(_ *testing.T, r *rig) { r.connectErr = state.ErrLocked },
			is("server", doctor.Fail, "in use by another ps4kit", "stop it")},
		"server: no right to ask": {func(_ *testing.T, r *rig) { r.connectErr = &fs.PathError{Op: "dial", Path: "x", Err: fs.ErrPermission} },
			is("server", doctor.Fail, "join the group")},
		"server: something else": {func(_ *testing.T, r *rig) { r.connectErr = errors.New("odd") },
			is("server", doctor.Fail, "odd")},
		"broadcast: cannot be sent": {func(_ *testing.T, r *rig) { r.backend.search = syscall.EPERM },
			is("broadcast", doctor.Fail, "not permitted", "firewall")},
		"broadcast: no answer": {func(_ *testing.T, r *rig) { r.absent() },
			is("broadcast", doctor.Warn, "no console answered")},
		"consoles: none": {func(_ *testing.T, r *rig) { r.backend.found, r.backend.known = nil, nil },
			is("consoles", doctor.Fail, "no console is known or was found", "network")},
		"consoles: cannot be listed": {func(_ *testing.T, r *rig) {
			r.backend.consoles = &api.Error{Code: "x", Message: "no list", Hint: "Try."}
		},
			is("consoles", doctor.Fail, "no list", "Try.")},
		"console: cannot be asked": {func(_ *testing.T, r *rig) { r.absent(); r.backend.status = errors.New("no status") },
			is("consoles", doctor.Fail, "no status")},
		"console: silent": {func(_ *testing.T, r *rig) { r.absent() },
			is("console", doctor.Fail, "Den does not answer at 192.168.1.20")},
		"console: never seen": {func(_ *testing.T, r *rig) {
			r.absent()
			r.backend.states["A0B1C2D3E4F5"] = api.Console{State: api.StateUnreachable}
		}, is("console", doctor.Fail, "A0B1C2D3E4F5 does not answer at any address")},
		"console: resting": {func(_ *testing.T, r *rig) { r.rest() }, is("console", doctor.OK, "rest mode")},
		"console: a PS5 without a link": {func(_ *testing.T, r *rig) { r.backend.found[0].HostType = "PS5" },
			is("remote play", doctor.Fail, "not linked", "Settings > System > Remote Play", "ps4kit link")},
		"console: a PS5": {func(_ *testing.T, r *rig) { r.ps5(""); r.backend.found[0].State = "awake" },
			is("remote play", doctor.OK, "9295")},
		"console: a PS5 in rest mode": {func(_ *testing.T, r *rig) { r.ps5(""); r.backend.found[0].State = "standby" },
			is("remote play", doctor.Warn, "rest mode", "Enable Turning On PS5 from Network")},
		"console: a PS5 in use": {func(_ *testing.T, r *rig) { r.ps5("in_use") },
			is("remote play", doctor.Fail, "in use", "two minutes")},
		"console: a PS5 without Remote Play": {func(_ *testing.T, r *rig) { r.ps5("remote_play_off") },
			is("remote play", doctor.Fail, "9295", "Enable Remote Play")},
		"credential: none": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrNoCredential },
			is("credential", doctor.Fail, "Den", "ps4kit credential")},
		"credential: none for one that rests": {func(_ *testing.T, r *rig) { r.rest(); r.backend.credential = ps4.ErrNoCredential },
			is("credential", doctor.Fail, "Den", "ps4kit credential")},
		"login: resting":       {func(_ *testing.T, r *rig) { r.rest() }, is("login", doctor.Warn, "not tried", "Turn it on")},
		"login: keyboard open": {func(_ *testing.T, r *rig) { r.backend.login = nil }, is("login", doctor.OK, "accepts")},
		"login: another user's keyboard": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrKeyboardOtherUser },
			is("login", doctor.OK, "accepts")},
		"login: not linked": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrPINNeeded },
			is("login", doctor.Fail, "PIN", "Link it with ps4kit link and the PIN of ", "Add Device")},
		"login: never linked": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrNotLinked },
			is("login", doctor.Fail, "does not know this program", "Link it with ps4kit link and the PIN of ")},
		"login: refused": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrAuthentication },
			is("login", doctor.Fail, "did not accept")},
		"login: of another kind": {func(_ *testing.T, r *rig) { r.backend.login = errors.New("odd") },
			is("login", doctor.Fail, "Den: odd")},
		"door: shut": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrDoorClosed },
			is("door", doctor.Fail, "refuses connections", "Try again")},
		"door: hangs": {func(_ *testing.T, r *rig) {
			r.backend.login = &api.Error{Code: "service_hung", Message: "it hangs", Hint: "Restart the console."}
		},
			is("door", doctor.Fail, "it hangs", "Restart the console.")},
		"homekit: cannot be listed": {func(_ *testing.T, r *rig) { r.backend.hap = errors.New("no list") },
			is("homekit", doctor.Fail, "no list")},
		"homekit: nothing": {func(_ *testing.T, r *rig) { r.backend.accessories = nil },
			is("homekit", doctor.Warn, "no console")},
		"homekit: does not listen": {func(_ *testing.T, r *rig) {
			r.options.System.Dial = func(context.Context, string) error { return syscall.ECONNREFUSED }
		}, is("homekit", doctor.Fail, "Den", "192.168.1.9:20001", "refused")},
		"homekit: pairing is locked": {func(_ *testing.T, r *rig) {
			r.backend.accessories[0].HostID, r.backend.accessories[0].PairingLocked = "A0B1C2D3E4F5", true
		}, is("homekit", doctor.Warn, "pairing of Den is locked", "ps4kit homekit reset A0B1C2D3E4F5")},
		"mdns: cannot be asked": {func(_ *testing.T, r *rig) { r.browse(nil, syscall.ENETUNREACH) },
			is("mdns", doctor.Fail, "unreachable", "5353")},
		"mdns: not seen": {func(_ *testing.T, r *rig) {
			r.browse([]doctor.Service{{Name: "Den", DeviceID: "00:00:00:00:00:01"}}, nil)
		},
			is("mdns", doctor.Fail, "Den", "homekit.interfaces")},
		"mdns: cannot be asked, no server": {func(_ *testing.T, r *rig) { r.connection.Running = false; r.browse(nil, syscall.ENETUNREACH) },
			is("mdns", doctor.Warn, "unreachable")},
		"mdns: not seen, no server": {func(_ *testing.T, r *rig) { r.connection.Running = false; r.browse(nil, nil) },
			is("mdns", doctor.OK, "0 HomeKit accessories")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			test.change(t, r)
			r.examine(t)
			r.want(t, test.want.check, test.want.status, test.want.texts...)
			if r.failed != (test.want.status == doctor.Fail) && test.want.check != "broadcast" {
				t.Errorf("failed: %v\n%s", r.failed, r)
			}
		})
	}
}

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// bind makes listening on one port fail.
func (r *rig) bind(port uint16, err error) {
	r.options.System.Bind = func(_ context.Context, p uint16) error {
		if p == port {
			return &net.OpError{Op: "listen", Net: "udp4", Err: os.NewSyscallError("bind", err)}
		}
		return nil
	}
}

func (r *rig) inspect(in state.Inspection) {
	r.options.System.Inspect = func(string) (state.Inspection, error) { return in, nil }
}

func unwritable() state.Inspection { return state.Inspection{Free: 1 << 40, Writable: syscall.EACCES} }

// absent has the known console answer nothing.
func (r *rig) absent() {
	r.backend.found = nil
	r.backend.states = map[string]api.Console{"A0B1C2D3E4F5": den(api.StateUnreachable)}
}

func (r *rig) rest() { r.backend.found[0].State = api.StateStandby }

func (r *rig) browse(found []doctor.Service, err error) {
	r.options.System.Browse = func(context.Context, []string) ([]doctor.Service, error) { return found, err }
}

// write writes a file into the state directory.
func write(t *testing.T, r *rig, name, text string, perm fs.FileMode) (path string) {
	t.Helper()
	path = filepath.Join(r.options.StateDir, name)
	if err := os.WriteFile(path, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, perm); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNoLogin leaves the console alone.
func TestNoLogin(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		r := newRig(t)
		r.options.NoLogin, r.connection.Running = true, running
		r.examine(t)
		r.none(t, "login")
		r.none(t, "door")
		r.want(t, "credential", doctor.OK)
		if r.backend.logins != 0 {
			t.Errorf("running: %v: logged in", running)
		}
	}
}

// TestOneConsole: the others are not searched for.
func TestOneConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connection.Host = "192.168.1.20"
	r.backend.search = errors.New("nobody should search")
	r.backend.states = map[string]api.Console{"192.168.1.20": den(api.StateAwake)}
	r.examine(t)
	r.none(t, "broadcast")
	r.want(t, "login", doctor.OK)
	if r.failed {
		t.Error(r)
	}
}

// TestBadConfigurationStops: what needs it is not tried.
func TestBadConfigurationStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.options.ConfigErr = errors.New("wrong")
	r.examine(t)
	r.want(t, "consoles", doctor.Warn, "not tried")
	r.want(t, "interfaces", doctor.OK)
	r.want(t, "state", doctor.OK)
	if r.connected {
		t.Error("connected")
	}
}

// TestInterrupted checks that no console is examined after the end of the context.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	r.options.System.Interfaces = func() ([]doctor.Interface, error) { cancel(why); return nil, nil }
	if _, err := doctor.Examine(ctx, r.options); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	r.none(t, "console")
	r.none(t, "mdns")
	if !r.closed {
		t.Error("the connection is still open")
	}
}

// A login would send the credential, so doctor does not log in to a console that
// was only found.
func TestStrangerIsNotLoggedIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.backend.known[0].Origin = api.OriginFound
	r.examine(t)
	r.want(t, "login", doctor.Warn, "not accepted it yet", "ps4kit consoles add 192.168.1.20")
	if r.backend.logins != 0 {
		t.Errorf("%d logins", r.backend.logins)
	}
}
