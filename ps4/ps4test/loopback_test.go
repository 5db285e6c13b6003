package ps4test_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/ddp"
	"github.com/ps4kit/ps4kit/ps4/internal/wire"
	"github.com/ps4kit/ps4kit/ps4/ps4test"
)

func udpAddr(c *ps4test.Console) net.Addr { return net.UDPAddrFromAddrPort(c.Addr()) }

func TestLoopbackReplies(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{
		Name: "Den: upstairs", HostID: "a0b1c2d3e4f5", Running: bloody.ID, Titles: []ps4test.Title{bloody},
	})
	p := newPeer(t, c)
	reply, from, ok := p.search()
	_, again, _ := p.search()
	want := ddp.Reply{
		Code: ddp.CodeAwake, HostID: "A0B1C2D3E4F5", HostType: "PS4", HostName: "Den: upstairs",
		RequestPort: c.TCPAddr().Port(), Version: "00020020", SystemVersion: "09508011",
		AppName: bloody.Name, TitleID: bloody.ID,
	}
	if !ok || reply != want {
		t.Errorf("reply %+v, want %+v", reply, want)
	}
	if from.Port() == c.Addr().Port() || from == again {
		t.Errorf("replies come from %v and %v, asked on %v", from, again, c.Addr())
	}
}

func TestLoopbackPS5(t *testing.T) {
	t.Parallel()
	p := newPeer(t, ps4test.Start(t, ps4test.Config{HostType: ps4.TypePS5, Running: bloody.ID}))
	reply, _, _ := p.search()
	if reply.HostType != "PS5" || reply.Version != "00030010" || reply.TitleID != "" {
		t.Errorf("reply %+v", reply)
	}
}

func TestLoopbackSession(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{Linked: true, Timing: ps4test.FastTiming()})
	p := newPeer(t, c)
	if err := p.dial(); !isRefused(err) {
		t.Fatalf("before LAUNCH: %v", err)
	}
	p.signIn()
	p.press(wire.OpOpenRC, wire.OpUp, wire.OpKeyOff, wire.OpCloseRC)
	if got := p.boot(netflix.ID); got != 0 {
		t.Errorf("boot: %v", got)
	}
	p.wait(func(now ps4test.Snapshot) bool { return now.Title.ID == netflix.ID })
	if got := strings.Join(c.Presses(), " "); got != "up" {
		t.Errorf("presses %q", got)
	}
	p.answer(p.expect(wire.TypeHeartbeat))
	if got := p.ask(wire.Empty{Type: wire.TypeStandby}, wire.TypeStandbyResult); got != 0 {
		t.Errorf("standby: %v", got)
	}
	if err := p.ended(); !isClosed(err) {
		t.Errorf("after standby: %v", err)
	}
	p.wait(func(now ps4test.Snapshot) bool { return now.State == ps4.StateStandby })
	if err := p.dial(); !isRefused(err) {
		t.Errorf("at rest: %v", err)
	}
}

func TestLoopbackReset(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{Linked: true, Timing: ps4test.FastTiming()})
	p := newPeer(t, c)
	p.signIn()
	c.ResetConnections()
	if err := p.ended(); !isReset(err) {
		t.Errorf("after a reset: %v", err)
	}
}

func TestDoorReopensOnItsPort(t *testing.T) {
	t.Parallel()
	timing := ps4test.FastTiming()
	timing.DoorOpen = 1 // closes at once
	c := ps4test.Start(t, ps4test.Config{Timing: timing})
	p := newPeer(t, c)
	for range 20 {
		p.datagram(ddp.NewLaunch(account).Marshal())
		p.wait(func(now ps4test.Snapshot) bool { return !now.DoorOpen })
		if err := p.dial(); !isRefused(err) {
			t.Fatalf("dialling a closed door: %v", err)
		}
	}
	if n := c.Counters(); n.LaunchesIgnored != 0 {
		t.Errorf("%d launches ignored", n.LaunchesIgnored)
	}
}

func TestManyConsoles(t *testing.T) {
	const consoles = 64
	before := runtime.NumGoroutine()
	ids := map[string]bool{}
	for i := range consoles {
		c := ps4test.Start(t, ps4test.Config{Name: fmt.Sprint("console ", i)})
		reply, _, ok := newPeer(t, c).search()
		if !ok || reply.HostName != c.Name() || reply.HostID != c.HostID() {
			t.Fatalf("console %d: %v %+v", i, ok, reply)
		}
		ids[c.HostID()] = true
	}
	if grown := runtime.NumGoroutine() - before; grown > consoles || len(ids) != consoles {
		t.Errorf("%d goroutines and %d host ids for %d idle consoles", grown, len(ids), consoles)
	}
}

