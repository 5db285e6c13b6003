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

// finding is a wanted finding: texts are parts of its message or its hint.
type finding struct {
	check  string
	status doctor.Status
	texts  []string
}

func reports(check string, status doctor.Status, texts ...string) finding {
	return finding{check, status, texts}
}

// outcome is a change to the machine or the console on which everything works,
// and a finding that it leads to.
type outcome struct {
	change func(t *testing.T, r *rig)
	want   finding
}

func testOutcomes(t *testing.T, outcomes map[string]outcome) {
	t.Helper()
	for name, test := range outcomes {
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

func TestConfiguration(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"a file": {func(_ *testing.T, r *rig) { r.options.Config.File = "/etc/ps4kit/config.yaml" },
			reports("configuration", doctor.OK, "/etc/ps4kit/config.yaml")},
		"wrong": {func(_ *testing.T, r *rig) { r.options.ConfigErr = errors.New("config.yaml:3: poll.misses") },
			reports("configuration", doctor.Fail, "config.yaml:3", "config check")},
	})
}

func TestClock(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"never set": {func(_ *testing.T, r *rig) { r.options.System.Now = func() time.Time { return time.Unix(0, 0) } },
			reports("clock", doctor.Fail, "1970-01-01", "timedatectl")},
	})
}

func TestInterfaces(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"cannot be listed": {func(_ *testing.T, r *rig) {
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return nil, syscall.EPERM }
		}, reports("interfaces", doctor.Fail, "not permitted")},
		"none": {func(_ *testing.T, r *rig) {
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return nil, nil }
		}, reports("interfaces", doctor.Fail, "no network", "IPv4")},
		"IPv6 only": {func(_ *testing.T, r *rig) {
			eth := ethernet("eth0", net.FlagUp)
			eth.Addrs = []netip.Prefix{netip.MustParsePrefix("fe80::1/64")}
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return []doctor.Interface{eth}, nil }
		}, reports("interfaces", doctor.Fail, "IPv4")},
		"a tunnel only": {func(_ *testing.T, r *rig) {
			tunnel := ethernet("tun0", net.FlagUp)
			tunnel.Flags &^= net.FlagBroadcast
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return []doctor.Interface{tunnel}, nil }
		}, reports("interfaces", doctor.Fail, "no network")},
		"none needed": {func(_ *testing.T, r *rig) {
			r.options.Config.Discovery.Broadcast = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}
			r.options.System.Interfaces = func() ([]doctor.Interface, error) { return nil, nil }
		}, reports("interfaces", doctor.OK)},
		"a missing one is named": {func(_ *testing.T, r *rig) { r.options.Config.HomeKit.Interfaces = []string{"eth9"} },
			reports("interfaces", doctor.Fail, "eth9", "homekit.interfaces")},
		"one that is down is named": {func(_ *testing.T, r *rig) { r.options.Config.Discovery.Interfaces = []string{"wlan0"} },
			reports("interfaces", doctor.Fail, "wlan0", "is down")},
	})
}

