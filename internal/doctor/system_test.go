package doctor_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ps4kit/ps4kit/internal/doctor"
)

func TestBindFindsATakenPort(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if err := doctor.ThisMachine().Bind(t.Context(), port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a taken port: %v", err)
	}
	_ = conn.Close()
	if err := doctor.ThisMachine().Bind(t.Context(), 0); err != nil {
		t.Errorf("a free port: %v", err)
	}
}

func TestInterfacesOfThisMachine(t *testing.T) {
	t.Parallel()
	lo := loopback(t)
	all, err := doctor.ThisMachine().Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(i doctor.Interface) bool {
		return i.Name == lo.Name && i.Flags == lo.Flags && strings.Contains(i.String(), "127.0.0.1/8")
	}) {
		t.Errorf("%v", all)
	}
}

func TestDial(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := doctor.ThisMachine().Dial(t.Context(), l.Addr().String()); err != nil {
		t.Errorf("a listener: %v", err)
	}
	_ = l.Close()
	if err := doctor.ThisMachine().Dial(t.Context(), l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed one: %v", err)
	}
}
