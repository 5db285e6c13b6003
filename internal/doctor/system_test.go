package doctor_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/doctor"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func thisMachine() doctor.System {
	return doctor.ThisMachine(func(uint16) string { return "x" }, "/bin/ps4kit")
}

func TestBindFindsATakenPort(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if err := thisMachine().Bind(t.Context(), port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a taken port: %v", err)
	}
	_ = conn.Close()
	if err := thisMachine().Bind(t.Context(), 0); err != nil {
		t.Errorf("a free port: %v", err)
	}
}

func TestInterfacesOfThisMachine(t *testing.T) {
	t.Parallel()
	lo := loopback(t)
	all, err := thisMachine().Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(i doctor.Interface) bool {
		return i.Name == lo.Name && i.Flags == lo.Flags && strings.Contains(i.String(), "127.0.0.1/8")
	}) {
		t.Errorf("%v", all)
	}
}

func TestKnockAndDial(t *testing.T) {
	t.Parallel()
	console, err := ps4test.New(ps4test.Config{Timing: ps4test.DemoTiming(), Credentials: []string{credential}})
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close()
	den := api.Console{Address: console.Addr().String(), RequestPort: console.TCPAddr().Port()}
	if err := thisMachine().Dial(t.Context(), console.TCPAddr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the door before LAUNCH: %v", err)
	}
	if err := thisMachine().Knock(t.Context(), den, credential); err != nil {
		t.Errorf("knock: %v", err)
	}
	if s := console.Snapshot(); s.Counters.Logins != 0 {
		t.Errorf("%d logins", s.Counters.Logins)
	}
	for name, bad := range map[string][2]string{"no address": {"Den", credential}, "no credential": {den.Address, ""}} {
		if err := thisMachine().Knock(t.Context(), api.Console{Address: bad[0]}, bad[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