func TestPorts(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"port 1987: another program's": {func(_ *testing.T, r *rig) { r.bind(1987, syscall.EADDRINUSE) },
			reports("UDP port 1987", doctor.Warn, "avahi (process 7)", "another port")},
		"port 1987: the server's": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.inspect(state.Inspection{Free: 1 << 40, Owner: 8})
			r.options.System.Holder = func(uint16, int) (string, int) { return "renamed (process 8)", 8 }
		}, reports("UDP port 1987", doctor.OK, "running server")},
		"port 1987: another ps4kit's": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.inspect(state.Inspection{Free: 1 << 40, Owner: 8})
			r.options.System.Holder = func(uint16, int) (string, int) { return "ps4kit (process 9)", 9 }
		}, reports("UDP port 1987", doctor.Warn, "ps4kit (process 9)")},
		"port 5353: not shared": {func(_ *testing.T, r *rig) {
			r.inspect(state.Inspection{Free: 1 << 40, Owner: 8})
			r.options.System.Multicast = func() error { return fmt.Errorf("listen udp4: %w", syscall.EADDRINUSE) }
			r.options.System.Holder = func(port uint16, except int) (string, int) {
				if port != 5353 || except != 8 {
					return "the server itself (process 8)", 8
				}
				return "greedy (process 7)", 7
			}
		}, reports("UDP port 5353", doctor.Fail, "used by greedy (process 7)", "Stop that program")},
		"port 5353: refused": {func(_ *testing.T, r *rig) { r.options.System.Multicast = func() error { return syscall.EPERM } },
			reports("UDP port 5353", doctor.Fail, "not permitted")},
		"port 1987: the server's, of another user": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.options.System.Holder = func(uint16, int) (string, int) { return "another program", 0 }
		}, reports("UDP port 1987", doctor.OK, "running server")},
		"port 1987: a server of another state": {func(_ *testing.T, r *rig) {
			r.bind(1987, syscall.EADDRINUSE)
			r.options.System.Holder = func(uint16, int) (string, int) { return "ps4kit (process 8)", 8 }
			r.connection.Running = false
		}, reports("UDP port 1987", doctor.Warn, "ps4kit (process 8)")},
		"port 1987: refused": {func(_ *testing.T, r *rig) { r.bind(1987, syscall.EPERM) },
			reports("UDP port 1987", doctor.Warn, "not permitted", "discovery.local_port")},
	})
}

func TestFirewall(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"ufw": {func(_ *testing.T, r *rig) {
			r.options.System.Root = fstest.MapFS{"etc/ufw/ufw.conf": {Data: []byte("# x\nENABLED=yes\nLOGLEVEL=low\n")}}
		}, reports("firewall", doctor.Warn, "sudo ufw allow 5353/udp; sudo ufw allow 1987/udp; sudo ufw allow 20000:32767/tcp")},
		"ufw is off": {func(_ *testing.T, r *rig) {
			r.options.System.Root = fstest.MapFS{"etc/ufw/ufw.conf": {Data: []byte("ENABLED=no\n")}}
		}, reports("firewall", doctor.OK)},
		"firewalld": {func(_ *testing.T, r *rig) {
			r.options.Config.HomeKit.Port = 22000
			r.options.System.Root = fstest.MapFS{"proc/812/comm": {Data: []byte("firewalld\n")}}
		}, reports("firewall", doctor.Warn, "--add-port=5353/udp --add-port=1987/udp --add-port=22000-22063/tcp")},
	})
}

func TestState(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"none yet": {func(_ *testing.T, r *rig) { r.options.StateDir += "-new" },
			reports("state", doctor.OK, "will be created")},
		"none, and no right to make it": {func(_ *testing.T, r *rig) {
			r.options.System.Inspect = func(string) (state.Inspection, error) { return unwritable(), fs.ErrNotExist }
		}, reports("state", doctor.Fail, "can't create it", "--state-dir")},
		"one document": {func(_ *testing.T, r *rig) { r.inspect(state.Inspection{Free: 1 << 40, Documents: 1}) },
			reports("state", doctor.OK, "1 document in")},
		"a file": {func(t *testing.T, r *rig) { r.options.StateDir = write(t, r, "file", "x", 0o600) },
			reports("state", doctor.Fail, "not a directory", "--state-dir")},
		"open to all": {func(t *testing.T, r *rig) {
			if err := os.Chmod(r.options.StateDir, 0o777); err != nil {
				t.Fatal(err)
			}
		}, reports("state", doctor.Fail, "everyone", "chmod 750")},
		"damaged": {func(t *testing.T, r *rig) { write(t, r, "consoles.json", "{", 0o640) },
			reports("state", doctor.Fail, "consoles.json", "restore")},
		"newer": {func(t *testing.T, r *rig) { write(t, r, "api.json", `{"version": 9, "data": 1}`, 0o600) },
			reports("state", doctor.Fail, "newer", "api.json")},
		"set aside": {func(t *testing.T, r *rig) { write(t, r, "consoles.json.damaged-1", "{", 0o640) },
			reports("state", doctor.Warn, "consoles.json.damaged-1")},
		"an open secret": {func(t *testing.T, r *rig) {
			write(t, r, "credentials.json", `{"version": 1, "data": {"hosts": {}}}`, 0o644)
		}, reports("state", doctor.Warn, "credentials.json", "chmod 600")},
		"full": {func(_ *testing.T, r *rig) { r.inspect(state.Inspection{Free: 1000}) },
			reports("state", doctor.Fail, "full", "Free some space")},
		"nearly full": {func(_ *testing.T, r *rig) { r.inspect(state.Inspection{Free: 20 << 20}) },
			reports("state", doctor.Warn, "20 MB")},
		"only the server may write": {func(_ *testing.T, r *rig) { r.inspect(unwritable()) },
			reports("state", doctor.OK, "documents")},
		"nobody may write": {func(_ *testing.T, r *rig) { r.connection.Running = false; r.inspect(unwritable()) },
			reports("state", doctor.Fail, "this user can't write")},
	})
}