func TestCloseIsIdempotentAndFreesPorts(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{Linked: true, Timing: ps4test.FastTiming()})
	newPeer(t, c).signIn()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.WaitFor(t.Context(), func(ps4test.Snapshot) bool { return false }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("WaitFor after Close: %v", err)
	}
	s, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", c.Addr().String())
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	_ = s.Close()
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.WaitFor(ctx, func(ps4test.Snapshot) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	taken := ps4test.Start(t, ps4test.Config{})
	tests := map[string]ps4test.Config{
		"host id":    {HostID: "A0B1"},
		"address":    {Addr: "localhost"},
		"IPv6":       {Addr: "::1"},
		"type":       {HostType: "ps5"},
		"version":    {SystemVersion: "9.50"},
		"PIN":        {PIN: "1234"},
		"passcode":   {Passcode: "12345"},
		"name":       {Name: "a\nhost-id:000000000000"},
		"credential": {Credentials: []string{"abc"}},
		"key":        {Key: &rsa.PrivateKey{}},
		"port taken": {DDPPort: taken.Addr().Port()},
	}
	for name, cfg := range tests {
		c, err := ps4test.New(cfg)
		if err == nil {
			_ = c.Close()
			t.Errorf("%s: no error", name)
			continue
		}
		if wrapped := errors.Is(err, ps4test.ErrConfig); wrapped == (name == "port taken") || strings.Contains(err.Error(), "ps4test") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	cfg := ps4test.Config{Name: "Den", PIN: pin, Passcode: "2468", Credentials: []string{account}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		got := fmt.Sprintf(verb, cfg)
		if strings.Contains(got, pin) || strings.Contains(got, "2468") || strings.Contains(got, account) || !strings.Contains(got, "Den") {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestPublicKeyPEM(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{})
	block, rest := pem.Decode(c.PublicKeyPEM())
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) != 0 {
		t.Fatalf("PEM %q", c.PublicKeyPEM())
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil || !c.PublicKey().Equal(key) || c.Options().ServerKey.Size() != 256 {
		t.Errorf("key %v, %v", key, err)
	}
}

// On Linux, the loopback interface has a directed broadcast address.
func TestDirectedBroadcast(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux binds broadcast addresses")
	}
	den := ps4test.Start(t, ps4test.Config{Addr: "127.0.0.5", Broadcast: true})
	attic := ps4test.Start(t, ps4test.Config{Addr: "127.0.0.6", DDPPort: den.Addr().Port(), Broadcast: true})
	ps4test.Start(t, ps4test.Config{Addr: "127.0.0.7", DDPPort: den.Addr().Port()})
	p := newPeer(t, den)
	s := p.socket()
	defer s.Close()
	_, err := s.WriteTo(ddp.NewSearch("").Marshal(), &net.UDPAddr{IP: net.IPv4(127, 255, 255, 255), Port: int(den.Addr().Port())})
	p.must(err)
	p.must(s.SetReadDeadline(time.Now().Add(10 * time.Second)))
	found := map[string]netip.Addr{}
	buf := make([]byte, 2048)
	for len(found) < 2 {
		n, from, err := s.ReadFrom(buf)
		p.must(err)
		reply, err := ddp.ParseReply(buf[:n])
		p.must(err)
		found[reply.HostID] = from.(*net.UDPAddr).AddrPort().Addr() //nolint:forcetypeassert // a UDP socket
	}
	want := map[string]netip.Addr{den.HostID(): den.Addr().Addr(), attic.HostID(): attic.Addr().Addr()}
	if !maps.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

// A socket on the unspecified address receives broadcasts by itself.
func TestBroadcastOnTheUnspecifiedAddress(t *testing.T) {
	t.Parallel()
	c := ps4test.Start(t, ps4test.Config{Addr: "0.0.0.0", Broadcast: true})
	if _, _, ok := newPeer(t, c).search(); !ok {
		t.Error("no reply")
	}
}

// TestPortBelongsToOneConsole: a second console can't share the TCP port of one
// that isn't listening.
func TestPortBelongsToOneConsole(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can hold a port without listening")
	}
	c := ps4test.Start(t, ps4test.Config{})
	second, err := ps4test.New(ps4test.Config{TCPPort: c.TCPAddr().Port()})
	if err == nil {
		_ = second.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second console on the same TCP port: %v", err)
	}
}
