package remoteplay_test

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/internal/rp"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// TestOverLoopback uses the operating system's sockets: a session that fails
// before its login has to end with RST, and any other works.
func TestOverLoopback(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	discovery, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{
		t: t, start: time.Now(), family: rp.PS5, host: "PS5", system: "13600007", code: 200, init: (*call).initialized,
		paths: [3]string{"/sie/ps5/rp/sess/rgst", "/sie/ps5/rp/sess/init", "/sie/ps5/rp/sess/ctrl"},
	}
	ended := make(chan error, 1)
	p.control = func(c *call) {
		c.change(func() { c.control = (*call).loggedIn })
		c.say(c.opened() + c.frame(0x04, "")) // there is no passcode
		_, err := c.conn.Read(make([]byte, 1))
		ended <- err
	}
	p.closers = append(p.closers, listener, discovery)
	defer p.close()
	p.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.group.Go(func() { p.serve(conn) })
		}
	})
	p.group.Go(func() { p.answerAll(discovery, p.discovery) })

	r, err := remoteplay.Stored{HostID: hostID, HostType: "PS5", RegistKey: registKey, RPKey: hexKey}.Registration()
	if err != nil {
		t.Fatal(err)
	}
	found := ps4.NewConsole(address(t, discovery.LocalAddr()), ps4.Credential{}, nil)
	console := remoteplay.New(found, r, &remoteplay.Options{
		Port: address(t, listener.Addr()).Port(), Timings: remoteplay.Timings{SearchWait: time.Millisecond, ControlPause: time.Millisecond},
		DeviceID: [16]byte{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7},
	})
	defer console.Close()
	fails(t, console.Do(t.Context(), nothing), ps4.ErrPasscodeNeeded, "passcode_needed")
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the console saw %v, want a reset", err)
	}
	if err := console.Standby(t.Context()); err != nil {
		t.Error(err)
	}
}

func address(t *testing.T, a net.Addr) netip.AddrPort {
	t.Helper()
	parsed, err := netip.ParseAddrPort(a.String())
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