func TestServer(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"not running": {func(_ *testing.T, r *rig) { r.connection.Running = false },
			reports("server", doctor.OK, "ps4kit serve")},
		"locked": {func(_ *testing.T, r *rig) { r.connectErr = state.ErrLocked },
			reports("server", doctor.Fail, "in use by another ps4kit", "stop it")},
		"no right to ask": {func(_ *testing.T, r *rig) { r.connectErr = &fs.PathError{Op: "dial", Path: "x", Err: fs.ErrPermission} },
			reports("server", doctor.Fail, "join the group")},
		"something else": {func(_ *testing.T, r *rig) { r.connectErr = errors.New("odd") },
			reports("server", doctor.Fail, "odd")},
	})
}

func TestBroadcast(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"cannot be sent": {func(_ *testing.T, r *rig) { r.backend.search = syscall.EPERM },
			reports("broadcast", doctor.Fail, "not permitted", "firewall")},
		"no answer": {func(_ *testing.T, r *rig) { r.absent() },
			reports("broadcast", doctor.Warn, "no console answered")},
	})
}

func TestConsoles(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"none": {func(_ *testing.T, r *rig) { r.backend.found, r.backend.known = nil, nil },
			reports("consoles", doctor.Fail, "no console is known or was found", "network")},
		"cannot be listed": {func(_ *testing.T, r *rig) {
			r.backend.consoles = &api.Error{Code: "x", Message: "no list", Hint: "Try."}
		},
			reports("consoles", doctor.Fail, "no list", "Try.")},
		"cannot be asked": {func(_ *testing.T, r *rig) { r.absent(); r.backend.status = errors.New("no status") },
			reports("consoles", doctor.Fail, "no status")},
		"silent": {func(_ *testing.T, r *rig) { r.absent() },
			reports("console", doctor.Fail, "Den does not answer at 192.168.1.20")},
		"never seen": {func(_ *testing.T, r *rig) {
			r.absent()
			r.backend.states["A0B1C2D3E4F5"] = api.Console{State: api.StateUnreachable}
		}, reports("console", doctor.Fail, "A0B1C2D3E4F5 does not answer at any address")},
		"resting": {func(_ *testing.T, r *rig) { r.rest() }, reports("console", doctor.OK, "rest mode")},
		"a PS5 without a link": {func(_ *testing.T, r *rig) { r.backend.found[0].HostType = "PS5" },
			reports("remote play", doctor.Fail, "not linked", "Settings > System > Remote Play", "ps4kit link")},
		"a PS5": {func(_ *testing.T, r *rig) { r.ps5(""); r.backend.found[0].State = "awake" },
			reports("remote play", doctor.OK, "9295")},
		"a PS5 in rest mode": {func(_ *testing.T, r *rig) { r.ps5(""); r.backend.found[0].State = "standby" },
			reports("remote play", doctor.Warn, "rest mode", "Enable Turning On PS5 from Network")},
		"a PS5 in use": {func(_ *testing.T, r *rig) { r.ps5("in_use") },
			reports("remote play", doctor.Fail, "in use", "two minutes")},
		"a PS5 without Remote Play": {func(_ *testing.T, r *rig) { r.ps5("remote_play_off") },
			reports("remote play", doctor.Fail, "9295", "Enable Remote Play")},
	})
}

func TestCredential(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"none": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrNoCredential },
			reports("credential", doctor.Fail, "Den", "ps4kit credential")},
		"none for one that rests": {func(_ *testing.T, r *rig) { r.rest(); r.backend.credential = ps4.ErrNoCredential },
			reports("credential", doctor.Fail, "Den", "ps4kit credential")},
	})
}

func TestLogin(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"resting":       {func(_ *testing.T, r *rig) { r.rest() }, reports("login", doctor.Warn, "not tried", "Turn it on")},
		"keyboard open": {func(_ *testing.T, r *rig) { r.backend.login = nil }, reports("login", doctor.OK, "accepts")},
		"another user's keyboard": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrKeyboardOtherUser },
			reports("login", doctor.OK, "accepts")},
		"not linked": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrPINNeeded },
			reports("login", doctor.Fail, "PIN", "Link it with ps4kit link and the PIN of ", "Add Device")},
		"never linked": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrNotLinked },
			reports("login", doctor.Fail, "does not know this program", "Link it with ps4kit link and the PIN of ")},
		"refused": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrAuthentication },
			reports("login", doctor.Fail, "did not accept")},
		"of another kind": {func(_ *testing.T, r *rig) { r.backend.login = errors.New("odd") },
			reports("login", doctor.Fail, "Den: odd")},
	})
}

func TestDoor(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"shut": {func(_ *testing.T, r *rig) { r.backend.login = ps4.ErrDoorClosed },
			reports("door", doctor.Fail, "refuses connections", "Try again")},
		"hangs": {func(_ *testing.T, r *rig) {
			r.backend.login = &api.Error{Code: "service_hung", Message: "it hangs", Hint: "Restart the console."}
		},
			reports("door", doctor.Fail, "it hangs", "Restart the console.")},
	})
}

func TestHomeKit(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"cannot be listed": {func(_ *testing.T, r *rig) { r.backend.hap = errors.New("no list") },
			reports("homekit", doctor.Fail, "no list")},
		"nothing": {func(_ *testing.T, r *rig) { r.backend.accessories = nil },
			reports("homekit", doctor.Warn, "no console")},
		"does not listen": {func(_ *testing.T, r *rig) {
			r.options.System.Dial = func(context.Context, string) error { return syscall.ECONNREFUSED }
		}, reports("homekit", doctor.Fail, "Den", "192.168.1.9:20001", "refused")},
		"pairing is locked": {func(_ *testing.T, r *rig) {
			r.backend.accessories[0].HostID, r.backend.accessories[0].PairingLocked = "A0B1C2D3E4F5", true
		}, reports("homekit", doctor.Warn, "pairing of Den is locked", "ps4kit homekit reset A0B1C2D3E4F5")},
	})
}

func TestMDNS(t *testing.T) {
	t.Parallel()
	testOutcomes(t, map[string]outcome{
		"cannot be asked": {func(_ *testing.T, r *rig) { r.browse(nil, syscall.ENETUNREACH) },
			reports("mdns", doctor.Fail, "unreachable", "5353")},
		"not seen": {func(_ *testing.T, r *rig) {
			r.browse([]doctor.Service{{Name: "Den", DeviceID: "00:00:00:00:00:01"}}, nil)
		},
			reports("mdns", doctor.Fail, "Den", "homekit.interfaces")},
		"cannot be asked, no server": {func(_ *testing.T, r *rig) { r.connection.Running = false; r.browse(nil, syscall.ENETUNREACH) },
			reports("mdns", doctor.Warn, "unreachable")},
		"not seen, no server": {func(_ *testing.T, r *rig) { r.connection.Running = false; r.browse(nil, nil) },
			reports("mdns", doctor.OK, "0 HomeKit accessories")},
	})
}

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
